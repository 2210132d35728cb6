//! A receiver whose answers a test scripts, and webhooks that tell it what happens.

use auth::key::Strength;
use auth::{Claims, KeyStore, Secret};
use futures_util::future::BoxFuture;
use gateway::outbound::{Outbound, Policy, Resolve, Target};
use gateway::rooms::Watcher as _;
use gateway::webhooks::{WebhookConfig, Webhooks};
use room::effect::RoomInfo;
use room::notice::{EndReason, Notice};
use room::{RoomConfig, RoomSid};
use rustls::RootCertStore;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) const KEY: &str = "devkey";

/// Longest wait for anything: above all back-offs of one event.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status, and these header lines.
    Answer(u16, &'static str),
    /// Reads it and never answers.
    Hang,
    /// Closes the connection.
    BreakOff,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: serde_json::Value,
    pub(crate) bytes: Vec<u8>,
}

impl Hook {
    pub(crate) fn event(&self) -> &str {
        self.body["event"].as_str().unwrap()
    }

    pub(crate) fn room(&self) -> &str {
        self.body["room"]["name"].as_str().unwrap()
    }

    pub(crate) fn claims(&self) -> Claims {
        auth::verify(&self.headers["authorization"], &keys(), unix_s()).unwrap()
    }
}

pub(crate) struct Receiver {
    pub(crate) addr: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    hooks: mpsc::UnboundedReceiver<Hook>,
}

impl Receiver {
    /// Replies in this order, then 200 to everything.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::serve(replies.into_iter().collect(), None).await
    }

    /// The same over TLS.
    pub(crate) async fn start_tls(acceptor: tokio_rustls::TlsAcceptor) -> Self {
        Self::serve(VecDeque::new(), Some(acceptor)).await
    }

    async fn serve(replies: VecDeque<Reply>, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (taken, hooks) = mpsc::unbounded_channel();
        let (replies, count) = (Arc::new(Mutex::new(replies)), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (replies, taken, tls) = (Arc::clone(&replies), taken.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                receive(stream, &replies, &taken).await;
                            }
                        }
                        None => receive(stream, &replies, &taken).await,
                    }
                });
            }
        });
        Self { addr, connections, hooks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.addr)
    }

    pub(crate) async fn next(&mut self) -> Hook {
        timeout(PATIENCE, self.hooks.recv()).await.expect("a webhook").unwrap()
    }

    pub(crate) fn accepted(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn receive(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    replies: &Mutex<VecDeque<Reply>>,
    taken: &mpsc::UnboundedSender<Hook>,
) {
    while let Some(hook) = read(&mut stream).await {
        let reply = replies.lock().unwrap().pop_front().unwrap_or(Reply::Answer(200, ""));
        let _ = taken.send(hook);
        match reply {
            Reply::Answer(status, headers) => {
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n{headers}\r\nok");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            Reply::Hang => std::future::pending().await,
            Reply::BreakOff => return,
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Hook> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = std::str::from_utf8(&bytes[..end]).unwrap().to_owned();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    assert!(head.starts_with("POST "), "{head}");
    let headers: HashMap<_, _> = head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
    let headers = headers.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned())).collect::<HashMap<_, _>>();
    let length: usize = headers["content-length"].parse().unwrap();
    while bytes.len() < end + length {
        stream.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
    }
    let body = bytes.split_off(end);
    Some(Hook { path, headers, body: serde_json::from_slice(&body).unwrap(), bytes: body })
}

/// A resolver with a script: each look-up of anything gives the next answer; the last stays.
#[derive(Debug)]
pub(crate) struct Names(Mutex<VecDeque<Vec<SocketAddr>>>);

impl Names {
    pub(crate) fn new(answers: impl IntoIterator<Item = Vec<SocketAddr>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.into_iter().collect())))
    }
}

impl Resolve for Names {
    fn resolve(&self, _: String, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

pub(crate) fn everybody() -> Outbound {
    Outbound::new(Policy::everybody(), RootCertStore::empty(), Arc::new(gateway::outbound::SystemResolver))
}

pub(crate) fn webhooks(urls: &[String], outbound: &Outbound) -> Webhooks {
    let urls = urls.iter().map(|url| Target::parse(url).unwrap()).collect();
    Webhooks::start(WebhookConfig { urls, api_key: KEY.to_owned() }, outbound, &Arc::new(keys()))
}

/// Tells that a room of this name has begun, or ended.
pub(crate) fn tell(webhooks: &Webhooks, room: &str, begun: bool) {
    let notice = if begun { Notice::RoomStarted { agents: Vec::new() } } else { Notice::RoomFinished(EndReason::Idle) };
    webhooks.on_notice(&info(room), &notice);
}

pub(crate) fn info(name: &str) -> RoomInfo {
    let config = RoomConfig::default();
    RoomInfo {
        sid: RoomSid::new("RM_abcdefghijkl"),
        name: name.to_owned(),
        empty_timeout_s: config.empty_timeout_s,
        departure_timeout_s: config.departure_timeout_s,
        max_participants: 0,
        created_at_ms: 1_795_150_662_943,
        metadata: String::new(),
        num_participants: 0,
        num_publishers: 0,
        active_recording: false,
    }
}

pub(crate) fn keys() -> KeyStore {
    let mut keys = KeyStore::new();
    keys.add(KEY, Secret::new("secret"), Strength::Development).unwrap();
    keys
}

pub(crate) fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
