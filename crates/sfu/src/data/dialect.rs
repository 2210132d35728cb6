//! What a gateway knows of data packets and the shards don't.

use room::media::{ChatPart, DataSender};
use std::ops::Range;
use std::sync::Arc;

/// What a client's data packet becomes: decided by the sender's dialect, on the sender's shard.
#[derive(Debug, Default)]
pub struct StampedPacket {
    /// The packet as receivers get it.
    pub bytes: Arc<[u8]>,
    /// Who gets it, by identity as the dialect writes it or by sid ([`DataSender::is_called`]); empty: everybody else.
    pub destinations: Vec<String>,
    /// Its number among the sender's reliable packets, from 1 on; 0: it has none.
    pub sequence: u32,
    /// It answers a call, maybe one of the server's own.
    pub answer: Option<CallAnswer>,
    /// It is part of the room's chat.
    pub chat: Option<ChatPart>,
}

/// Which call a packet answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallAnswer {
    /// The call's id.
    pub id: String,
    /// No other answer follows (an acknowledgement is followed by the response).
    pub last: bool,
}

/// A data track's packet, as far as forwarding needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataTrackPacket {
    /// The publisher's number of the track.
    pub handle: u16,
    /// The first packet of a frame.
    pub begins_frame: bool,
}

/// Reads and stamps data packets of one dialect. Implemented by gateways; called on shard threads, so it must not
/// block, lock or await.
pub trait DataDialect: Send + Sync + std::fmt::Debug {
    /// `None`: the packet is not to be forwarded (malformed, not permitted, consumed); it is counted and dropped.
    fn stamp(&self, sender: &DataSender, reliable: bool, packet: &[u8]) -> Option<StampedPacket>;

    /// A message of a channel that the dialect has no label for, as a packet. `None`: it is dropped.
    fn wrap(&self, sender: &DataSender, message: &[u8]) -> Option<StampedPacket>;

    /// Where in a packet the message is that somebody without labelled channels gets; `None`: nothing for them.
    fn payload(&self, packet: &[u8]) -> Option<Range<usize>>;

    /// Reads a data track's packet. `None`: it is none.
    fn data_track(&self, packet: &[u8]) -> Option<DataTrackPacket>;

    /// Writes a receiver's number of the track over the publisher's, in a packet that [`DataDialect::data_track`] took.
    fn set_handle(&self, packet: &mut [u8], handle: u16);
}
