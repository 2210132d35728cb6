//! A server on loopback, and clients that speak Engine.IO and Socket.IO by hand.

pub(crate) use crate::common::{Answer, PATIENCE, eventually, keys, unix_s};
use crate::common::{pool_config, request, serve, token_for};
use auth::VideoGrant;
use futures_util::{SinkExt as _, StreamExt as _};
use gateway::castaway::CastawayConfig;
use gateway::livekit::LiveKitData;
use gateway::livekit::agents::Agents;
use gateway::rooms::{Registry, RegistryConfig};
use gateway::{Gateway, GatewayConfig};
use net::pool::MediaPool;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Sqlite, Store};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) gateway: Gateway,
    pub(crate) dir: Dir,
    pub(crate) store: Arc<dyn Store>,
}

/// A folder that goes with the test.
#[derive(Clone)]
pub(crate) struct Dir(Arc<Owned>);

struct Owned(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Owned(std::env::temp_dir().join(format!("odeon-castaway-{}-{number}", std::process::id())))))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.0.clone()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How a server differs from the usual one.
pub(crate) struct Setting {
    pub(crate) registry: RegistryConfig,
    pub(crate) castaway: CastawayConfig,
    /// What an earlier server has left.
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) dir: Dir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Setting)) -> Self {
        let mut setting = Setting {
            registry: RegistryConfig::default(),
            castaway: CastawayConfig::default(),
            store: None,
            dir: Dir::new(),
        };
        change(&mut setting);
        setting.castaway.dir = Some(setting.dir.path());
        let pool = MediaPool::start(&pool_config(), Arc::new(LiveKitData)).unwrap();
        let keys = Arc::new(keys());
        let agents = Agents::start(&keys);
        let store = setting.store.unwrap_or_else(|| Arc::new(Sqlite::in_memory().unwrap()));
        let registry = Registry::new(setting.registry, pool, Arc::clone(&store));
        let config = GatewayConfig { castaway: setting.castaway, ..GatewayConfig::default() };
        let gateway = Gateway::new(config, keys, registry, agents, Arc::clone(&store));
        let addr = serve(gateway.clone()).await;
        Self { addr, gateway, dir: setting.dir, store }
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.gateway.registry()
    }

    /// A WebSocket that is in no namespace yet.
    pub(crate) async fn socket(&self, headers: &[(&str, &str)]) -> Client {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", self.addr);
        let mut client = Client { socket: open(&url, headers).await };
        assert!(client.text().await.starts_with("0{\"sid\":"), "the open packet");
        client
    }

    /// A socket that asks for a namespace, with these in its `auth` payload.
    pub(crate) async fn join(&self, namespace: &str, token: &str, livestream: &str) -> Client {
        let mut client = self.socket(&[]).await;
        client.join(namespace, &json!({ "id-token": token, "livestream-id": livestream })).await;
        client
    }

    /// One who streams.
    pub(crate) async fn streamer(&self, token: &str, livestream: &str) -> Client {
        let mut client = self.join("/streamer", token, livestream).await;
        client.succeeds().await;
        client
    }

    /// One who listens.
    pub(crate) async fn listener(&self, token: &str, livestream: &str) -> Client {
        let mut client = self.join("/listener", token, livestream).await;
        client.succeeds().await;
        client
    }

    /// An account's id token.
    pub(crate) async fn account(&self, name: &str) -> Account {
        let email = format!("{name}@venue.example");
        let body = json!({ "email": email, "displayName": name, "password": "correct horse" });
        let answer = self.call("POST", "/api/auth/signup", &[], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = answer.json()["idToken"].as_str().unwrap().to_owned();
        let claims = auth::verify(&token, &keys(), unix_s()).unwrap();
        Account { email, token, id: claims.sub }
    }

    /// A livestream of this account.
    pub(crate) async fn livestream(&self, account: &Account) -> String {
        let body = json!({ "title": "Evening", "description": "Sounds" });
        let answer = self.call("POST", "/api/livestreams", &[("idToken", &account.token)], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["livestreamId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn call(&self, verb: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.request(verb, path, &all, body.to_string().as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"").await
    }

    /// One request on a connection of its own.
    pub(crate) async fn request(&self, verb: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        request(self.addr, verb, path, headers, body).await
    }

    /// Waits until a room's participants are these, as a token holder sees them.
    pub(crate) async fn room_holds(&self, room: &str, expected: &[&str]) {
        let mut expected: Vec<_> = expected.iter().map(|name| (*name).to_owned()).collect();
        expected.sort();
        let held = || async {
            let Some(handle) = self.registry().find(room) else { return Vec::new() };
            let all = handle.participants().await.unwrap_or_default();
            let names = all.iter().map(|who| who.identity.seen_from(room::Origin::Token).to_string());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        eventually(&format!("{expected:?} in {room}"), || async { held().await == expected }).await;
    }
}

/// Somebody who has signed up.
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) token: String,
    pub(crate) id: String,
}

/// What a client is told.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Said {
    /// An event with its argument, as it was written, and its Buffers.
    Event(String, String, Vec<Vec<u8>>),
    /// It was disconnected from the namespace.
    Disconnected,
    /// Its connection ended.
    Closed,
}

impl Said {
    pub(crate) fn text(event: &str, text: &str) -> Self {
        Self::Event(event.to_owned(), Value::from(text).to_string(), Vec::new())
    }
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

pub(crate) async fn open(url: &str, headers: &[(&str, &str)]) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    timeout(PATIENCE, connect_async(request)).await.unwrap().unwrap().0
}

