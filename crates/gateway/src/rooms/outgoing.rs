//! An event on its way to many sessions: encoded once for each dialect, the same bytes to every socket.

use bytes::Bytes;
use room::RoomEvent;
use std::sync::{Arc, OnceLock};

/// A way to write events on a socket. Receivers of one dialect get the same bytes, so whatever depends on the receiver
/// (another JSON flavour, another origin's view of identities) is a dialect of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// LiveKit's `SignalResponse` in protobuf.
    LiveKitBinary,
    /// The same in JSON.
    LiveKitJson,
}

impl Dialect {
    const COUNT: usize = 2;
}

/// An event and its encodings so far.
#[derive(Debug)]
pub struct Outgoing {
    event: Arc<RoomEvent>,
    encoded: [OnceLock<Vec<Bytes>>; Dialect::COUNT],
}

impl Outgoing {
    /// Not encoded yet.
    pub fn new(event: Arc<RoomEvent>) -> Self {
        Self { event, encoded: Default::default() }
    }

    /// What is told. For what depends on the receiver after all.
    pub fn event(&self) -> &RoomEvent {
        &self.event
    }

    /// Its frames in `dialect`: none if the dialect has no word for it, several if it takes several. Whoever comes first
    /// encodes, the others share.
    pub fn frames(&self, dialect: Dialect, encode: impl FnOnce(&RoomEvent) -> Vec<Bytes>) -> &[Bytes] {
        self.encoded[dialect as usize].get_or_init(|| encode(&self.event))
    }
}
