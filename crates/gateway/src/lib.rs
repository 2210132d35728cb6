//! Gateways: each lets one kind of client in. They never talk to each other: they only read and write [`rooms`].
//!
//! | module | who comes in by it |
//! |---|---|
//! | [`livekit`] | LiveKit's SDKs (`/rtc`) and backends (`/twirp`) |
//! | [`castaway`] | Castaway's phone app: live audio over Socket.IO, and its REST |
//! | [`elektron`] | artists' tools and pages on the message bus (`/`) |
//! | `audience` | the live audience's pictures, and its statistics |
//! | `pages` | browsers: the web page, and the tokens that it joins with |
//! | `moderation` | operators, who keep text and people in order |
//! | [`schedule`] | whoever asks what is on, and operators who say it |
//! | [`webhooks`] | nobody: backends are told what happens |
//! | [`outbound`] | nobody: requests of our own |
//! | [`rooms`] | nobody: what all gateways share |

mod audience;
mod budget;
pub mod castaway;
mod client;
mod clock;
mod cors;
mod draw;
pub mod elektron;
mod founders;
pub mod livekit;
mod moderation;
mod not_found;
mod operator;
pub mod outbound;
mod pages;
mod reading;
pub mod rooms;
pub mod schedule;
pub mod webhooks;

pub use client::{ClientAddress, Secure};

use audience::Audience;
use auth::KeyStore;
use auth::origin::WebOrigin;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use castaway::{Castaway, CastawayConfig};
use elektron::{BusConfig, Elektron};
use founders::Founders;
use http::HeaderMap;
use livekit::agents::Agents;
use livekit::nonces::Nonces;
use moderation::Readers;
use pages::guests::Guests;
use rooms::Registry;
use schedule::{Schedule, ScheduleConfig};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use wire::livekit::join_response::ServerFacts;
use wire::livekit::proto::{IceServer, RoomConfiguration};

/// What the gateways must be told.
#[derive(Clone, Debug, Default)]
pub struct GatewayConfig {
    /// `ND_…`, the same for the life of the data folder.
    pub node_id: String,
    /// Told to clients; may be empty.
    pub region: String,
    /// Origins whose pages may use ours (`http.public_url`, where a proxy hides our own), besides the one that a
    /// request was made to.
    pub origins: Vec<WebOrigin>,
    /// Configurations of rooms that tokens and CreateRoom may name (`room.room_configurations`).
    pub presets: BTreeMap<String, RoomConfiguration>,
    /// STUN and TURN servers for clients.
    pub ice_servers: Vec<IceServer>,
    /// Clients may ask for faults to test themselves (`rtc.simulate`, `--dev`).
    pub simulate: bool,
    /// The artists' bus.
    pub bus: BusConfig,
    /// Castaway.
    pub castaway: CastawayConfig,
    /// What is on.
    pub schedule: ScheduleConfig,
}

/// All gateways. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    server: ServerFacts,
    origins: Vec<WebOrigin>,
    presets: BTreeMap<String, RoomConfiguration>,
    keys: Arc<KeyStore>,
    registry: Registry,
    guests: Guests,
    readers: Readers,
    nonces: Nonces,
    agents: Agents,
    elektron: Arc<Elektron>,
    castaway: Arc<Castaway>,
    schedule: Arc<Schedule>,
    audience: Arc<Audience>,
    founders: Arc<Founders>,
    simulate: bool,
}

impl Gateway {
    /// `keys` verify tokens and sign our own; `registry` holds the rooms, `agents` watch them, and `store` keeps what
    /// outlives the process.
    pub fn new(
        config: GatewayConfig,
        keys: impl Into<Arc<KeyStore>>,
        registry: Registry,
        agents: Agents,
        store: Arc<dyn Store>,
    ) -> Self {
        let server = ServerFacts {
            node_id: config.node_id,
            region: config.region,
            sif_trailer: draw::bytes::<32>().to_vec(),
            ice_servers: config.ice_servers,
            force_relay: false,
        };
        let keys = keys.into();
        let audience = Audience::start(Arc::clone(&store));
        let founders = Founders::new(registry.clone(), config.bus.max_rooms);
        let elektron = Elektron::start(
            config.bus,
            registry.clone(),
            Arc::clone(&store),
            Arc::clone(&founders),
            Arc::clone(&audience),
        );
        let castaway = Castaway::start(config.castaway, registry.clone(), Arc::clone(&keys), Arc::clone(&store));
        let schedule = Schedule::start(config.schedule, registry.clone(), store);
        let inner = Inner {
            server,
            origins: config.origins,
            presets: config.presets,
            keys,
            registry,
            guests: Guests::default(),
            readers: Readers::default(),
            nonces: Nonces::default(),
            agents,
            elektron,
            castaway,
            schedule,
            audience,
            founders,
            simulate: config.simulate,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The rooms.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Tells those who are in no room's session that the server goes down.
    pub async fn go_away(&self) {
        self.inner.castaway.go_away();
        self.inner.elektron.go_away().await;
    }

    pub(crate) fn elektron(&self) -> &Arc<Elektron> {
        &self.inner.elektron
    }

    pub(crate) fn castaway(&self) -> &Arc<Castaway> {
        &self.inner.castaway
    }
}

/// Every address of every gateway. Whoever serves it puts [`ClientAddress`] and [`Secure`] into each request.
pub fn router(gateway: Gateway) -> Router {
    let routes = Router::new()
        .route("/", get(front))
        .merge(livekit::routes())
        .merge(elektron::routes())
        .merge(moderation::routes())
        .merge(castaway::routes())
        .merge(schedule::routes())
        .merge(audience::routes())
        .merge(pages::routes())
        .with_state(gateway);
    let again = routes.clone();
    routes.fallback(move |request| not_found::collapse_slashes(again, request))
}

/// `/`: the bus for whoever wants a WebSocket, the page for browsers, and for others the health of the server.
async fn front(
    gateway: State<Gateway>,
    address: ClientAddress,
    secure: Secure,
    headers: HeaderMap,
    request: Request,
) -> Response {
    match elektron::is_upgrade(&headers) {
        true => elektron::connect(gateway, address, secure, request).await,
        false => pages::home(gateway, headers).await,
    }
}
