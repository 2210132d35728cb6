//! A server on loopback, and the smallest clients that can speak to it.

pub(crate) use crate::common::{Answer, KEY, PATIENCE, keys, unix_s as now};
use crate::common::{pool_config, request, serve, token_for};
use auth::{Claims, VideoGrant};
use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use gateway::livekit::LiveKitData;
use gateway::livekit::agents::Agents;
use gateway::rooms::{Registry, RegistryConfig, Watcher};
use gateway::{Gateway, GatewayConfig};
use net::pool::{MediaPool, PoolConfig};
use net::turn::TurnConfig;
use prost::Message as _;
use std::net::SocketAddr;
use std::sync::Arc;
use store::{Sqlite, Store};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use wire::livekit::proto;

pub(crate) use proto::signal_request::Message as Say;
pub(crate) use proto::signal_response::Message as Heard;

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) gateway: Gateway,
}

impl Server {
    pub(crate) async fn start(config: RegistryConfig) -> Self {
        Self::start_with(config, |_| {}).await
    }

    pub(crate) async fn start_with(config: RegistryConfig, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::start_on(&pool_config(), config, change).await
    }

    pub(crate) async fn start_with_relay(
        config: RegistryConfig,
        relay: TurnConfig,
        change: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        Self::start_on(&PoolConfig { turn: Some(relay), ..pool_config() }, config, change).await
    }

    async fn start_on(pool: &PoolConfig, config: RegistryConfig, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let pool = MediaPool::start(pool, Arc::new(LiveKitData)).unwrap();
        let keys = Arc::new(keys());
        let agents = Agents::start(&keys);
        let watchers = [Arc::new(agents.clone()) as Arc<dyn Watcher>].into_iter().collect();
        let store: Arc<dyn Store> = Arc::new(Sqlite::in_memory().unwrap());
        let registry = Registry::watched(config, pool, watchers, Arc::clone(&store));
        let small = proto::RoomConfiguration { max_participants: 1, empty_timeout: 9, ..Default::default() };
        let presets = [("small".to_owned(), small)].into();
        let mut config = GatewayConfig { node_id: "ND_test".into(), presets, ..GatewayConfig::default() };
        change(&mut config);
        let gateway = Gateway::new(config, keys, registry, agents, store);
        let addr = serve(gateway.clone()).await;
        Self { addr, gateway }
    }

    /// A participant of the room `r` by `/rtc/v1`.
    pub(crate) async fn join(&self, identity: &str) -> Client {
        self.join_with(&token(identity)).await
    }

    pub(crate) async fn join_with(&self, token: &str) -> Client {
        let path = format!("/rtc/v1?access_token={token}&join_request={}", join_request(&auto_subscribing()));
        self.open(&path).await.unwrap_or_else(|response| panic!("{} {}", response.status, response.body))
    }

    /// A WebSocket, or the HTTP answer in its place.
    pub(crate) async fn open(&self, path_and_query: &str) -> Result<Client, Answer> {
        let request = format!("ws://{}{path_and_query}", self.addr).into_client_request().unwrap();
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((socket, _)) => Ok(Client { socket }),
            Err(tungstenite::Error::Http(response)) => {
                let (parts, body) = response.into_parts();
                let headers = parts.headers.iter();
                let headers = headers.map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned())).collect();
                Err(Answer::new(parts.status.as_u16(), headers, body.unwrap_or_default()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.request("GET", path, headers, b"").await
    }

    /// One request on a connection of its own.
    pub(crate) async fn request(&self, verb: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        request(self.addr, verb, path, headers, body).await
    }

    /// A call of the server API.
    pub(crate) async fn api(&self, method: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.request("POST", &format!("/twirp/livekit.RoomService/{method}"), &headers, body.as_bytes()).await
    }
}

/// A LiveKit client's signalling.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub(crate) async fn say(&mut self, message: Say) {
        let bytes = proto::SignalRequest { message: Some(message) }.encode_to_vec();
        self.send(Message::Binary(bytes.into())).await;
    }

    pub(crate) async fn send(&mut self, frame: Message) {
        self.socket.send(frame).await.unwrap();
    }

    /// For those who are about to be cut off.
    pub(crate) async fn send_or_give_up(&mut self, frame: Message) {
        let _ = self.socket.send(frame).await;
    }

    /// The next frame that isn't a WebSocket ping; `None` when the socket is closed.
    pub(crate) async fn frame(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a frame in time")? {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(frame) => return Some(frame),
                Err(_) => return None,
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        match self.frame().await {
            Some(Message::Binary(bytes)) => proto::SignalResponse::decode(bytes).unwrap().message.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Skips what is said before something that `wanted` takes.
    pub(crate) async fn hear_until<T>(&mut self, wanted: impl Fn(Heard) -> Option<T>) -> T {
        loop {
            if let Some(heard) = wanted(self.hear().await) {
                return heard;
            }
        }
    }

    /// The close code, after whatever else comes.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.frame().await? {
                return frame.map(|frame| frame.code.into());
            }
        }
    }

    pub(crate) async fn joined(&mut self) -> proto::JoinResponse {
        match self.hear().await {
            Heard::Join(join) => join,
            other => panic!("{other:?}"),
        }
    }

    /// Until an update shows `identity` in a state.
    pub(crate) async fn sees(&mut self, identity: &str, state: proto::participant_info::State) {
        self.hear_until(|heard| {
            let Heard::Update(update) = heard else { return None };
            let mut who = update.participants.into_iter();
            who.find(|who| who.identity == identity && who.state == state as i32).map(drop)
        })
        .await;
    }
}

/// A token for the room `r`.
pub(crate) fn token(identity: &str) -> String {
    token_with(identity, |_| {})
}

pub(crate) fn token_with(identity: &str, change: impl FnOnce(&mut Claims)) -> String {
    token_for("r", identity, change)
}

/// A backend's token.
pub(crate) fn backend(change: impl FnOnce(&mut VideoGrant)) -> String {
    token_with("", |claims| {
        claims.video = VideoGrant::default();
        change(&mut claims.video);
    })
}

/// What every SDK asks for.
pub(crate) fn auto_subscribing() -> proto::JoinRequest {
    let settings = proto::ConnectionSettings { auto_subscribe: true, ..Default::default() };
    proto::JoinRequest { connection_settings: Some(settings), ..Default::default() }
}

/// The parameter of `/rtc/v1`, percent-encoded.
pub(crate) fn join_request(request: &proto::JoinRequest) -> String {
    let wrapped = proto::WrappedJoinRequest { compression: 0, join_request: request.encode_to_vec() };
    base64::engine::general_purpose::URL_SAFE.encode(wrapped.encode_to_vec()).replace('=', "%3D")
}
