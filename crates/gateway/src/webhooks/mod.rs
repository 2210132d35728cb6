//! Backends are told what happens in rooms (L-57 to L-59).
//!
//! A room's task hands an event over and goes on: [`Webhooks`] encodes it once and puts it into a queue of each URL. A
//! URL has some lanes, a room always takes the same one: so a room's events arrive in their order, and a receiver that
//! is slow with one event holds up a part of its own rooms, and nobody else's.
//!
//! | file | what |
//! |---|---|
//! | `queue` | what waits, and how much of it |
//! | `lane` | one event after the other: signed, sent, tried again |

mod lane;
mod queue;

use crate::outbound::{Outbound, Target};
use crate::rooms::Watcher;
use crate::{clock, draw};
use auth::KeyStore;
use lane::Lane;
use queue::{Queue, Sender};
use room::Notice;
use room::effect::RoomInfo;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::livekit::webhook;

/// Lanes of one URL: this many rooms' events may be on their way at a time.
const LANES: usize = 8;

/// URLs at most: each event is sent to all of them.
pub const MAX_WEBHOOK_URLS: usize = 16;

/// Where to, and signed by whom.
#[derive(Clone, Debug, Default)]
pub struct WebhookConfig {
    /// `webhook.urls`; the first [`MAX_WEBHOOK_URLS`] of them.
    pub urls: Vec<Target>,
    /// `webhook.api_key`, one of the keys.
    pub api_key: String,
}

/// All webhooks. Without URLs it does nothing.
#[derive(Debug)]
pub struct Webhooks {
    urls: Vec<Vec<Sender>>,
    /// Chooses the lane by the room.
    hash: RandomState,
    closing: watch::Sender<bool>,
    /// Locked when it closes only.
    lanes: Mutex<JoinSet<()>>,
}

impl Webhooks {
    /// Starts the lanes, on the runtime that it is called in.
    pub fn start(config: WebhookConfig, outbound: &Outbound, keys: &Arc<KeyStore>) -> Self {
        let closing = watch::Sender::new(false);
        let mut lanes = JoinSet::new();
        let mut urls = Vec::new();
        for (number, target) in config.urls.iter().take(MAX_WEBHOOK_URLS).enumerate() {
            let queue = Queue::new(closing.subscribe());
            let senders = (0..LANES).map(|_| {
                let (sender, receiver) = queue.lane();
                let (target, outbound) = (target.clone(), outbound.clone());
                let signer = lane::Signer { keys: Arc::clone(keys), key: config.api_key.clone() };
                lanes.spawn(Lane::new(number + 1, target, outbound, signer).run(receiver));
                sender
            });
            urls.push(senders.collect());
        }
        Self { urls, hash: RandomState::new(), closing, lanes: Mutex::new(lanes) }
    }

    /// Sends what waits, for as long as `grace`, and ends. What comes later is dropped.
    pub async fn close(&self, grace: Duration) {
        self.closing.send_replace(true);
        let mut lanes = std::mem::take(&mut *self.lanes.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("some webhooks could not be delivered before the end");
        }
    }
}

impl Watcher for Webhooks {
    fn on_notice(&self, room: &RoomInfo, notice: &Notice) {
        if self.urls.is_empty() || !notice.is_of_life() {
            return;
        }
        let created_at = clock::unix_ms() / 1000;
        let Some(event) = webhook::event(room, notice, draw::name("EV_"), created_at) else { return };
        let Ok(body) = webhook::body(&event) else {
            metrics::counter!("odeon_webhooks_dropped_total").increment(1);
            return;
        };
        let body = bytes::Bytes::from(body);
        let lane = self.hash.hash_one(&room.name) as usize % LANES;
        for senders in &self.urls {
            senders[lane].put(body.clone());
        }
    }
}
