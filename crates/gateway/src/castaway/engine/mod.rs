//! Engine.IO 4: sessions that live on polls or on a WebSocket, and change from one to the other.
//!
//! By hand, on axum's WebSocket: the crate that was read first (engineioxide, under socketioxide) reads WebSocket messages
//! of 64 MiB whatever its limit says, drops what waits when it closes, and counts what waits by packets, not by bytes. And
//! its Socket.IO decodes payloads and encodes them again, where ours pass as they were written (C-10).
//!
//! | file | what |
//! |---|---|
//! | [`outbox`] | what waits for a client |
//! | [`session`] | a client's one task |
//! | [`http`] | polls, POSTs, CORS |
//! | [`socket`] | WebSockets |

pub(super) mod http;
pub(super) mod outbox;
pub(super) mod session;
pub(super) mod socket;

use super::limits::{
    FRAME_BYTES, MAX_ADDRESSES, MAX_SESSIONS, MAX_WAITING_PIECES, PING_INTERVAL, PING_TIMEOUT, SESSION_BURST,
    SESSIONS_PER_S,
};
use crate::budget::{Budgets, Rate};
use crate::client::household;
use crate::draw;
use outbox::{Outbox, Outgoing, Reader};
use session::{Inbound, Session};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;
use wire::castaway::engine;

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    // Touched once a request or a socket, never held across an await.
    all: Mutex<HashMap<Arc<str>, Arc<Session>>>,
    newcomers: Budgets<IpAddr>,
    packet_bytes: usize,
}

impl Sessions {
    pub(super) fn new(packet_bytes: usize) -> Self {
        let rate = Rate { burst: SESSION_BURST, per_s: SESSIONS_PER_S };
        Self { all: Mutex::default(), newcomers: Budgets::new(rate, MAX_ADDRESSES), packet_bytes }
    }

    /// Longest message of a WebSocket, in bytes.
    pub(super) fn message_bytes(&self) -> usize {
        self.packet_bytes + FRAME_BYTES
    }

    /// Longest body of a POST, in bytes: attachments are base64 there.
    pub(super) fn body_bytes(&self) -> usize {
        self.message_bytes() / 3 * 4 + FRAME_BYTES
    }

    /// A new session, and what it will hear; `None`: there are too many, or too many from this address.
    fn begin(&self, address: IpAddr, reader: Reader) -> Option<(Arc<Session>, mpsc::Receiver<Inbound>)> {
        if !self.newcomers.spend(household(address), Instant::now()) {
            return None;
        }
        let outbox = Outbox::new(MAX_WAITING_PIECES * self.message_bytes(), reader);
        let (session, heard) = Session::new(draw::name("").into(), outbox);
        let session = Arc::new(session);
        let mut all = self.all();
        if all.len() >= MAX_SESSIONS {
            return None;
        }
        all.insert(Arc::clone(&session.sid), Arc::clone(&session));
        metrics::gauge!("odeon_castaway_sessions").increment(1.0);
        Some((session, heard))
    }

    fn find(&self, sid: &str) -> Option<Arc<Session>> {
        self.all().get(sid).cloned()
    }

    fn end(&self, sid: &str) {
        if self.all().remove(sid).is_some() {
            metrics::gauge!("odeon_castaway_sessions").decrement(1.0);
        }
    }

    /// Ends all of them.
    pub(super) fn go_away(&self) {
        let all: Vec<_> = self.all().values().cloned().collect();
        for session in all {
            session.outbox.push(&[Outgoing::Text("1".into())]);
            session.outbox.close();
            session.shut.notify_one();
        }
    }

    /// What a client is told first.
    fn open_packet(&self, session: &Session, upgrades: bool) -> String {
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        engine::open(&session.sid, upgrades, millis(PING_INTERVAL), millis(PING_TIMEOUT), self.packet_bytes)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Session>>> {
        // Inserts and removals are single steps.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
