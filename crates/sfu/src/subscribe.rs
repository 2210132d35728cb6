//! Who receives which track: subscriptions of peers, and of other shards.

use crate::lines::Use;
use crate::outbox::Outbox;
use crate::peer::{PeerKey, Waiting};
use crate::relay::{RelayMessage, RoomKey};
use crate::shard::Shard;
use crate::track::{Encoding, Owner, Receiver, Regression, RelayTarget, RelayWants, Track, TrackKey};
use room::TrackSid;
use room::media::{MediaEvent, Target};
use room::settings::ReceiveSettings;
use room::track::TrackKind;
use rtc::IngressPacket;
use std::time::Instant;

impl Shard {
    /// A peer is to receive a track, which lives on shard `owner`.
    pub(crate) fn subscribe(
        &mut self,
        key: PeerKey,
        (sid, kind, stream_id, settings): (TrackSid, TrackKind, String, ReceiveSettings),
        owner: u8,
        outbox: &mut dyn Outbox,
    ) {
        let Some(peer) = self.peers.get(key) else { return };
        let room = peer.room.key;
        let Some(track) = self.track_here(room, &sid, kind, owner, outbox) else { return };
        let Some(peer) = self.peers.get_mut(key) else { return };
        let already = peer.send_lines.iter().any(|line| line.track().is_some_and(|(_, carried)| *carried == sid))
            || peer.waiting.iter().any(|waiting| waiting.sid == sid);
        if already {
            return;
        }
        peer.waiting.push_back(Waiting { track, sid, kind, stream_id, settings });
        peer.asked = None;
        peer.negotiate = true;
        self.mark_dirty(key);
    }

    /// This shard's entry of a track: its own, or a relay subscription to its owner.
    fn track_here(
        &mut self,
        room: RoomKey,
        sid: &TrackSid,
        kind: TrackKind,
        owner: u8,
        outbox: &mut dyn Outbox,
    ) -> Option<TrackKey> {
        let encoding = Encoding::primary(sid);
        if let Some(key) = self.by_encoding.get(&encoding) {
            return Some(*key);
        }
        if owner == self.config.index {
            return None; // It ended while the command was on its way.
        }
        Some(self.relay_from(owner, room, encoding, kind, outbox))
    }

    /// An entry for what another shard sends here.
    pub(crate) fn relay_from(
        &mut self,
        owner: u8,
        room: RoomKey,
        encoding: Encoding,
        kind: TrackKind,
        outbox: &mut dyn Outbox,
    ) -> TrackKey {
        let track = Track::new(encoding.clone(), room, Owner::Remote { shard: owner }, kind);
        let key = self.tracks.insert(track);
        self.by_encoding.insert(encoding.clone(), key);
        outbox.relay(owner, RelayMessage::Subscribe { encoding, from: self.config.index, key });
        key
    }

    /// A peer no longer receives a track.
    pub(crate) fn unsubscribe(&mut self, key: PeerKey, sid: &TrackSid, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.waiting.retain(|waiting| waiting.sid != *sid);
        for line in &mut peer.send_lines {
            if line.track().is_some_and(|(_, carried)| carried == sid) {
                line.drain();
                peer.negotiate = true;
            }
        }
        self.mark_dirty(key);
        for track in self.encodings(sid) {
            self.drop_receiver(track, key, outbox);
        }
    }

    pub(crate) fn drop_receiver(&mut self, track_key: TrackKey, peer: PeerKey, outbox: &mut dyn Outbox) {
        if let Some(track) = self.tracks.get_mut(track_key) {
            track.receivers.retain(|receiver| receiver.peer != peer);
        }
        self.tell_owner(track_key, outbox);
        self.release_relay(track_key, outbox);
    }

    /// Ends a relay subscription that nobody here needs any more.
    fn release_relay(&mut self, key: TrackKey, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.get(key) else { return };
        let Owner::Remote { shard } = track.owner else { return };
        // A line that is being negotiated has no receiver yet.
        let wanted = !track.receivers.is_empty()
            || self.peers.values().any(|peer| {
                let carried =
                    peer.send_lines.iter().any(|line| line.track().is_some_and(|(carried, _)| carried == key));
                carried || peer.waiting.iter().any(|waiting| waiting.track == key)
            });
        if !wanted {
            let (encoding, from) = (track.encoding.clone(), self.config.index);
            self.by_encoding.remove(&encoding);
            self.tracks.remove(key);
            outbox.relay(shard, RelayMessage::Unsubscribe { encoding, from });
        }
    }

