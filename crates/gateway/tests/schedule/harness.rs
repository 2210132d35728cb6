//! A server on loopback, and a house that others' calendars are in.

use auth::key::Strength;
use auth::{Claims, KeyStore, Secret, VideoGrant, sign};
use gateway::livekit::LiveKitData;
use gateway::livekit::agents::Agents;
use gateway::outbound::{HostPort, Outbound, Policy, SystemResolver, Target};
use gateway::rooms::{Registry, RegistryConfig};
use gateway::schedule::{ScheduleConfig, Tz};
use gateway::{Gateway, GatewayConfig};
use net::pool::{MediaPool, Placement, PoolConfig};
use rustls::RootCertStore;
use serde_json::Value;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::{Sqlite, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const KEY: &str = "devkey";

/// Longest wait for anything: far above what a busy machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    addr: SocketAddr,
}

impl Server {
    pub(crate) async fn start(schedule: ScheduleConfig, store: &Arc<dyn Store>) -> Self {
        let pool = MediaPool::start(&pool_config(), Arc::new(LiveKitData)).unwrap();
        let keys = Arc::new(keys());
        let agents = Agents::start(&keys);
        let registry = Registry::watched(RegistryConfig::default(), pool, [].into_iter().collect(), Arc::clone(store));
        let config = GatewayConfig { schedule, ..GatewayConfig::default() };
        let gateway = Gateway::new(config, keys, registry, agents, Arc::clone(store));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let service = gateway::router(gateway).into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await.unwrap();
        });
        Self { addr }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", "").await
    }

    pub(crate) async fn operator(&self, verb: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.request(verb, path, &format!("Authorization: Bearer {}\r\n", operator_token()), &body).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn request(&self, verb: &str, path: &str, headers: &str, body: &str) -> Answer {
        let head = format!("{verb} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}", self.addr);
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        Answer::parse(&String::from_utf8(answer).unwrap())
    }

    /// Titles of what our page shows, in their order.
    pub(crate) async fn titles(&self) -> Vec<String> {
        let answer = self.get("/api/schedule").await.json();
        let title = |event: &Value| event["title"].as_str().unwrap().to_owned();
        answer["events"].as_array().unwrap().iter().map(title).collect()
    }

    pub(crate) async fn shows(&self, titles: &[&str]) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let shown = self.titles().await;
            if shown == titles {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{shown:?} is not {titles:?}");
            tokio::time::sleep(Duration::from_millis(500)).await; // within the budget of one address
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// Somebody else's house: what it has at each path (with its query), and who has asked.
#[derive(Clone)]
pub(crate) struct Elsewhere {
    pub(crate) addr: SocketAddr,
    pages: Arc<Mutex<HashMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Elsewhere {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let house = Self { addr: listener.local_addr().unwrap(), pages: Arc::default(), asked: Arc::default() };
        let serving = house.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().answer(stream));
            }
        });
        house
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let request = String::from_utf8(request).unwrap();
        let path = request.split(' ').nth(1).unwrap().to_owned();
        let page = self.pages.lock().unwrap().get(&path).cloned();
        self.asked.lock().unwrap().push(path);
        let (status, body) = page.unwrap_or((404, String::new()));
        let location = if (300..400).contains(&status) { format!("Location: {body}\r\n") } else { String::new() };
        let answer = format!("HTTP/1.1 {status} X\r\n{location}Content-Length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    pub(crate) fn has(&self, path: &str, status: u16, body: impl Into<String>) {
        self.pages.lock().unwrap().insert(path.to_owned(), (status, body.into()));
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// A schedule that follows these paths here.
    pub(crate) fn followed(&self, paths: &[&str], policy: Policy) -> ScheduleConfig {
        ScheduleConfig {
            zone: Tz::Europe__Tallinn,
            sources: paths.iter().map(|path| Target::parse(&self.url(path)).unwrap()).collect(),
            refresh: Duration::from_secs(1),
            outbound: Some(Outbound::new(policy, RootCertStore::empty(), Arc::new(SystemResolver))),
        }
    }

    pub(crate) fn allowed(&self) -> Policy {
        Policy::allowing(vec![HostPort::parse(&self.addr.to_string()).unwrap()])
    }
}

pub(crate) fn store() -> Arc<dyn Store> {
    Arc::new(Sqlite::in_memory().unwrap())
}

pub(crate) fn tallinn() -> ScheduleConfig {
    ScheduleConfig { zone: Tz::Europe__Tallinn, ..ScheduleConfig::default() }
}

/// RFC 3339, in UTC.
pub(crate) fn in_hours(hours: i64) -> String {
    instant(hours).to_rfc3339_opts(wire::calendar::SecondsFormat::Secs, true)
}

/// As iCalendar writes it.
pub(crate) fn ics_in_hours(hours: i64) -> String {
    instant(hours).format("%Y%m%dT%H%M%SZ").to_string()
}

fn instant(hours: i64) -> wire::calendar::DateTime<wire::calendar::Utc> {
    let unix_s = i64::try_from(unix_s()).unwrap();
    wire::calendar::DateTime::from_timestamp(unix_s + hours * 3600, 0).unwrap()
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn operator_token() -> String {
    let video = VideoGrant { room_admin: true, room_create: true, room_list: true, ..VideoGrant::default() };
    let claims = Claims { iss: KEY.to_owned(), exp: unix_s() + 600, video, ..Claims::default() };
    sign(&claims, &keys()).unwrap()
}

fn keys() -> KeyStore {
    let mut keys = KeyStore::new();
    keys.add(KEY, Secret::new("secret"), Strength::Development).unwrap();
    keys
}

fn pool_config() -> PoolConfig {
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
