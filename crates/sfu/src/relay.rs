//! What shards tell each other. A relay subscription makes another shard a subscriber of a track: packets go there
//! once, however many receive them there.

use crate::data::DataPacket;
use crate::meter::LayerRates;
use crate::track::{Encoding, RelayWants, TrackKey};
use room::TrackSid;
use rtc::IngressPacket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A room's number in this process, for its life: shards group peers by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RoomKey(pub u64);

/// A room as its shards know it: its number, and on which shards it has peers.
#[derive(Debug)]
pub struct RoomRef {
    /// Its number.
    pub key: RoomKey,
    shards: AtomicU64,
}

impl RoomRef {
    /// More shards than bits would lose data packets: the pool refuses to start with more.
    pub const MAX_SHARDS: u16 = 64;

    /// A room without peers.
    pub fn new(key: RoomKey) -> Self {
        Self { key, shards: AtomicU64::new(0) }
    }

    pub(crate) fn set_present(&self, shard: u8, present: bool) {
        let bit = 1 << shard;
        if present {
            self.shards.fetch_or(bit, Ordering::Relaxed);
        } else {
            self.shards.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// The shards where it has peers, but for `own`.
    pub(crate) fn others(&self, own: u8) -> impl Iterator<Item = u8> + use<> {
        let bits = self.shards.load(Ordering::Relaxed) & !(1 << own);
        (0..64).filter(move |shard| bits & (1 << shard) != 0)
    }
}

/// From one shard to another.
#[derive(Clone, Debug)]
pub enum RelayMessage {
    /// Send me this track's packets, addressed to my `key`.
    Subscribe {
        /// Yours.
        encoding: Encoding,
        /// The asking shard.
        from: u8,
        /// The asking shard's entry for it.
        key: TrackKey,
    },
    /// What my receivers need of it now: at first nothing.
    Wants {
        /// Yours.
        encoding: Encoding,
        /// The asking shard.
        from: u8,
        /// Which layers.
        wants: RelayWants,
    },
    /// No longer.
    Unsubscribe {
        /// Yours.
        encoding: Encoding,
        /// The asking shard.
        from: u8,
    },
    /// A packet of a track that you subscribed to.
    Packet {
        /// Your entry for it.
        key: TrackKey,
        /// 0 low … 2 high.
        layer: u8,
        /// A picture can be decoded from here on.
        keyframe: bool,
        /// Payload shared, not copied.
        packet: IngressPacket,
    },
    /// What the layers of a track that you subscribed to carry, whether you get them or not.
    Rates {
        /// Your entry for it.
        key: TrackKey,
        /// bit/s; 0: quiet.
        rates: LayerRates,
    },
    /// A receiver on my side needs a keyframe of your track.
    Keyframe {
        /// Yours.
        encoding: Encoding,
        /// Of this layer, or of the one that stands in for it while it is quiet.
        layer: u8,
    },
    /// The backup codec of this track flows, and is everybody's who takes it.
    Regressed {
        /// Your entry for its primary codec.
        key: TrackKey,
    },
    /// The track is over.
    Ended {
        /// Your entry for it.
        key: TrackKey,
    },
    /// A data packet, stamped, for the room's peers on your side.
    Data {
        /// Which room.
        room: RoomKey,
        /// Shared with the others who get it.
        packet: Arc<DataPacket>,
    },
    /// Send me this data track's packets. It may not be there yet.
    SubscribeDataTrack {
        /// Yours.
        track: TrackSid,
        /// The asking shard.
        from: u8,
    },
    /// No longer.
    UnsubscribeDataTrack {
        /// Yours.
        track: TrackSid,
        /// The asking shard.
        from: u8,
    },
    /// A packet of a data track that you subscribed to.
    DataTrackPacket {
        /// Which.
        track: TrackSid,
        /// As its publisher sent it.
        packet: Arc<[u8]>,
    },
}

impl RelayMessage {
    /// May be dropped when the way between two shards is full: what UDP would lose too, and what comes anew.
    pub fn is_droppable(&self) -> bool {
        match self {
            RelayMessage::Packet { .. } | RelayMessage::Rates { .. } | RelayMessage::DataTrackPacket { .. } => true,
            RelayMessage::Data { packet, .. } => !packet.reliable,
            _ => false,
        }
    }
}