    /// The line that carries a subscription is negotiated: packets flow from the next keyframe on.
    pub(crate) fn open_lines(&mut self, now: Instant, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let (session, room) = (peer.session, peer.room.key);
        let mut opened = Vec::new();
        let target = peer.sending_target();
        for index in 0..peer.send_lines.len() {
            let Some((_, sid)) = peer.send_lines[index].track() else { continue };
            let sid = sid.clone();
            if peer.send_lines[index].open {
                continue;
            }
            let mid = peer.send_lines[index].mid;
            let stream = peer.link(target).connection.send_stream(mid);
            peer.send_lines[index].stream = stream;
            peer.send_lines[index].open = stream.is_some();
            let line = &peer.send_lines[index];
            opened.push((index, sid, Receiver::new(key, index as u16, line.settings, line.allowed)));
        }
        for (index, sid, receiver) in opened {
            let Some(track_key) = self.choose_codec(key, index, outbox) else { continue };
            if let Some(track) = self.tracks.get_mut(track_key) {
                track.receivers.retain(|other| other.peer != key);
                track.receivers.push(receiver);
            }
            outbox.event(room, MediaEvent::Subscribed { session, track: sid });
            self.tell_owner(track_key, outbox);
            self.begin_picture(now, key, track_key, outbox);
        }
    }

    /// What a receiver should have may have changed: its owner is told, and a keyframe is asked for.
    pub(crate) fn retarget(&mut self, now: Instant, key: PeerKey, track_key: TrackKey, outbox: &mut dyn Outbox) {
        self.tell_owner(track_key, outbox);
        let Some(track) = self.tracks.get_mut(track_key) else { return };
        let current = track.receiver(key).and_then(|receiver| receiver.selector.current());
        if track.target_of(key) != current {
            self.begin_picture(now, key, track_key, outbox);
        }
    }

    /// Asks for a keyframe for a receiver that is connected and has none.
    pub(crate) fn begin_picture(&mut self, now: Instant, peer: PeerKey, track: TrackKey, outbox: &mut dyn Outbox) {
        let connected = self.peers.get_mut(peer).is_some_and(|peer| peer.sending_link().progress.is_up());
        let target = self.tracks.get(track).and_then(|track| track.target_of(peer));
        if let (true, Some(layer)) = (connected, target) {
            self.want_keyframe(now, track, layer, outbox);
        }
    }

    /// A peer's sending connection is up: its pictures can begin.
    pub(crate) fn begin_pictures(&mut self, now: Instant, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get(key) else { return };
        let tracks: Vec<_> = peer
            .send_lines
            .iter()
            .filter(|line| line.open)
            .filter_map(|line| line.track().map(|(key, _)| key))
            .collect();
        for track in tracks {
            self.begin_picture(now, key, track, outbox);
        }
    }

    /// The receiver says that it can't decode.
    pub(crate) fn keyframe_wanted_by(&mut self, now: Instant, key: PeerKey, mid: rtc::Mid, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get(key) else { return };
        let line = peer.send_lines.iter().find(|line| line.mid == mid);
        let Some(track) = line.and_then(|line| line.track()).map(|(key, _)| key) else { return };
        let receiver = self.tracks.get_mut(track).and_then(|track| track.receiver(key));
        let current = receiver.and_then(|receiver| receiver.selector.current());
        let layer = current.or_else(|| self.tracks.get(track)?.target_of(key));
        if let Some(layer) = layer {
            self.want_keyframe(now, track, layer, outbox);
        }
    }

    /// Drops every subscription of a peer that goes.
    pub(crate) fn drop_subscriptions(&mut self, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let waiting = std::mem::take(&mut peer.waiting);
        let mut tracks: Vec<_> = waiting.into_iter().map(|waiting| waiting.track).collect();
        for line in &mut peer.send_lines {
            if let Use::Track(track, _) = std::mem::replace(&mut line.use_, Use::Draining) {
                tracks.push(track);
            }
        }
        for track in tracks {
            self.drop_receiver(track, key, outbox);
        }
    }

