//! A server on loopback, and a house that others' calendars are in.

pub(crate) use crate::common::{Answer, PATIENCE};
use crate::common::{keys, operator_token, pool_config, request, serve, unix_s};
use gateway::livekit::LiveKitData;
use gateway::livekit::agents::Agents;
use gateway::outbound::{HostPort, Outbound, Policy, SystemResolver, Target};
use gateway::rooms::{Registry, RegistryConfig};
use gateway::schedule::{ScheduleConfig, Tz};
use gateway::{Gateway, GatewayConfig};
use net::pool::MediaPool;
use rustls::RootCertStore;
use serde_json::Value;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Sqlite, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Server {
    addr: SocketAddr,
    pub(crate) registry: Registry,
}

impl Server {
    pub(crate) async fn start(schedule: ScheduleConfig, store: &Arc<dyn Store>) -> Self {
        let pool = MediaPool::start(&pool_config(), Arc::new(LiveKitData)).unwrap();
        let keys = Arc::new(keys());
        let agents = Agents::start(&keys);
        let registry = Registry::watched(RegistryConfig::default(), pool, [].into_iter().collect(), Arc::clone(store));
        let config = GatewayConfig { schedule, ..GatewayConfig::default() };
        let gateway = Gateway::new(config, keys, registry.clone(), agents, Arc::clone(store));
        let addr = serve(gateway).await;
        Self { addr, registry }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    pub(crate) async fn operator(&self, verb: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let bearer = format!("Bearer {}", operator_token());
        self.request(verb, path, &[("Authorization", &bearer)], &body).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn request(&self, verb: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        request(self.addr, verb, path, headers, body.as_bytes()).await
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
