//! Everything that runs, put together: media threads, rooms, gateways, HTTP.

use crate::banner;
use crate::candidates;
use crate::config::{Config, Loaded};
use crate::data_dir::{self, DataDir};
use crate::doctor;
use crate::failure::Failure;
use crate::http_server::https::Https;
use crate::http_server::{Door, HttpConfig, HttpServer};
use crate::keys::Keys;
use crate::listen;
use crate::ops;
use crate::plan;
use crate::relay;
use crate::routes;
use crate::state::State;
use crate::tls::Tls;
use auth::KeyStore;
use gateway::Gateway;
use gateway::livekit::LiveKitData;
use gateway::livekit::agents::Agents;
use gateway::outbound::Outbound;
use gateway::rooms::{Registry, Watcher};
use gateway::webhooks::Webhooks;
use metrics_exporter_prometheus::PrometheusHandle;
use net::pool::MediaPool;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use store::{Sqlite, Store};

/// Patience with clients that don't take their goodbyes in, and with requests that don't end, once everything closes.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(3);

/// Life of the token that the first start prints, in seconds: a day, to set things up.
const OPERATOR_TOKEN_TTL_S: u64 = 24 * 3600;

/// A venue that is open.
#[derive(Debug)]
pub struct Venue {
    state: State,
    media: MediaPool,
    gateway: Gateway,
    registry: Registry,
    webhooks: Arc<Webhooks>,
    http: HttpServer,
    castaway_http: Option<HttpServer>,
    http_addrs: Vec<SocketAddr>,
    https_addrs: Vec<SocketAddr>,
    tls: Option<Tls>,
}

impl Venue {
    /// Binds everything and opens.
    pub async fn open(
        loaded: &Loaded,
        dir: &DataDir,
        keys: Arc<KeyStore>,
        metrics: PrometheusHandle,
    ) -> Result<Self, Failure> {
        let config = &loaded.config;
        let state = State::default();
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&dir.path().join(data_dir::DATABASE))?);
        let names = plan::certificate_names(config);
        let tls = Tls::prepare(config, dir, &names)?;
        let mut doors = plain_doors(config)?;
        let http_addrs = addresses(&doors)?;
        let castaway_doors = castaway_doors(config)?;
        let relay = relay::plan(config, tls.as_ref())?;
        let media =
            MediaPool::start(&plan::pool(config, candidates::advertised(config).await, relay), Arc::new(LiveKitData))?;
        let https = tls.as_ref().map(|tls| secure_doors(config, tls, &media)).transpose()?.unwrap_or_default();
        let https_addrs = addresses(&https)?;
        doors.extend(https);
        let webhooks = Arc::new(start_webhooks(loaded, &keys)?);
        let agents = Agents::start(&keys);
        let mut settings = plan::gateway(config, loaded.dev, dir.node_id());
        settings.castaway = plan::castaway(config, loaded.dev, dir.path()).map_err(io::Error::other)?;
        let ears = Arc::new(settings.bus.ears.clone());
        let watchers: [Arc<dyn Watcher>; 3] = [Arc::clone(&webhooks) as _, Arc::new(agents.clone()), ears];
        let watchers = watchers.into_iter().collect();
        let registry =
            Registry::watched(plan::registry(config, loaded.dev), media.clone(), watchers, Arc::clone(&store));
        let gateway = Gateway::new(settings, Arc::clone(&keys), registry.clone(), agents, store);
        let counting = media.clone();
        let collect = Arc::new(move || counting.publish_metrics());
        let ops = ops::Ops { state: state.clone(), keys, metrics, collect };
        let all = routes::all(gateway.clone(), ops);
        let castaway = routes::castaway(all.clone());
        let castaway_http = castaway_doors.map(|doors| HttpServer::start(doors, castaway, http_config(config)));
        let http = HttpServer::start(doors, all, http_config(config));
        if let Some(tls) = &tls {
            tls.keep_fresh(dir, names);
        }
        state.set_ready();
        Ok(Self { state, media, gateway, registry, webhooks, http, castaway_http, http_addrs, https_addrs, tls })
    }

    /// Looks for a newer certificate (SIGHUP).
    pub fn reload(&self) {
        self.tls.iter().for_each(Tls::reload);
    }

    /// From now on nobody new gets in.
    pub fn close_doors(&self) {
        self.state.set_draining();
        self.registry.stop_joins();
    }

    /// Rooms that live.
    pub fn rooms(&self) -> usize {
        self.registry.len()
    }

    /// Tells everybody, and ends.
    pub async fn close(self) {
        if tokio::time::timeout(GOODBYE_TIMEOUT, self.registry.shutdown()).await.is_err() {
            tracing::warn!(rooms = self.registry.len(), "not every room ended in time");
        }
        if tokio::time::timeout(GOODBYE_TIMEOUT, self.gateway.go_away()).await.is_err() {
            tracing::warn!("not every socket of the bus was told in time");
        }
        self.webhooks.close(GOODBYE_TIMEOUT).await;
        if let Some(http) = self.castaway_http {
            http.stop(GOODBYE_TIMEOUT).await;
        }
        self.http.stop(GOODBYE_TIMEOUT).await;
        let media = self.media;
        // It joins threads. If it panicked the process is ending anyway.
        let _ = tokio::task::spawn_blocking(move || media.stop()).await;
    }

    /// What there is to say at the start.
    pub fn facts(&self, loaded: &Loaded, dir: &DataDir, keys: &Keys) -> banner::Facts {
        let config = &loaded.config;
        let (key, secret) = keys.store.primary().map_or(("", ""), |(key, secret)| (key, secret.reveal()));
        let operator_token = auth::mint::operator_token(&keys.store, ops::unix_now(), OPERATOR_TOKEN_TTL_S);
        banner::Facts {
            public_url: config.http_public_url.0.clone(),
            http: self.http_addrs.clone(),
            https: self.https_addrs.clone(),
            certificate: self.tls.as_ref().map(Tls::summary).unwrap_or_default(),
            domain: self.tls.as_ref().and_then(Tls::domain).map(str::to_owned),
            media: self.media.local_addrs(),
            media_tcp: self.media.tcp_addr(),
            machine: machine_address(),
            key: key.to_owned(),
            secret: secret.to_owned(),
            origin: keys.origin,
            first_start: dir.first_start(),
            operator_token: operator_token.unwrap_or_default(),
            doctor: doctor::at_start(loaded),
            data_dir: dir.path().to_owned(),
        }
    }
}

