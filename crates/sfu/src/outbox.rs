//! Where a shard's output goes.

use crate::relay::{RelayMessage, RoomKey};
use room::media::MediaEvent;
use rtc::Datagram;
use std::net::IpAddr;

/// Implemented by the thread around a shard, and by the simulator.
pub trait Outbox {
    /// Send this. Datagrams to one peer come one after the other, so that runs of them can share a send call. `local` is
    /// the address that the peer's packets came to, when known: the reply must leave from there.
    fn datagram(&mut self, local: Option<IpAddr>, datagram: Datagram);
    /// Tell the room.
    fn event(&mut self, room: RoomKey, event: MediaEvent);
    /// Tell another shard. Order is kept for each pair of shards.
    fn relay(&mut self, shard: u8, message: RelayMessage);
}
