//! Data packets: checked and stamped on the sender's shard, relayed from shard to shard like media.
//!
//! Order is kept for each sender. Lossy packets are the first to go when a receiver is behind; a reliable receiver that
//! falls too far behind is cut and may resume, and nobody else notices.
//!
//! | file | what |
//! |---|---|
//! | `dialect` | what a gateway knows of packets |
//! | `channels` | a peer's channels, and what waits for them |
//! | `recent` | reliable packets for somebody who resumes |
//! | `tracks` | data tracks |
//! | `latency` | when a data track's packet is too late |
//! | `allowance` | how much one client may send |
//! | `chat` | what the room forbids, and what it overhears |

mod allowance;
mod channels;
mod chat;
mod dialect;
mod latency;
mod recent;
mod tracks;

pub(crate) use channels::Channels;
use chat::Verdict;
pub use dialect::{CallAnswer, DataDialect, DataTrackPacket, StampedPacket};
pub use recent::DataPacket;
pub(crate) use recent::RecentPackets;
pub(crate) use tracks::DataTracks;

use crate::outbox::Outbox;
use crate::peer::PeerKey;
use crate::relay::{RelayMessage, RoomKey};
use crate::shard::Shard;
use channels::{Backlog, Purpose, Queued};
use room::media::{ChatPart, DataSender, MediaEnd, MediaEvent, Target};
use room::{ParticipantSid, SessionId};
use rtc::ChannelId;
use std::sync::Arc;
use std::time::Instant;

/// A lossy channel with so much unsent drops what comes: 0.2 s at 2.5 Mbit/s.
const LOSSY_BUFFERED_BYTES: usize = 64 * 1024;

impl Shard {
    pub(crate) fn channel_opened(&mut self, key: PeerKey, target: Target, id: ChannelId, label: &str) {
        if self.peers.get_mut(key).is_some_and(|peer| peer.channels.opened(target, id, label)) {
            self.drain_backlog(key);
        }
    }

