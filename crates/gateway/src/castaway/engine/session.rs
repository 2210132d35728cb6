//! A client's one task: hears what it says, in order, and whether it is still there.

use super::super::Castaway;
use super::super::limits::{CONNECT_TIMEOUT, MAX_UNHEARD, PING_INTERVAL, PING_TIMEOUT};
use super::super::speaker::Speaker;
use super::outbox::{Outbox, Outgoing};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, interval_at, sleep_until};
use wire::castaway::engine::Packet;

/// What comes from a client.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// This.
    Packet(Packet),
    /// An attachment by WebSocket.
    Binary(Bytes),
    /// Its connection was lost, or it breaks the rules.
    Lost,
}

/// A client, for as long as its session lives.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) sid: Arc<str>,
    pub(crate) outbox: Arc<Outbox>,
    /// Ends the session.
    pub(super) shut: Notify,
    inbound: mpsc::Sender<Inbound>,
    polls: AtomicU64,
}

impl Session {
    pub(super) fn new(sid: Arc<str>, outbox: Arc<Outbox>) -> (Self, mpsc::Receiver<Inbound>) {
        let (inbound, heard) = mpsc::channel(MAX_UNHEARD);
        (Self { sid, outbox, shut: Notify::new(), inbound, polls: AtomicU64::new(0) }, heard)
    }

    /// Hands it over; waits while the session has enough to do. False: the session has ended.
    pub(super) async fn tell(&self, inbound: Inbound) -> bool {
        self.inbound.send(inbound).await.is_ok()
    }

    /// The number of a new poll.
    pub(super) fn next_poll(&self) -> u64 {
        self.polls.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Runs until the client is gone.
pub(super) async fn run(
    castaway: Arc<Castaway>,
    session: Arc<Session>,
    mut heard: mpsc::Receiver<Inbound>,
    mut speaker: Speaker,
) {
    let mut ping = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    let mut pong_due: Option<Instant> = None;
    let mut idle_since = Instant::now();
    loop {
        if speaker.is_anywhere() {
            idle_since = Instant::now();
        }
        let late = pong_due.unwrap_or_else(|| idle_since + CONNECT_TIMEOUT);
        let idle = idle_since + CONNECT_TIMEOUT;
        tokio::select! {
            inbound = heard.recv() => match inbound {
                Some(Inbound::Packet(Packet::Pong)) => pong_due = None,
                Some(inbound) => if !speaker.hear(inbound).await { break },
                None => break,
            },
            _ = ping.tick() => {
                session.outbox.push(&[Outgoing::Text("2".into())]);
                pong_due.get_or_insert(Instant::now() + PING_TIMEOUT);
            }
            () = sleep_until(late), if pong_due.is_some() => break,
            () = sleep_until(idle), if !speaker.is_anywhere() => break,
            () = session.outbox.was_cut() => break,
            () = session.shut.notified() => break,
        }
    }
    castaway.sessions.end(&session.sid);
    session.outbox.close();
    // With the speaker goes its place in the livestream.
}
