//! Data tracks (livekit.md 2.6): frames of bytes from one to those who asked for them, newest first.
//!
//! Where a track has receivers on another shard, its packets go there once. Which tracks there are and who receives them
//! is the room's to say; a shard only keeps what it was told, so a subscription that overtakes its track waits for it.

use super::channels::Purpose;
use crate::outbox::Outbox;
use crate::peer::PeerKey;
use crate::relay::RelayMessage;
use crate::shard::Shard;
use room::TrackSid;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// A shard's data tracks.
pub(crate) type DataTracks = HashMap<TrackSid, DataTrack>;

/// A data track as one shard knows it.
#[derive(Debug, Default)]
pub(crate) struct DataTrack {
    /// Its publisher is here.
    local: bool,
    /// The shard that we told that we want it.
    asked: Option<u8>,
    /// Peers of this shard that get it, with their own number of it.
    receivers: Vec<(PeerKey, u16)>,
    /// Shards that want it.
    relays: Vec<u8>,
}

impl DataTrack {
    fn is_idle(&self) -> bool {
        !self.local && self.receivers.is_empty() && self.relays.is_empty()
    }
}

impl Shard {
    /// A peer publishes a track under its own number.
    pub(crate) fn publish_data_track(&mut self, key: PeerKey, sid: TrackSid, handle: u16) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.channels.published.retain(|(other, _)| *other != handle);
        peer.channels.published.push((handle, sid.clone()));
        self.data_tracks.entry(sid).or_default().local = true;
    }

    /// A peer's track is over. Its receivers are told by the room, one by one.
    pub(crate) fn unpublish_data_track(&mut self, key: PeerKey, sid: &TrackSid) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.channels.published.retain(|(_, other)| other != sid);
        }
        if let Some(track) = self.data_tracks.get_mut(sid) {
            track.local = false;
            self.tidy_data_track(sid);
        }
    }

    /// A peer wants a track, which lives on shard `owner`.
    pub(crate) fn subscribe_data_track(
        &mut self,
        key: PeerKey,
        sid: TrackSid,
        handle: u16,
        owner: u8,
        outbox: &mut dyn Outbox,
    ) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if !peer.channels.received.contains(&sid) {
            peer.channels.received.push(sid.clone());
        }
        let track = self.data_tracks.entry(sid.clone()).or_default();
        track.receivers.retain(|(other, _)| *other != key);
        track.receivers.push((key, handle));
        if owner != self.config.index && track.asked.is_none() {
            track.asked = Some(owner);
            outbox.relay(owner, RelayMessage::SubscribeDataTrack { track: sid, from: self.config.index });
        }
    }

    /// A peer no longer wants a track.
    pub(crate) fn unsubscribe_data_track(&mut self, key: PeerKey, sid: &TrackSid, outbox: &mut dyn Outbox) {
        let Some(track) = self.data_tracks.get_mut(sid) else { return };
        let handle = track.receivers.iter().find(|(other, _)| *other == key).map(|(_, handle)| *handle);
        track.receivers.retain(|(other, _)| *other != key);
        if track.receivers.is_empty()
            && let Some(owner) = track.asked.take()
        {
            let message = RelayMessage::UnsubscribeDataTrack { track: sid.clone(), from: self.config.index };
            outbox.relay(owner, message);
        }
        self.tidy_data_track(sid);
        if let (Some(peer), Some(handle)) = (self.peers.get_mut(key), handle) {
            peer.channels.received.retain(|other| other != sid);
            peer.channels.gate.forget(handle);
        }
    }

    /// A peer goes: nobody gets its tracks, it gets nobody's.
    pub(crate) fn drop_data_tracks(&mut self, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let published = std::mem::take(&mut peer.channels.published);
        let received = std::mem::take(&mut peer.channels.received);
        for (_, sid) in published {
            self.unpublish_data_track(key, &sid);
        }
        for sid in received {
            self.unsubscribe_data_track(key, &sid, outbox);
        }
    }

    pub(crate) fn data_track_relay(&mut self, sid: TrackSid, shard: u8, wanted: bool) {
        let track = self.data_tracks.entry(sid.clone()).or_default();
        track.relays.retain(|other| *other != shard);
        if wanted {
            track.relays.push(shard);
        }
        self.tidy_data_track(&sid);
    }

    fn tidy_data_track(&mut self, sid: &TrackSid) {
        if self.data_tracks.get(sid).is_some_and(DataTrack::is_idle) {
            self.data_tracks.remove(sid);
        }
    }

    /// A publisher's packet.
    pub(crate) fn data_track_message(&mut self, now: Instant, key: PeerKey, bytes: &[u8], outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get(key) else { return };
        let packet = self.config.dialect.data_track(bytes);
        let published = |handle| peer.channels.published.iter().find(|(known, _)| *known == handle);
        let Some((_, sid)) = packet.and_then(|packet| published(packet.handle)) else {
            self.stats.data_refused += 1;
            return;
        };
        let Some(track) = self.data_tracks.get(sid) else { return };
        let sid = sid.clone();
        if !track.relays.is_empty() {
            let shared: Arc<[u8]> = bytes.into();
            for shard in &track.relays {
                let message = RelayMessage::DataTrackPacket { track: sid.clone(), packet: Arc::clone(&shared) };
                outbox.relay(*shard, message);
            }
        }
        self.fan_out_data_track(now, &sid, bytes, outbox);
    }

    /// To the receivers on this shard: one copy, in which only the number of the track changes.
    pub(crate) fn fan_out_data_track(&mut self, now: Instant, sid: &TrackSid, bytes: &[u8], outbox: &mut dyn Outbox) {
        let Some(track) = self.data_tracks.get(sid) else { return };
        let Some(packet) = self.config.dialect.data_track(bytes) else { return };
        let receivers = track.receivers.clone();
        let mut copy = bytes.to_vec();
        for (key, handle) in receivers {
            self.config.dialect.set_handle(&mut copy, handle);
            let message = &copy;
            self.guarded(key, outbox, |shard, _| {
                shard.send_data_track(now, key, (handle, packet.begins_frame), message);
            });
        }
    }

    fn send_data_track(&mut self, now: Instant, key: PeerKey, (handle, begins_frame): (u16, bool), message: &[u8]) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let target = peer.sending_target();
        let Some(channel) = peer.channels.find(target, Purpose::DataTrack) else { return };
        let connection = match (&mut peer.subscriber, target) {
            (Some(link), room::media::Target::Subscriber) => &mut link.connection,
            _ => &mut peer.publisher.connection,
        };
        let gate = &mut peer.channels.gate;
        if !gate.admit(now, connection.buffered(channel), handle, begins_frame) {
            self.stats.data_dropped += 1;
        } else if connection.write(channel, message) {
            gate.written(now, message.len());
            self.stats.data_out += 1;
            self.mark_dirty(key);
        } else {
            gate.refused(handle);
            self.stats.data_dropped += 1;
        }
    }
}
