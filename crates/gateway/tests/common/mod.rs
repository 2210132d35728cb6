//! What every test of a gateway over a real socket needs: keys, a media pool, a server on loopback, one HTTP request.
#![allow(dead_code, reason = "each test program that has this module uses some of it")]

use auth::key::Strength;
use auth::{Claims, KeyStore, Secret, VideoGrant};
use gateway::Gateway;
use net::pool::{Placement, PoolConfig};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

pub(crate) const KEY: &str = "devkey";

/// Longest wait for anything: far above what a busy machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn keys() -> KeyStore {
    let mut keys = KeyStore::new();
    keys.add(KEY, Secret::new("secret"), Strength::Development).unwrap();
    keys
}

pub(crate) fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A token for this room, by our key, for ten minutes.
pub(crate) fn token_for(room: &str, identity: &str, change: impl FnOnce(&mut Claims)) -> String {
    let video = VideoGrant { room_join: true, room: room.into(), ..VideoGrant::default() };
    let mut claims = Claims { iss: KEY.into(), sub: identity.into(), exp: unix_s() + 600, video, ..Claims::default() };
    change(&mut claims);
    auth::sign(&claims, &keys()).unwrap()
}

pub(crate) fn operator_token() -> String {
    token_for("", "", |claims| {
        claims.video = VideoGrant { room_admin: true, room_create: true, room_list: true, ..VideoGrant::default() };
    })
}

/// One shard on loopback.
pub(crate) fn pool_config() -> PoolConfig {
    PoolConfig {
        shards: 1,
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        udp_port: 0,
        tcp_port: None,
        turn: None,
        single_port: false,
        advertise: Vec::new(),
        loopback: true,
        placement: Placement::LeastLoaded,
        congestion_control: true,
    }
}

/// Serves it on a port of its own, for as long as the test runs.
pub(crate) async fn serve(gateway: Gateway) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = gateway::router(gateway);
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await.unwrap();
    });
    addr
}

/// One request on a connection of its own; what came back, whole.
pub(crate) async fn request(addr: SocketAddr, verb: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut head = format!("{verb} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses early may have closed before it read all of it.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    // And may reset what it has not read, once it has answered.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    Answer::parse(&answer)
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The same as it came.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    fn parse(answer: &[u8]) -> Self {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(": ").map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()));
        Self::new(status, lines.filter_map(header).collect(), answer[end + 4..].to_vec())
    }

    pub(crate) fn new(status: u16, headers: Vec<(String, String)>, bytes: Vec<u8>) -> Self {
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Self { status, headers, body, bytes }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// Looks again and again until it is so.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !look().await {
        assert!(tokio::time::Instant::now() < deadline, "not in {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
