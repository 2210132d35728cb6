//! A server on loopback, the bus's clients, and people of other gateways.

pub(crate) use crate::common::{Answer, PATIENCE, eventually, keys, operator_token, unix_s};
use crate::common::{pool_config, request, serve, token_for};
use auth::{Claims, Secret};
use futures_util::{SinkExt as _, StreamExt as _};
use gateway::elektron::{BusConfig, Ears};
use gateway::livekit::LiveKitData;
use gateway::livekit::agents::Agents;
use gateway::rooms::{
    Access, Credential, JoinError, JoinTicket, OutboxReceiver, Registry, RegistryConfig, SessionHandle, Watcher,
};
use gateway::{Gateway, GatewayConfig};
use net::pool::MediaPool;
use room::input::Join;
use room::permission::Permission;
use room::{Identity, RoomEvent};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use store::{Sqlite, Store};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Opens `/messages`.
pub(crate) const SECRET: &str = "open sesame";

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) gateway: Gateway,
    pub(crate) ears: Ears,
    pub(crate) store: Arc<dyn Store>,
}

/// How a server differs from the usual one.
#[derive(Default)]
pub(crate) struct Setting {
    pub(crate) registry: RegistryConfig,
    pub(crate) bus: BusConfig,
    /// What an earlier server has left.
    pub(crate) store: Option<Arc<dyn Store>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Setting)) -> Self {
        let mut setting = Setting::default();
        setting.bus.secret = Some(Secret::new(SECRET));
        change(&mut setting);
        let pool = MediaPool::start(&pool_config(), Arc::new(LiveKitData)).unwrap();
        let keys = Arc::new(keys());
        let agents = Agents::start(&keys);
        let ears = setting.bus.ears.clone();
        let watchers = [Arc::new(ears.clone()) as Arc<dyn Watcher>].into_iter().collect();
        let store = setting.store.unwrap_or_else(|| Arc::new(Sqlite::in_memory().unwrap()));
        let registry = Registry::watched(setting.registry, pool, watchers, Arc::clone(&store));
        let config = GatewayConfig { bus: setting.bus, ..GatewayConfig::default() };
        let gateway = Gateway::new(config, keys, registry, agents, Arc::clone(&store));
        let addr = serve(gateway.clone()).await;
        Self { addr, gateway, ears, store }
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.gateway.registry()
    }

    /// A socket that sees everything that is open.
    pub(crate) async fn open(&self) -> Client {
        self.open_with("/", &[]).await
    }

    pub(crate) async fn open_with(&self, path: &str, headers: &[(&str, &str)]) -> Client {
        self.try_open(path, headers).await.unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// A socket, or the HTTP answer in its place.
    pub(crate) async fn try_open(&self, path: &str, headers: &[(&str, &str)]) -> Result<Client, Answer> {
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((socket, response)) => Ok(Client { socket, headers: pairs(response.headers()) }),
            Err(tungstenite::Error::Http(response)) => {
                let (parts, body) = response.into_parts();
                Err(Answer::new(parts.status.as_u16(), pairs(&parts.headers), body.unwrap_or_default()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// One with a token for a room.
    pub(crate) async fn open_with_token(&self, room: &str) -> Client {
        self.open_with(&format!("/?access_token={}", token(room)), &[]).await
    }

    pub(crate) async fn open_as_operator(&self) -> Client {
        self.open_with("/", &[("authorization", &format!("Bearer {}", operator_token()))]).await
    }

    /// One that has joined a room.
    pub(crate) async fn person(&self, room: &str, user: &str) -> Client {
        let mut client = self.open().await;
        client.join(room, user).await;
        client
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"").await
    }

    /// One request on a connection of its own.
    pub(crate) async fn request(&self, verb: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        request(self.addr, verb, path, headers, body).await
    }

    /// Somebody of LiveKit's gateway in a room, without media.
    pub(crate) async fn guest(&self, room: &str, identity: &str, attributes: &[(&str, &str)]) -> Guest {
        self.try_guest(room, identity, attributes, Credential::Token).await.unwrap()
    }

    pub(crate) async fn try_guest(
        &self,
        room: &str,
        identity: &str,
        attributes: &[(&str, &str)],
        credential: Credential,
    ) -> Result<Guest, JoinError> {
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let permission = Permission { can_update_metadata: true, ..Permission::default() };
        let session = self.registry().next_session();
        let join = Join {
            name: identity.to_uppercase(),
            attributes: attributes.collect::<BTreeMap<_, _>>(),
            auto_subscribe: true,
            ..Join::without_media(session, Identity::token(identity), permission)
        };
        let ticket = JoinTicket { join, credential, address: None, config: None };
        let (handle, outbox) = self.registry().join(room, ticket).await?;
        Ok(Guest { handle, outbox })
    }

    /// Waits until a room's participants are these, as a token holder sees them.
    pub(crate) async fn room_holds(&self, room: &str, expected: &[&str]) {
        let held = || async {
            let Some(handle) = self.registry().find(room) else { return Vec::new() };
            let all = handle.participants().await.unwrap_or_default();
            let mut names: Vec<_> =
                all.iter().map(|who| who.identity.seen_from(room::Origin::Token).to_string()).collect();
            names.sort();
            names
        };
        eventually(&format!("{expected:?} in {room}"), || async { held().await == expected }).await;
    }
}

/// Somebody of another gateway.
pub(crate) struct Guest {
    pub(crate) handle: SessionHandle,
    pub(crate) outbox: OutboxReceiver,
}

impl Guest {
    /// Waits until an update shows somebody as wanted.
    pub(crate) async fn sees(&mut self, identity: &str, wanted: impl Fn(&room::participant::Participant) -> bool) {
        loop {
            let event =
                timeout(PATIENCE, self.outbox.recv()).await.expect("an update in time").expect("the room lives");
            let people = match event.event() {
                RoomEvent::Joined { others, .. } => others.clone(),
                RoomEvent::ParticipantsUpdated(people) => people.clone(),
                _ => continue,
            };
            let seen = |who: &room::participant::Participant| *who.identity.seen_from(room::Origin::Token) == *identity;
            if people.iter().any(|who| seen(who) && wanted(who)) {
                return;
            }
        }
    }
}

fn pairs(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

/// A client of the bus.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Of the answer to the upgrade.
    headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `name=value` of the cookie that it was given.
    pub(crate) fn cookie(&self) -> Option<&str> {
        self.header("set-cookie")?.split(';').next()
    }

    pub(crate) async fn send(&mut self, frame: Message) {
        self.socket.send(frame).await.unwrap();
    }

    /// For those who are about to be cut off.
    pub(crate) async fn try_send(&mut self, frame: Message) -> bool {
        self.socket.send(frame).await.is_ok()
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.send(Message::Text(text.into())).await;
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.say_text(&message.to_string()).await;
    }

    pub(crate) async fn join(&mut self, room: &str, user: &str) {
        self.say(message("CHANNEL_JOIN", room, user, Value::Null)).await;
        self.hears("CHANNEL_JOIN", room).await;
    }

    /// The next frame that isn't a ping; `None` when the socket is closed.
    pub(crate) async fn frame(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a frame in time")? {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(frame) => return Some(frame),
                Err(_) => return None,
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Value {
        match self.frame().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")),
            Some(Message::Binary(bytes)) => serde_json::from_slice(&bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The value of the next message, or its text if it is no JSON.
    pub(crate) async fn hear_any(&mut self) -> Option<Value> {
        match self.frame().await? {
            Message::Text(text) => {
                serde_json::from_str(&text).map_or(Some(json!(&*text)), |mut heard: Value| Some(heard["value"].take()))
            }
            _ => Some(Value::Null),
        }
    }

    /// The next message of a type.
    pub(crate) async fn hears_type(&mut self, kind: &str) -> Value {
        loop {
            let heard = self.hear().await;
            if heard["type"] == kind {
                return heard;
            }
        }
    }

    /// The next message of a type in a room.
    pub(crate) async fn hears(&mut self, kind: &str, room: &str) -> Value {
        loop {
            let heard = self.hears_type(kind).await;
            if heard["channel"] == room {
                return heard;
            }
        }
    }

    /// Until CHANNELS_UPDATED says that a room's users are these.
    pub(crate) async fn sees(&mut self, room: &str, users: &[&str]) -> Value {
        loop {
            let channels = self.hears_type("CHANNELS_UPDATED").await["value"].take();
            let there = channels[room]["users"].as_object();
            let mut there: Vec<_> = there.into_iter().flatten().map(|(id, _)| id.clone()).collect();
            there.sort();
            if there == users {
                return channels[room]["users"].clone();
            }
        }
    }

    /// Types of what comes before an answer to a message of one's own, which comes back.
    pub(crate) async fn hears_until_now(&mut self) -> Vec<Value> {
        let mark = format!("mark {}", rand());
        self.say(message("ANYTHING", "", "", json!(mark))).await;
        let mut heard = Vec::new();
        loop {
            let next = self.hear().await;
            if next["value"] == mark {
                return heard;
            }
            heard.push(next);
        }
    }

    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.frame().await? {
                return frame.map(|frame| frame.code.into());
            }
        }
    }
}

pub(crate) fn message(kind: &str, room: &str, user: &str, value: Value) -> Value {
    let name = user.to_uppercase();
    json!({ "id": "abcdefghijklmnop", "type": kind, "channel": room, "userId": user, "userName": name, "value": value })
}

pub(crate) fn types(heard: &[Value]) -> Vec<&str> {
    heard.iter().map(|message| message["type"].as_str().unwrap_or("?")).collect()
}

fn rand() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

/// A token for a room.
pub(crate) fn token(room: &str) -> String {
    token_with(room, |_| {})
}

pub(crate) fn token_with(room: &str, change: impl FnOnce(&mut Claims)) -> String {
    token_for(room, "holder", change)
}

/// Rooms that are for token holders from the beginning.
pub(crate) fn token_rooms(setting: &mut Setting) {
    setting.registry.declared = [("stage".to_owned(), Access::Token)].into();
}