impl Client {
    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn text(&mut self) -> String {
        match timeout(PATIENCE, self.socket.next()).await.expect("a message in time") {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// C-01: is let in, whatever follows.
    pub(crate) async fn join(&mut self, namespace: &str, auth: &Value) {
        self.say(&format!("40{namespace},{auth}")).await;
        let answer = self.text().await;
        assert!(answer.starts_with(&format!("40{namespace},{{\"sid\":")), "{answer}");
    }

    /// What it is told next.
    pub(crate) async fn said(&mut self) -> Said {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("something in time");
            let text = match message {
                Some(Ok(Message::Text(text))) => text.to_string(),
                None | Some(Ok(Message::Close(_)) | Err(_)) => return Said::Closed,
                other => panic!("{other:?}"),
            };
            match text.get(..2) {
                Some("41") => return Said::Disconnected,
                Some("42") => return event(&text[2..], Vec::new()),
                Some("45") => {
                    let (count, rest) = text[2..].split_once('-').unwrap();
                    let mut buffers = Vec::new();
                    for _ in 0..count.parse::<usize>().unwrap() {
                        match timeout(PATIENCE, self.socket.next()).await.unwrap() {
                            Some(Ok(Message::Binary(bytes))) => buffers.push(bytes.to_vec()),
                            other => panic!("{other:?}"),
                        }
                    }
                    return event(rest, buffers);
                }
                _ if text == "2" => self.say("3").await,
                _ => panic!("{text}"),
            }
        }
    }

    pub(crate) async fn hears(&mut self, event: &str, text: &str) {
        assert_eq!(self.said().await, Said::text(event, text));
    }

    /// Hears why, and is disconnected.
    pub(crate) async fn is_refused(&mut self, text: &str) {
        self.hears("error", text).await;
        assert_eq!(self.said().await, Said::Disconnected);
    }

    pub(crate) async fn succeeds(&mut self) -> String {
        match self.said().await {
            Said::Event(name, text, _) if name == "success" => text,
            other => panic!("{other:?}"),
        }
    }

    /// Sends one Buffer, and hears that it came.
    pub(crate) async fn upload(&mut self, bytes: &[u8]) {
        self.send(r#"{"_placeholder":true,"num":0}"#, &[bytes]).await;
        assert!(self.succeeds().await.starts_with("\"Packet received from user "));
    }

    pub(crate) async fn send(&mut self, payload: &str, buffers: &[&[u8]]) {
        match buffers.len() {
            0 => self.say(&format!("42/streamer,[\"upload\",{payload}]")).await,
            count => self.say(&format!("45{count}-/streamer,[\"upload\",{payload}]")).await,
        }
        for buffer in buffers {
            self.socket.send(Message::Binary(buffer.to_vec().into())).await.unwrap();
        }
    }

    /// A Buffer, and nothing else.
    pub(crate) async fn hears_sound(&mut self, bytes: &[u8]) {
        let placeholder = r#"{"_placeholder":true,"num":0}"#;
        assert_eq!(self.said().await, Said::Event("audio".into(), placeholder.into(), vec![bytes.to_vec()]));
    }
}

fn event(text: &str, buffers: Vec<Vec<u8>>) -> Said {
    let arguments = text.split_once(",[").map(|(_, rest)| rest).unwrap();
    let (name, payload) = arguments.split_once(',').unwrap();
    Said::Event(name.trim_matches('"').to_owned(), payload.strip_suffix(']').unwrap().to_owned(), buffers)
}

/// The words of a failure.
pub(crate) fn error(answer: &Answer) -> String {
    let json = answer.json();
    assert_eq!(json["status"], "FAILED", "{json}");
    json["data"]["error"].as_str().unwrap().to_owned()
}

/// A token for a room, by one of our keys.
pub(crate) fn token(room: &str, identity: &str, change: impl FnOnce(&mut VideoGrant)) -> String {
    token_for(room, identity, |claims| change(&mut claims.video))
}

/// Frames of mp3: MPEG-1 layer III, 32 kbit/s at 32 kHz, 144 bytes and 36 ms each.
pub(crate) fn mp3(frames: usize) -> Vec<u8> {
    [&[0xff, 0xfb, 0x18, 0xc4], [0x55; 140].as_slice()].concat().repeat(frames)
}

/// A form with a token and a file.
pub(crate) fn form(token: &str, field: &str, file: &[u8]) -> Vec<u8> {
    let head = format!("--XX\r\nContent-Disposition: form-data; name=\"idToken\"\r\n\r\n{token}\r\n--XX\r\n");
    let part = format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"x\"\r\n\r\n");
    [head.as_bytes(), part.as_bytes(), file, b"\r\n--XX--\r\n"].concat()
}

pub(crate) const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=XX");

/// A picture, as far as anybody looks.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

/// The only one that is listed, once it is.
pub(crate) async fn the_podcast(server: &Server) -> Value {
    eventually("it is listed", || async { server.get("/api/podcasts").await.json().as_array().unwrap().len() == 1 })
        .await;
    server.get("/api/podcasts").await.json()[0].clone()
}

/// What a podcast sounds like to somebody.
pub(crate) async fn sound_of(server: &Server, id: &Value, token: &str) -> Vec<u8> {
    let path = format!("/api/podcasts/{}/stream", id.as_str().unwrap());
    let stream = server.call("POST", &path, &[], &json!({ "idToken": token })).await.json();
    let url = stream["podcastUrl"].as_str().unwrap().to_owned();
    server.get(url.strip_prefix(&format!("http://{}", server.addr)).unwrap()).await.bytes
}
