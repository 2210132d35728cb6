//! The shards as one thing: where room tasks send their media commands.

use room::SessionId;
use room::media::{DataSender, MediaCommand, MediaEvent};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A room's number in this process, for its life: shards group peers by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RoomKey(pub u64);

/// Index of a shard in the pool.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ShardIndex(pub u16);

/// What a client's data packet becomes: decided by the sender's dialect, on the sender's shard.
#[derive(Debug)]
pub struct StampedPacket {
    /// The packet as receivers get it.
    pub bytes: Arc<[u8]>,
    /// Bare identities that get it; empty: everybody else in the room.
    pub destinations: Vec<String>,
}

/// Reads and stamps data packets of one dialect. Implemented by gateways; called on shard threads, so it must not
/// block, lock or await.
pub trait DataDialect: Send + Sync + std::fmt::Debug {
    /// `None`: the packet is not to be forwarded (malformed, not permitted, consumed); it is counted and dropped.
    fn stamp(&self, sender: &DataSender, reliable: bool, packet: &[u8]) -> Option<StampedPacket>;
}

/// Settings of the media plane.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Threads, and UDP ports unless `single_port`.
    pub shards: u16,
    /// Addresses to listen on (wildcards allowed).
    pub bind: Vec<IpAddr>,
    /// Shard i listens on `udp_port + i`; 0 draws free ports.
    pub udp_port: u16,
    /// One port for all shards by SO_REUSEPORT.
    pub single_port: bool,
    /// Addresses offered to clients instead of the local ones (`node_ip`).
    pub advertise: Vec<IpAddr>,
    /// Offer loopback addresses too.
    pub loopback: bool,
    /// Which shard a new peer goes to.
    pub placement: Placement,
}

/// Which shard a new peer goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Placement {
    /// The one with the fewest peers.
    #[default]
    LeastLoaded,
    /// Each in turn, starting at 0.
    RoundRobin,
}

/// The running media plane: cheap to clone, shared by all room tasks.
#[derive(Clone, Debug)]
pub struct MediaPool {}

impl MediaPool {
    /// Binds the sockets and starts one thread for each shard.
    pub fn start(_config: PoolConfig, _dialect: Arc<dyn DataDialect>) -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// A room's way into the media plane. Events of its peers come out of `events`; the pool drops none of them
    /// but levels and quality (newest wins).
    pub fn open_room(&self, _events: tokio::sync::mpsc::Sender<MediaEvent>) -> RoomMedia {
        RoomMedia {}
    }

    /// Where the shards listen, for the start-up banner and the tests.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        Vec::new()
    }

    /// Peers on each shard, for metrics and tests.
    pub fn peers_per_shard(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Ends the threads: peers say goodbye (DTLS close_notify) and the sockets close.
    pub fn stop(&self) {}
}

/// One room's handle: it remembers which shard each of its sessions lives on.
#[derive(Debug)]
pub struct RoomMedia {}

impl RoomMedia {
    /// Hands a command to the shard of its session; waits while that shard's inbox is full. A command for a session
    /// that no `AddPeer` introduced (or that is gone) is ignored.
    pub async fn command(&mut self, _command: MediaCommand) {}
}