    pub(crate) fn channel_closed(&mut self, key: PeerKey, target: Target, id: ChannelId) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.channels.closed(target, id);
        }
    }

    /// A client's message.
    pub(crate) fn message(
        &mut self,
        now: Instant,
        key: PeerKey,
        (target, id): (Target, ChannelId),
        bytes: &[u8],
        outbox: &mut dyn Outbox,
    ) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(purpose) = peer.channels.purpose(target, id) else { return };
        if !peer.sender.can_publish_data || !peer.channels.allowance.admit(now, bytes.len()) {
            self.stats.data_refused += 1;
        } else if purpose == Purpose::DataTrack {
            self.data_track_message(now, key, bytes, outbox);
        } else {
            self.data_message(now, key, purpose, bytes, outbox);
        }
    }

    fn data_message(&mut self, now: Instant, key: PeerKey, purpose: Purpose, bytes: &[u8], outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let reliable = purpose != Purpose::Lossy;
        let stamped = match purpose {
            Purpose::Raw => self.config.dialect.wrap(&peer.sender, bytes),
            _ => self.config.dialect.stamp(&peer.sender, reliable, bytes),
        };
        let Some(stamped) = stamped else {
            self.stats.data_refused += 1;
            return;
        };
        if reliable && !peer.channels.take_sequence(stamped.sequence) {
            self.stats.data_repeated += 1;
            return;
        }
        if let Some(answer) = stamped.answer.as_ref().filter(|answer| peer.channels.is_called(answer)) {
            let (session, id) = (peer.session, answer.id.clone());
            return outbox.event(peer.room.key, MediaEvent::CallAnswered { session, id, packet: stamped.bytes });
        }
        match peer.channels.chat.judge(now, &peer.sender, stamped.chat.as_ref()) {
            Verdict::Other => {}
            Verdict::Passes => {
                let (session, packet) = (peer.session, Arc::clone(&stamped.bytes));
                outbox.event(peer.room.key, MediaEvent::Overheard { session, packet, passed: true });
            }
            Verdict::Refused => {
                self.stats.data_refused += 1;
                if !matches!(stamped.chat, Some(ChatPart::GoesOn { .. })) {
                    let (session, packet) = (peer.session, stamped.bytes);
                    outbox.event(peer.room.key, MediaEvent::Overheard { session, packet, passed: false });
                }
                return;
            }
        }
        let packet = Arc::new(packet(&peer.sender, reliable, stamped));
        let room = Arc::clone(&peer.room);
        for shard in room.others(self.config.index) {
            outbox.relay(shard, RelayMessage::Data { room: room.key, packet: Arc::clone(&packet) });
        }
        self.deliver(now, room.key, Some(key), &packet, outbox);
    }

    /// To the room's peers on this shard, but for the sender.
    pub(crate) fn deliver(
        &mut self,
        now: Instant,
        room: RoomKey,
        sender: Option<PeerKey>,
        packet: &Arc<DataPacket>,
        outbox: &mut dyn Outbox,
    ) {
        self.recent.keep(now, room, packet);
        let Some(peers) = self.rooms.get(&room) else { return };
        let meant = |key: &PeerKey| {
            Some(*key) != sender && self.peers.get(*key).is_some_and(|peer| is_for(packet, &peer.sender))
        };
        let receivers = peers.iter().copied().filter(meant).collect::<Vec<_>>();
        for key in receivers {
            self.guarded(key, outbox, |shard, outbox| shard.send_data(key, packet.reliable, &packet.bytes, outbox));
        }
    }

    /// To one peer.
    pub(crate) fn send_data(&mut self, key: PeerKey, reliable: bool, bytes: &Arc<[u8]>, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let target = peer.sending_target();
        let message = match peer.channels.only_raw(target) {
            true => self.config.dialect.payload(bytes).map(|payload| Queued::part(bytes, payload)),
            false => Some(Queued::whole(bytes)),
        };
        let Some(message) = message else { return };
        self.stats.data_out += 1;
        if reliable {
            self.send_reliable(key, message, outbox);
        } else {
            self.send_lossy(key, message.message());
        }
        self.mark_dirty(key);
    }

    fn send_reliable(&mut self, key: PeerKey, message: Queued, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        match peer.channels.push(message, peer.sending_target()) {
            Backlog::Full => {
                self.stats.readers_cut += 1;
                return self.end_peer(key, MediaEnd::SlowReader, outbox);
            }
            Backlog::Dropped(count) => self.stats.data_dropped += count,
            Backlog::Fits => {}
        }
        self.drain_backlog(key);
    }

    fn send_lossy(&mut self, key: PeerKey, bytes: &[u8]) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let target = peer.sending_target();
        let raw = || if peer.channels.only_raw(target) { peer.channels.find(target, Purpose::Raw) } else { None };
        let sent = peer.channels.find(target, Purpose::Lossy).or_else(raw).is_some_and(|channel| {
            let connection = &mut peer.link(target).connection;
            connection.buffered(channel) < LOSSY_BUFFERED_BYTES && connection.write(channel, bytes)
        });
        self.stats.data_dropped += u64::from(!sent);
    }

    /// Writes what fits of a peer's reliable backlog.
    pub(crate) fn drain_backlog(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let target = peer.sending_target();
        let Some(channel) = peer.channels.reliable(target) else { return };
        while let Some(next) = peer.channels.front().cloned() {
            if !peer.link(target).connection.write(channel, next.message()) {
                break;
            }
            peer.channels.pop();
        }
        self.mark_dirty(key);
    }

    /// A call of the server's own to a client: its answers come as [`MediaEvent::CallAnswered`].
    pub(crate) fn call(&mut self, key: PeerKey, id: String, packet: &Arc<[u8]>, outbox: &mut dyn Outbox) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.channels.call(id);
            self.send_data(key, true, packet, outbox);
        }
    }

    /// Gives a peer that resumed what it missed. Only once: from then on it has everything.
    pub(crate) fn replay(
        &mut self,
        now: Instant,
        key: PeerKey,
        known: &[(ParticipantSid, u32)],
        outbox: &mut dyn Outbox,
    ) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let since = std::mem::take(&mut peer.channels.since);
        let sender = Arc::clone(&peer.sender);
        for packet in self.recent.missed(now, peer.room.key, since, known) {
            if packet.sender.as_ref() != Some(&sender.sid) && is_for(&packet, &sender) {
                self.send_data(key, true, &packet.bytes, outbox);
            }
        }
    }

    /// The sequence of the last reliable packet that was taken from a client: what it repeats up to here is dropped. 0:
    /// none yet (livekit.md 2.6, `ReconnectResponse.last_message_seq`).
    pub fn last_sequence(&self, session: SessionId) -> u32 {
        let peer = self.sessions.get(&session).and_then(|key| self.peers.get(*key));
        peer.map_or(0, |peer| peer.channels.last_taken())
    }
}

fn packet(sender: &DataSender, reliable: bool, stamped: StampedPacket) -> DataPacket {
    DataPacket {
        reliable,
        bytes: stamped.bytes,
        destinations: stamped.destinations,
        sender: (!sender.hidden).then(|| sender.sid.clone()),
        sequence: if reliable { stamped.sequence } else { 0 },
    }
}

fn is_for(packet: &DataPacket, receiver: &DataSender) -> bool {
    let named = packet.destinations.is_empty() || packet.destinations.iter().any(|name| receiver.is_called(name));
    named && receiver.can_subscribe
}
