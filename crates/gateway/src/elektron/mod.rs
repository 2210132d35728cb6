//! The artists' bus (elektron.md): one WebSocket at `/`, JSON messages that everybody hears, and who is where.
//!
//! | file | what |
//! |---|---|
//! | `upgrade` | `/` with an Upgrade header: rights, cookie, handshake |
//! | `connection` | one socket's task |
//! | `socket` | its bytes: frames in, shared frames out |
//! | `speaker` | what it says: passed on at once, or after the store has it |
//! | `outbox` | what waits for it |
//! | `hub` | the one task that owns the bus ([`bus::Bus`]) |
//! | `world` | what the bus asks of rooms and dialect |
//! | `members` | the bus's users in rooms |
//! | [`Ears`] | what rooms tell |
//! | `frames` | messages as sockets get them |
//! | `log` | what is kept in the store |
//! | `http` | `/messages`, `/history`, `/webhooks/video` |
//! | `stats` | STATS |

mod config;
mod connection;
mod ears;
mod frames;
mod http;
mod hub;
pub mod limits;
mod log;
mod members;
mod outbox;
mod socket;
mod speaker;
mod stats;
mod upgrade;
mod world;

pub use ::bus::BusLimits;
pub use config::BusConfig;
pub use ears::Ears;
pub(crate) use upgrade::{connect, is_upgrade};
pub use wire::elektron::MAX_FRAME_BYTES;

use crate::Gateway;
use crate::audience::Audience;
use crate::budget::{Budgets, Rate};
use crate::cors::any_origin;
use crate::founders::Founders;
use crate::rooms::Registry;
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use bytes::Bytes;
use hub::Hub;
use limits::{FAILURES_A_MINUTE, HISTORY_BURST, HISTORY_PER_S, MAX_FAILING_ADDRESSES, MAX_READERS, MAX_SYNC};
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Arc;
use store::{Store, StoreError};
use tokio::sync::Semaphore;
use wire::elektron::frame::{Frame, Kind};
use wire::elektron::message;
use worker::data_url;

/// Longest Cookie header that is looked at, in bytes: browsers send no more for one site.
const MAX_COOKIE_BYTES: usize = 8 * 1024;

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/messages", get(http::messages))
        .route("/messages/clear", get(http::clear))
        .route("/history", get(http::history))
        .route("/webhooks/video", post(http::video))
        .layer(from_fn(any_origin))
}

/// The gateway.
#[derive(Debug)]
pub(crate) struct Elektron {
    config: BusConfig,
    hub: Hub,
    registry: Registry,
    store: Arc<dyn Store>,
    audience: Arc<Audience>,
    founders: Arc<Founders>,
    /// Wrong secrets.
    failures: Budgets<IpAddr>,
    /// Readers of `/history`.
    guests: Budgets<IpAddr>,
    readers: Semaphore,
    /// Makes what clients are known by, without keeping their addresses.
    names: RandomState,
}

impl Elektron {
    /// Starts the bus.
    pub(crate) fn start(
        config: BusConfig,
        registry: Registry,
        store: Arc<dyn Store>,
        founders: Arc<Founders>,
        audience: Arc<Audience>,
    ) -> Arc<Self> {
        let failures = Rate { burst: FAILURES_A_MINUTE, per_s: FAILURES_A_MINUTE / 60.0 };
        let guests = Rate { burst: HISTORY_BURST, per_s: HISTORY_PER_S };
        let elektron = Arc::new(Self {
            hub: Hub::start(config.limits, registry.clone(), config.ears.clone()),
            founders,
            failures: Budgets::new(failures, MAX_FAILING_ADDRESSES),
            guests: Budgets::new(guests, MAX_FAILING_ADDRESSES),
            readers: Semaphore::new(MAX_READERS),
            names: RandomState::new(),
            config,
            registry,
            store,
            audience,
        });
        tokio::spawn(stats::run(Arc::clone(&elektron)));
        elektron
    }

    /// Tells all sockets that the server goes down.
    pub(crate) async fn go_away(&self) {
        self.hub.go_away().await;
    }

    /// E-02: CHAT_SYNC and LIKE_SYNC.
    async fn syncs(&self, room: &str) -> Result<Vec<Bytes>, StoreError> {
        let history = self.registry.chat_history(room, MAX_SYNC).await?;
        let chat: Vec<_> = history.iter().map(|said| frames::chat_json(room, said)).collect();
        let likes = log::likes(self, room).await?;
        let sync = |kind, messages: &[Bytes]| {
            frames::text(&message::sync(&frames::stamp(), kind, room, log::newest(messages)))
        };
        Ok(vec![sync("CHAT_SYNC", &chat), sync("LIKE_SYNC", &likes)])
    }

    /// A camera of the live audience is on; false if it is not shown anywhere else.
    fn camera(&self, room: &Arc<str>, user: &Arc<str>, message: &Frame<'_>) -> bool {
        let image = match message.kind {
            Kind::Image => message.value_text(),
            _ => Default::default(),
        };
        let is_image = image.is_empty() || image.starts_with("data:image/");
        let taken = is_image && self.audience.show(room, user, Bytes::copy_from_slice(image.as_bytes()));
        if taken && let Ok(picture) = data_url(&image) {
            self.audience.look_at(room, user, picture);
        }
        taken
    }
}
