//! Everything that runs, put together: media threads, rooms, gateways, HTTP.

use crate::banner;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::http_server::{HttpConfig, HttpServer};
use crate::keys::Keys;
use crate::ops::{self, Ops};
use crate::state::State;
use crate::{listen, request_log};
use auth::KeyStore;
use axum::Router;
use axum::middleware::from_fn;
use metrics_exporter_prometheus::PrometheusHandle;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// Time that clients have to take their goodbyes in, and requests to end, once everything closes.
const GOODBYE: Duration = Duration::from_secs(3);

/// A venue that is open.
#[derive(Debug)]
pub struct Venue {
    state: State,
    http: HttpServer,
    http_addrs: Vec<SocketAddr>,
}

impl Venue {
    /// Binds everything and opens.
    pub fn open(config: &Config, dir: &DataDir, keys: Arc<KeyStore>, metrics: PrometheusHandle) -> io::Result<Self> {
        let _ = dir.node_id();
        let state = State::default();
        let listeners = listen::bind(&config.http_bind.0, config.http_port)?;
        let http_addrs = listeners.iter().map(|listener| listener.local_addr()).collect::<io::Result<_>>()?;
        let router = routes(Ops { state: state.clone(), keys, metrics });
        let http = HttpServer::start(listeners, router, http_config(config));
        state.set_ready();
        Ok(Self { state, http, http_addrs })
    }

    /// From now on nobody new gets in.
    pub fn close_doors(&self) {
        self.state.set_draining();
    }

    /// Rooms that live.
    pub fn rooms(&self) -> usize {
        0
    }

    /// Tells everybody, and ends.
    pub async fn close(self) {
        self.http.stop(GOODBYE).await;
    }

    /// What there is to say at the start.
    pub fn facts(&self, config: &Config, dir: &DataDir, keys: &Keys) -> banner::Facts {
        let (key, secret) = keys.store.primary().map_or(("", ""), |(key, secret)| (key, secret.reveal()));
        let operator_token = auth::mint::operator_token(&keys.store, ops::unix_now(), OPERATOR_TOKEN_TTL_S);
        banner::Facts {
            public_url: config.http_public_url.0.clone(),
            http: self.http_addrs.clone(),
            media: Vec::new(),
            machine: machine_address(),
            key: key.to_owned(),
            secret: secret.to_owned(),
            origin: keys.origin,
            first_start: dir.first_start(),
            operator_token: operator_token.unwrap_or_default(),
            data_dir: dir.path().to_owned(),
        }
    }
}

/// Life of the token that the first start prints, in seconds: a day, to set things up.
const OPERATOR_TOKEN_TTL_S: u64 = 24 * 3600;

fn routes(ops: Ops) -> Router {
    ops::router(ops).layer(from_fn(request_log::log))
}

fn http_config(config: &Config) -> HttpConfig {
    HttpConfig {
        max_connections: usize::try_from(config.limits_http_connections).unwrap_or(usize::MAX),
        header_timeout: config.http_header_timeout,
        trusted_proxies: config.http_trusted_proxies.clone(),
    }
}

// The address from which this machine would speak to the world. "Connecting" a UDP socket sends nothing.
fn machine_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}
