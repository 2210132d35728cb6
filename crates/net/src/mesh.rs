//! The ways between shards: a bounded ring for each pair, and one wake for each batch.

use rtrb::{Consumer, Producer, PushError, RingBuffer};
use sfu::{Arrival, Origin, RelayMessage, TunnelId};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Messages in a ring: 80 ms of 50,000 packets a second.
const RING: usize = 4096;

/// From one shard's thread to another's.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// For the media graph.
    Relay(RelayMessage),
    /// The kernel gave us a datagram that is yours (one port for all shards).
    Stray { local: SocketAddr, source: SocketAddr, datagram: Vec<u8> },
    /// A client came by a relay of mine, and its peer is yours.
    Relayed { arrival: Arrival, datagram: Vec<u8> },
    /// For the client of a relay of yours: from the candidate `local`.
    ToRelay { tunnel: TunnelId, local: SocketAddr, datagram: Vec<u8> },
    /// A relay of mine has ended.
    RelayEnded { origin: Origin },
    /// Whoever came by a relay of yours has gone.
    CloseRelay { tunnel: TunnelId },
    /// This source has proved to be mine: give me its datagrams.
    Mine { source: SocketAddr },
}

/// Wakes a shard's thread out of its sleep; further wakes cost nothing until it has seen the first.
#[derive(Clone, Debug)]
pub(crate) struct Wake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    waker: mio::Waker,
    pending: AtomicBool,
}

impl Wake {
    pub(crate) fn new(waker: mio::Waker) -> Self {
        Self(Arc::new(Inner { waker, pending: AtomicBool::new(false) }))
    }

    pub(crate) fn wake(&self) {
        if !self.0.pending.swap(true, Ordering::AcqRel)
            && let Err(error) = self.0.waker.wake()
        {
            tracing::error!(%error, "a shard could not be woken");
        }
    }

    /// The shard is awake: from now on a wake is needed again. Before it looks at its inboxes.
    pub(crate) fn seen(&self) {
        self.0.pending.store(false, Ordering::Release);
    }
}

/// The way to one other shard.
#[derive(Debug)]
struct Out {
    ring: Producer<Parcel>,
    wake: Wake,
    used: bool,
    /// What must not be lost and found no place: goes first in the next turn.
    overflow: VecDeque<Parcel>,
}

/// A shard's ways to and from all others; its own place is empty.
#[derive(Debug, Default)]
pub(crate) struct Mesh {
    out: Vec<Option<Out>>,
    inn: Vec<(u8, Consumer<Parcel>)>,
    pub(crate) dropped: u64,
}

impl Mesh {
    /// A mesh between threads that are woken by `wakes`.
    pub(crate) fn between(wakes: &[Wake]) -> Vec<Mesh> {
        let mut meshes: Vec<Mesh> = wakes.iter().map(|_| Mesh::default()).collect();
        for from in 0..wakes.len() {
            for (to, wake) in wakes.iter().enumerate() {
                if from == to {
                    meshes[from].out.push(None);
                    continue;
                }
                let (ring, consumer) = RingBuffer::new(RING);
                meshes[from].out.push(Some(Out { ring, wake: wake.clone(), used: false, overflow: VecDeque::new() }));
                meshes[to].inn.push((from as u8, consumer));
            }
        }
        meshes
    }

    /// Sends to a shard. What may be lost is, when its ring is full.
    pub(crate) fn send(&mut self, shard: u8, parcel: Parcel) {
        let Some(Some(out)) = self.out.get_mut(usize::from(shard)) else { return };
        out.used = true;
        if !out.overflow.is_empty() && !droppable(&parcel) {
            out.overflow.push_back(parcel);
            return;
        }
        if let Err(PushError::Full(parcel)) = out.ring.push(parcel) {
            if droppable(&parcel) {
                self.dropped += 1;
            } else {
                out.overflow.push_back(parcel);
            }
        }
    }

    /// Wakes everybody who was sent something. True: something still waits for room.
    pub(crate) fn finish_turn(&mut self) -> bool {
        let mut waiting = false;
        for out in self.out.iter_mut().flatten() {
            while let Some(parcel) = out.overflow.pop_front() {
                if let Err(PushError::Full(parcel)) = out.ring.push(parcel) {
                    out.overflow.push_front(parcel);
                    break;
                }
                out.used = true;
            }
            waiting |= !out.overflow.is_empty();
            if std::mem::take(&mut out.used) {
                out.wake.wake();
            }
        }
        waiting
    }

    /// The next parcel from anybody, with the shard that sent it.
    pub(crate) fn receive(&mut self) -> Option<(u8, Parcel)> {
        self.inn.iter_mut().find_map(|(from, ring)| ring.pop().ok().map(|parcel| (*from, parcel)))
    }
}

fn droppable(parcel: &Parcel) -> bool {
    match parcel {
        Parcel::Relay(message) => message.is_droppable(),
        Parcel::Stray { .. } | Parcel::Relayed { .. } | Parcel::ToRelay { .. } => true,
        Parcel::Mine { .. } | Parcel::RelayEnded { .. } | Parcel::CloseRelay { .. } => false,
    }
}
