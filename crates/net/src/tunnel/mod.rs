//! Tunnels: TCP connections and relay allocations, which carry datagrams to shards beside the shards' own sockets.
//!
//! A connection is a task of its own ([`stream`]), so that a slow or silent one costs nobody else anything. What comes
//! out of it goes through the [`Door`] of the shard that its first check names.

pub(crate) mod backlog;
pub(crate) mod frame;
pub(crate) mod listener;
pub(crate) mod stream;

use crate::mesh::Wake;
use sfu::{Arrival, Origin, TunnelId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Datagrams that may wait for a shard before connections wait for it (their clients then feel it as TCP does).
const INBOX_CAPACITY: usize = 1024;
/// Datagrams that a shard may hand to a connection before its task runs again: 100 ms of four cameras. More are dropped.
const OUTBOX_CAPACITY: usize = 256;

/// From a connection to the shard that owns its peer.
#[derive(Debug)]
pub(crate) enum TunnelInput {
    /// Answers to this origin go here from now on.
    Opened { tunnel: TunnelId, outbox: mpsc::Sender<Vec<u8>> },
    /// Something came.
    Datagram { arrival: Arrival, datagram: Vec<u8> },
    /// No more will come.
    Closed { origin: Origin },
}

/// The way into one shard for what runs outside of its thread.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    inbox: mpsc::Sender<TunnelInput>,
    wake: Wake,
}

impl Door {
    /// A door, and what the shard reads from.
    pub(crate) fn new(wake: Wake) -> (Self, mpsc::Receiver<TunnelInput>) {
        let (inbox, inputs) = mpsc::channel(INBOX_CAPACITY);
        (Self { inbox, wake }, inputs)
    }

    /// Waits while the shard is busy. False: it has ended.
    pub(crate) async fn send(&self, input: TunnelInput) -> bool {
        let sent = self.inbox.send(input).await.is_ok();
        self.wake.wake();
        sent
    }
}

/// A queue from a shard to a connection.
pub(crate) fn outbox() -> (mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>) {
    mpsc::channel(OUTBOX_CAPACITY)
}

/// Numbers for connections.
pub(crate) fn next_stream() -> TunnelId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    TunnelId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The connections that a shard may answer by.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    outboxes: HashMap<TunnelId, mpsc::Sender<Vec<u8>>>,
    /// Datagrams that a connection's task was too slow for.
    pub(crate) dropped: u64,
}

impl Streams {
    pub(crate) fn open(&mut self, tunnel: TunnelId, outbox: mpsc::Sender<Vec<u8>>) {
        self.outboxes.insert(tunnel, outbox);
    }

    /// Its task ends once it has sent what it holds.
    pub(crate) fn close(&mut self, tunnel: TunnelId) {
        self.outboxes.remove(&tunnel);
    }

    /// What a full connection does not take is lost, as it would be on a full link.
    pub(crate) fn send(&mut self, tunnel: TunnelId, datagram: &[u8]) {
        let sent = self.outboxes.get(&tunnel).is_some_and(|outbox| outbox.try_send(datagram.to_vec()).is_ok());
        self.dropped += u64::from(!sent);
    }
}
