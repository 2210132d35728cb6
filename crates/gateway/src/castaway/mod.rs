//! Castaway (castaway.md): live audio from one streamer to many listeners over Socket.IO, and the REST of its phone app. A
//! livestream is a room.
//!
//! | file | what |
//! |---|---|
//! | `engine` | Engine.IO: sessions, polls, WebSockets |
//! | `speaker` | what a client says in Socket.IO |
//! | `admission` | who may stream and listen, and the words for it |
//! | `ear` | a socket in a namespace |
//! | `live` | a livestream that is on |
//! | `seats` | its people in the room |
//! | `who` | tokens |
//! | `outside` | an outside issuer's keys |
//! | `accounts` | signup, login |
//! | `records` | what the store keeps |
//! | `vault` | the folder of sound and pictures |
//! | `unclaimed` | a file that no record names yet |
//! | `strangers` | uploads of nobody yet |
//! | `making` | what is written for each account |
//! | `kept` | livestreams become podcasts |
//! | `rest` | `/api`, `/app/api` |

mod accounts;
mod admission;
mod config;
mod ear;
mod engine;
mod kept;
pub mod limits;
mod live;
mod making;
mod outside;
mod records;
mod rest;
mod seats;
mod speaker;
mod strangers;
mod unclaimed;
mod vault;
mod who;

pub use config::{CastawayConfig, KeySource, OutsideIssuer};

use crate::Gateway;
use crate::rooms::Registry;
use accounts::Accounts;
use auth::KeyStore;
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use engine::Sessions;
use kept::Recordings;
use limits::{MAX_DOWNLOADS, MAX_POSTS, MAX_READERS, MAX_TRANSFERS};
use live::Stage;
use outside::Outside;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use strangers::Strangers;
use tokio::sync::Semaphore;
use vault::Vault;

pub(crate) fn routes() -> Router<Gateway> {
    let socket = get(engine::http::get).post(engine::http::post);
    let sockets = Router::new().route("/socket.io/", socket.clone()).route("/socket.io", socket);
    let health = Router::new().route("/healthcheck", get(|| async { "OK" }));
    sockets
        .merge(health)
        .nest("/api", rest::routes())
        .nest("/app/api", rest::routes())
        .layer(from_fn(engine::http::with_cors))
}

/// What `/` says on the port that is Castaway's own (C-23).
pub async fn front() -> &'static str {
    "Media server is up and running."
}

/// The gateway.
#[derive(Debug)]
pub(crate) struct Castaway {
    config: CastawayConfig,
    registry: Registry,
    store: Arc<dyn Store>,
    keys: Arc<KeyStore>,
    sessions: Sessions,
    accounts: Accounts,
    outside: Option<Arc<Outside>>,
    // Held for look-ups and single changes only.
    stages: Mutex<HashMap<Arc<str>, Arc<Stage>>>,
    vault: Option<Arc<Vault>>,
    recordings: Option<Arc<Recordings>>,
    /// POSTs of Engine.IO whose body is being read.
    posts: Semaphore,
    readers: Semaphore,
    uploads: Arc<Semaphore>,
    strangers: Arc<Strangers>,
    downloads: Arc<Semaphore>,
}

impl Castaway {
    pub(crate) fn start(
        config: CastawayConfig,
        registry: Registry,
        keys: Arc<KeyStore>,
        store: Arc<dyn Store>,
    ) -> Arc<Self> {
        let open = |dir| Vault::open(dir, config.kept_bytes, config.account_bytes);
        let vault = config.dir.clone().and_then(|dir| match open(dir) {
            Ok(vault) => Some(Arc::new(vault)),
            Err(error) => {
                tracing::error!(%error, "the folder of recordings can not be used: nothing is recorded or uploaded");
                None
            }
        });
        let recordings = vault.clone().map(|vault| Recordings::start(vault, Arc::clone(&store), config.ffmpeg.clone()));
        Arc::new(Self {
            sessions: Sessions::new(config.packet_bytes.min(limits::MAX_PACKET_BYTES)),
            accounts: Accounts::new(Arc::clone(&store), Arc::clone(&keys)),
            outside: config.outside.clone().map(Outside::start),
            stages: Mutex::default(),
            posts: Semaphore::new(MAX_POSTS),
            readers: Semaphore::new(MAX_READERS),
            uploads: Arc::new(Semaphore::new(MAX_TRANSFERS)),
            strangers: Arc::default(),
            downloads: Arc::new(Semaphore::new(MAX_DOWNLOADS)),
            config,
            registry,
            store,
            keys,
            vault,
            recordings,
        })
    }

    /// Tells all sockets that the server goes down.
    pub(crate) fn go_away(&self) {
        self.sessions.go_away();
    }

    /// The livestream, if it is on.
    fn stage(&self, livestream: &str) -> Option<Arc<Stage>> {
        self.stages().get(livestream).cloned()
    }

    /// It has ended.
    fn forget(&self, stage: &Stage) {
        let mut stages = self.stages();
        if stages.get(stage.livestream()).is_some_and(|now| std::ptr::eq(&**now, stage)) {
            stages.remove(stage.livestream());
        }
    }

    fn stages(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Stage>>> {
        // Inserts and removals are single steps.
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
