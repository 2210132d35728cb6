//! Where a shard's output goes.

use crate::relay::{RelayMessage, RoomKey};
use crate::way::{TunnelId, Way};
use room::media::MediaEvent;
use rtc::Datagram;

/// Implemented by the thread around a shard, and by the simulator.
pub trait Outbox {
    /// Send this. Datagrams to one peer come one after the other, so that runs of them can share a send call.
    fn datagram(&mut self, way: Way, datagram: Datagram);
    /// Whoever came by this tunnel is gone: so may it.
    fn close_tunnel(&mut self, tunnel: TunnelId);
    /// Tell the room.
    fn event(&mut self, room: RoomKey, event: MediaEvent);
    /// Tell another shard. Order is kept for each pair of shards.
    fn relay(&mut self, shard: u8, message: RelayMessage);
}
