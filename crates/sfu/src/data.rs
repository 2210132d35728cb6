//! Data packets: checked and stamped on the sender's shard, relayed from shard to shard like media.
//!
//! Order is kept for each sender. Lossy packets are the first to go when a receiver is behind; a reliable receiver that
//! falls too far behind is cut and may resume, and nobody else notices.

use crate::outbox::Outbox;
use crate::peer::PeerKey;
use crate::relay::{RelayMessage, RoomKey};
use crate::shard::Shard;
use room::media::{DataSender, MediaEnd, Target};
use rtc::ChannelId;
use std::collections::VecDeque;
use std::sync::Arc;

/// A lossy channel with so much unsent drops what comes: 0.2 s at 2.5 Mbit/s.
const LOSSY_BUFFERED_BYTES: usize = 64 * 1024;
/// What a reliable receiver may be behind before it is cut: 60 full messages.
const RELIABLE_BACKLOG_BYTES: usize = 4 * 1024 * 1024;
/// Channels that one connection may open: three are used, some clients open one for each topic.
const MAX_CHANNELS: usize = 64;

/// What a client's data packet becomes: decided by the sender's dialect, on the sender's shard.
#[derive(Debug)]
pub struct StampedPacket {
    /// The packet as receivers get it.
    pub bytes: Arc<[u8]>,
    /// Who gets it, by identity as the dialect writes it or by sid ([`DataSender::is_called`]); empty: everybody else.
    pub destinations: Vec<String>,
}

/// Reads and stamps data packets of one dialect. Implemented by gateways; called on shard threads, so it must not
/// block, lock or await.
pub trait DataDialect: Send + Sync + std::fmt::Debug {
    /// `None`: the packet is not to be forwarded (malformed, not permitted, consumed); it is counted and dropped.
    fn stamp(&self, sender: &DataSender, reliable: bool, packet: &[u8]) -> Option<StampedPacket>;
}

/// What a channel's label says it is for (livekit.md 2.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    Reliable,
    Lossy,
}

impl Purpose {
    fn of(label: &str) -> Option<Self> {
        match label {
            "_reliable" => Some(Purpose::Reliable),
            "_lossy" => Some(Purpose::Lossy),
            _ => None,
        }
    }
}

/// A peer's data channels.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    open: Vec<(Target, ChannelId, Option<Purpose>)>,
    /// Reliable packets that wait for room in the channel, or for the channel.
    backlog: VecDeque<Arc<[u8]>>,
    backlog_bytes: usize,
}

impl Channels {
    /// Sequence of the last reliable packet taken from the client; 0: none, or none known.
    pub(crate) fn last_taken(&self) -> u32 {
        0
    }

    fn purpose(&self, target: Target, id: ChannelId) -> Option<Purpose> {
        self.open.iter().find(|channel| channel.0 == target && channel.1 == id).and_then(|channel| channel.2)
    }

    fn find(&self, target: Target, purpose: Purpose) -> Option<ChannelId> {
        self.open.iter().find(|channel| channel.0 == target && channel.2 == Some(purpose)).map(|channel| channel.1)
    }

    fn push(&mut self, bytes: Arc<[u8]>) {
        self.backlog_bytes += bytes.len();
        self.backlog.push_back(bytes);
    }
}

impl Shard {
    pub(crate) fn channel_opened(&mut self, key: PeerKey, target: Target, id: ChannelId, label: &str) {
        if let Some(peer) = self.peers.get_mut(key)
            && peer.channels.open.len() < MAX_CHANNELS
        {
            peer.channels.open.push((target, id, Purpose::of(label)));
            self.drain_backlog(key);
        }
    }

    pub(crate) fn channel_closed(&mut self, key: PeerKey, target: Target, id: ChannelId) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.channels.open.retain(|channel| (channel.0, channel.1) != (target, id));
        }
    }

    /// A client's message.
    pub(crate) fn message(
        &mut self,
        key: PeerKey,
        target: Target,
        id: ChannelId,
        bytes: &[u8],
        outbox: &mut dyn Outbox,
    ) {
        let Some(peer) = self.peers.get(key) else { return };
        let Some(purpose) = peer.channels.purpose(target, id) else { return };
        let reliable = purpose == Purpose::Reliable;
        let stamped =
            if peer.sender.can_publish_data { self.config.dialect.stamp(&peer.sender, reliable, bytes) } else { None };
        let Some(packet) = stamped else {
            self.stats.data_refused += 1;
            return;
        };
        let room = Arc::clone(&peer.room);
        let destinations: Arc<[String]> = packet.destinations.into();
        for shard in room.others(self.config.index) {
            let (bytes, destinations) = (Arc::clone(&packet.bytes), Arc::clone(&destinations));
            outbox.relay(shard, RelayMessage::Data { room: room.key, reliable, bytes, destinations });
        }
        self.deliver(room.key, Some(key), reliable, &packet.bytes, &destinations, outbox);
    }

    /// To the room's peers on this shard, but for the sender.
    pub(crate) fn deliver(
        &mut self,
        room: RoomKey,
        sender: Option<PeerKey>,
        reliable: bool,
        bytes: &Arc<[u8]>,
        destinations: &[String],
        outbox: &mut dyn Outbox,
    ) {
        let Some(peers) = self.rooms.get(&room) else { return };
        let meant = |key: &PeerKey| {
            let Some(peer) = self.peers.get(*key) else { return false };
            let named = destinations.is_empty() || destinations.iter().any(|name| peer.sender.is_called(name));
            Some(*key) != sender && named && peer.sender.can_subscribe
        };
        let receivers = peers.iter().copied().filter(meant).collect::<Vec<_>>();
        for key in receivers {
            self.guarded(key, outbox, |shard, outbox| shard.send_data(key, reliable, bytes, outbox));
        }
    }

    /// To one peer.
    pub(crate) fn send_data(&mut self, key: PeerKey, reliable: bool, bytes: &Arc<[u8]>, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        self.stats.data_out += 1;
        if reliable {
            peer.channels.push(Arc::clone(bytes));
            if peer.channels.backlog_bytes > RELIABLE_BACKLOG_BYTES {
                self.end_peer(key, MediaEnd::SlowReader, outbox);
                return;
            }
            self.drain_backlog(key);
        } else {
            self.send_lossy(key, bytes);
        }
        self.mark_dirty(key);
    }

    fn send_lossy(&mut self, key: PeerKey, bytes: &[u8]) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let target = peer.sending_target();
        let sent = peer.channels.find(target, Purpose::Lossy).is_some_and(|channel| {
            let connection = &mut peer.link(target).connection;
            connection.buffered(channel) < LOSSY_BUFFERED_BYTES && connection.write(channel, bytes)
        });
        self.stats.data_dropped += u64::from(!sent);
    }

    /// Writes what fits of a peer's reliable backlog.
    pub(crate) fn drain_backlog(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let target = peer.sending_target();
        let Some(channel) = peer.channels.find(target, Purpose::Reliable) else { return };
        while let Some(next) = peer.channels.backlog.front().map(Arc::clone) {
            if !peer.link(target).connection.write(channel, &next) {
                break;
            }
            peer.channels.backlog.pop_front();
            peer.channels.backlog_bytes -= next.len();
        }
        self.mark_dirty(key);
    }
}