    /// A message from another shard.
    pub(crate) fn relayed(&mut self, now: Instant, message: RelayMessage, outbox: &mut dyn Outbox) {
        match message {
            RelayMessage::Subscribe { encoding, from, key } => {
                let wants = RelayWants::default();
                self.relay_subscribed(&encoding, RelayTarget { shard: from, key, wants }, outbox);
            }
            RelayMessage::Rates { key, rates } => {
                if let Some(track) = self.tracks.get_mut(key) {
                    track.rates = rates;
                }
            }
            RelayMessage::Wants { encoding, from, wants } => self.relay_wants(&encoding, from, wants),
            RelayMessage::Unsubscribe { encoding, from } => {
                if let Some(track) = self.by_encoding.get(&encoding).and_then(|key| self.tracks.get_mut(*key)) {
                    track.relays.retain(|relay| relay.shard != from);
                }
            }
            RelayMessage::Packet { key, layer, keyframe, packet } => {
                self.relayed_packet(now, key, layer, keyframe, packet, outbox);
            }
            RelayMessage::Keyframe { encoding, layer } => {
                if let Some(key) = self.by_encoding.get(&encoding).copied()
                    && let Some(track) = self.tracks.get(key)
                {
                    let layer = track.targets.of(layer);
                    self.want_keyframe(now, key, layer, outbox);
                }
            }
            RelayMessage::Regressed { key } => self.go_over(now, key, outbox),
            RelayMessage::Ended { key } => self.remove_track(key, outbox),
            RelayMessage::Data { room, packet } => self.deliver(now, room, None, &packet, outbox),
            RelayMessage::SubscribeDataTrack { track, from } => self.data_track_relay(track, from, true),
            RelayMessage::UnsubscribeDataTrack { track, from } => self.data_track_relay(track, from, false),
            RelayMessage::DataTrackPacket { track, packet } => self.fan_out_data_track(now, &track, &packet, outbox),
        }
    }

    fn relay_subscribed(&mut self, encoding: &Encoding, relay: RelayTarget, outbox: &mut dyn Outbox) {
        self.await_backup(encoding);
        match self.by_encoding.get(encoding).and_then(|key| self.tracks.get_mut(*key)) {
            Some(track) => {
                track.relays.retain(|other| other.shard != relay.shard);
                track.relays.push(relay);
                if track.regression == Regression::Done {
                    outbox.relay(relay.shard, RelayMessage::Regressed { key: relay.key });
                }
            }
            None => outbox.relay(relay.shard, RelayMessage::Ended { key: relay.key }),
        }
    }

    fn relayed_packet(
        &mut self,
        now: Instant,
        key: TrackKey,
        layer: u8,
        keyframe: bool,
        mut packet: IngressPacket,
        outbox: &mut dyn Outbox,
    ) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        packet.arrival = now;
        track.layer_of_packet(&packet);
        track.heard(layer, packet.ssrc, packet.codec, now);
        self.forward(now, key, layer, keyframe, &packet, outbox);
    }

    /// A track is over: receivers' lines are drained and relays told.
    pub(crate) fn remove_track(&mut self, key: TrackKey, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.remove(key) else { return };
        if self.by_encoding.get(&track.encoding) == Some(&key) {
            self.by_encoding.remove(&track.encoding);
        }
        for relay in &track.relays {
            outbox.relay(relay.shard, RelayMessage::Ended { key: relay.key });
        }
        for receiver in &track.receivers {
            let Some(peer) = self.peers.get_mut(receiver.peer) else { continue };
            if let Some(line) = peer.send_lines.get_mut(usize::from(receiver.line)) {
                line.drain();
                peer.negotiate = true;
            }
            self.mark_dirty(receiver.peer);
        }
        for peer in self.peers.values_mut() {
            peer.waiting.retain(|waiting| waiting.track != key);
        }
    }

    /// The link that carries what a peer gets is up.
    pub(crate) fn connected(&mut self, now: Instant, key: PeerKey, target: Target, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.link(target).progress = crate::peer::Progress::Up;
        outbox.event(peer.room.key, MediaEvent::Connected { session: peer.session, target });
        if target == peer.sending_target() {
            self.begin_pictures(now, key, outbox);
        }
    }
}