fn start_webhooks(loaded: &Loaded, keys: &Arc<KeyStore>) -> io::Result<Webhooks> {
    let config = plan::webhooks(&loaded.config, keys).map_err(io::Error::other)?;
    let outbound = Outbound::of_this_machine(plan::outbound(&loaded.config, loaded.dev));
    Ok(Webhooks::start(config, &outbound, keys))
}

fn plain_doors(config: &Config) -> io::Result<Vec<Door>> {
    let listeners = listen::bind(&config.http_bind.0, config.http_port, "http.port")?;
    Ok(listeners.into_iter().map(|listener| Door { listener, https: None }).collect())
}

/// C-23: a port of its own, for clients that expect it.
fn castaway_doors(config: &Config) -> io::Result<Option<Vec<Door>>> {
    if config.castaway_port == 0 {
        return Ok(None);
    }
    let listeners = listen::bind(&config.http_bind.0, config.castaway_port, "castaway.port")?;
    Ok(Some(listeners.into_iter().map(|listener| Door { listener, https: None }).collect()))
}

fn secure_doors(config: &Config, tls: &Tls, media: &MediaPool) -> io::Result<Vec<Door>> {
    let relay = relay::shares_https(config, true).then(|| relay::door(config, media));
    let https = Arc::new(Https::new(&tls.certificates, tls.is_acme(), relay)?);
    let listeners = listen::bind(&config.tls_bind.0, config.tls_port, "tls.port")?;
    Ok(listeners.into_iter().map(|listener| Door { listener, https: Some(Arc::clone(&https)) }).collect())
}

fn addresses(doors: &[Door]) -> io::Result<Vec<SocketAddr>> {
    doors.iter().map(|door| door.listener.local_addr()).collect()
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
