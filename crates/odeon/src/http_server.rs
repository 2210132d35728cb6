//! HTTP connections: limits on their number, head and patience, and an orderly end.
//!
//! `axum::serve` sets none of these, so the connections are served by hyper itself.

mod counted;
pub mod https;

use crate::client_addr;
use crate::config::Networks;
use axum::Router;
use axum::extract::ConnectInfo;
use counted::Counted;
use http::Request;
use https::Https;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service;

/// Largest request head in bytes. A LiveKit join is one request line of 2.5 KB, some clients' more; sixteen are promised.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Header lines in a request. Browsers behind two proxies send about 40.
const MAX_HEADERS: usize = 100;

/// Pause after a failed accept: when descriptors run out, trying again at once only burns the core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a newcomer is told when there are too many: written whole into the socket's empty buffer, so it can't block.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Where connections come in.
#[derive(Debug)]
pub struct Door {
    /// The socket.
    pub listener: TcpListener,
    /// How TLS is spoken there; `None` is plain HTTP.
    pub https: Option<Arc<Https>>,
}

/// Settings of the server.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Connections at a time, WebSockets counted in.
    pub max_connections: usize,
    /// Time for a request's head, and before it for a TLS handshake.
    pub header_timeout: Duration,
    /// Whose X-Forwarded-For is believed.
    pub trusted_proxies: Networks,
}

/// A running server.
#[derive(Debug)]
pub struct HttpServer {
    stop: watch::Sender<bool>,
    connections: Arc<Semaphore>,
    max_connections: u32,
}

impl HttpServer {
    /// Serves `router` behind all of `doors`. Handlers find the client as `ConnectInfo<SocketAddr>` (with proxies seen
    /// through) and as [`client_addr::Client`].
    pub fn start(doors: Vec<Door>, router: Router, config: HttpConfig) -> Self {
        let max_connections = u32::try_from(config.max_connections.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let connections = Arc::new(Semaphore::new(max_connections as usize));
        let (stop, stopped) = watch::channel(false);
        let config = Arc::new(config);
        for Door { listener, https } in doors {
            let server = Acceptor {
                https,
                router: router.clone(),
                config: Arc::clone(&config),
                connections: Arc::clone(&connections),
                stopped: stopped.clone(),
            };
            tokio::spawn(server.run(listener));
        }
        Self { stop, connections, max_connections }
    }

    /// Takes no more connections, lets requests that run end, and waits for the others until `patience` is over.
    pub async fn stop(self, patience: Duration) {
        // No receiver left means that all acceptors and connections have ended already.
        let _ = self.stop.send(true);
        let all_gone = self.connections.acquire_many(self.max_connections);
        if tokio::time::timeout(patience, all_gone).await.is_err() {
            let left = self.max_connections as usize - self.connections.available_permits();
            tracing::info!(left, "connections cut");
        }
    }
}

struct Acceptor {
    https: Option<Arc<Https>>,
    router: Router,
    config: Arc<HttpConfig>,
    connections: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Acceptor {
    async fn run(mut self, listener: TcpListener) {
        let mut failing = false;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = told_to_stop(&mut self.stopped) => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    failing = false;
                    self.take(stream, peer);
                }
                Err(error) => {
                    metrics::counter!("odeon_http_accept_errors_total").increment(1);
                    // One line for the trouble, not one for each try.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "can't accept connections");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() else {
            metrics::counter!("odeon_http_connections_refused_total").increment(1);
            // Behind a door with TLS nobody could read it, and a handshake is more than a refusal may cost.
            if self.https.is_none() {
                let _ = stream.try_write(FULL);
            }
            return;
        };
        // Signalling is small messages that somebody waits for.
        let _ = stream.set_nodelay(true);
        let visit = Visit {
            peer,
            secure: self.https.is_some(),
            router: self.router.clone(),
            config: Arc::clone(&self.config),
            stopped: self.stopped.clone(),
        };
        match &self.https {
            None => drop(tokio::spawn(visit.serve(Counted::new(stream, permit)))),
            Some(https) => drop(tokio::spawn(visit.serve_https(Arc::clone(https), stream, permit))),
        }
    }
}

/// What is known of a connection.
struct Visit {
    peer: SocketAddr,
    secure: bool,
    router: Router,
    config: Arc<HttpConfig>,
    stopped: watch::Receiver<bool>,
}

impl Visit {
    async fn serve_https(mut self, https: Arc<Https>, stream: TcpStream, permit: OwnedSemaphorePermit) {
        let opened = tokio::select! {
            opened = https.open(stream, self.peer, self.config.header_timeout) => opened,
            () = told_to_stop(&mut self.stopped) => None,
        };
        if let Some(stream) = opened {
            self.serve(Counted::new(stream, permit)).await;
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: Counted<S>) {
        let Self { peer, secure, router, config, mut stopped } = self;
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(config.header_timeout);
        builder.max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let mut client = client_addr::resolve(peer.ip(), request.headers(), &config.trusted_proxies);
            client.secure |= secure;
            request.extensions_mut().insert(client);
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client.address, peer.port())));
            router.clone().call(request)
        });
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told_to_stop(&mut stopped) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "HTTP connection ended");
        }
    }
}

// The sender gone counts as told.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
#[path = "http_server_tests.rs"]
mod tests;
