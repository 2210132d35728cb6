//! Backup codecs (L-63): who can't take a track's primary codec gets the next one.
//!
//! Each codec of a track is an entry of its own. The backup's is made when somebody needs it, which is what makes its
//! publisher send it (see `report_wanted`), or when it comes.

use crate::outbox::Outbox;
use crate::peer::PeerKey;
use crate::relay::RelayMessage;
use crate::shard::Shard;
use crate::track::{Encoding, Owner, Receiver, Regression, Track, TrackKey};
use room::TrackSid;
use room::track::TrackKind;
use rtc::Codec;
use std::time::Instant;

impl Shard {
    /// The entries of a track here.
    pub(crate) fn encodings(&self, sid: &TrackSid) -> Vec<TrackKey> {
        let both = [Encoding::primary(sid), Encoding::backup(sid)];
        both.iter().filter_map(|encoding| self.by_encoding.get(encoding).copied()).collect()
    }

    /// The entry that a negotiated line is to receive: the primary codec's, unless its peer takes the backup only, or all get
    /// that.
    pub(crate) fn choose_codec(&mut self, key: PeerKey, line: usize, outbox: &mut dyn Outbox) -> Option<TrackKey> {
        let (primary, sid) = self.peers.get(key)?.send_lines.get(line)?.track()?;
        let sid = sid.clone();
        if !self.needs_backup(key, line, primary) {
            return Some(primary);
        }
        let backup = self.backup_here(primary, &sid, outbox)?;
        self.peers.get_mut(key)?.send_lines.get_mut(line)?.carry(backup, sid);
        self.drop_receiver(primary, key, outbox);
        Some(backup)
    }

    fn needs_backup(&mut self, key: PeerKey, line: usize, primary: TrackKey) -> bool {
        let Some(track) = self.tracks.get(primary).filter(|track| track.encoding.codec == 0) else { return false };
        let [first, second, ..] = track.codec_names.as_slice() else { return false };
        let Some(peer) = self.peers.get_mut(key) else { return false };
        let Some(mid) = peer.send_lines.get(line).map(|line| line.mid) else { return false };
        let connection = &peer.sending_link().connection;
        let takes =
            |name: &str| Codec::from_name(name).is_some_and(|codec| connection.payload_type(mid, codec).is_some());
        let other = track.regression == Regression::Done || !takes(first);
        track.kind == TrackKind::Video && other && takes(second)
    }

    /// This shard's entry of a track's backup.
    fn backup_here(&mut self, primary: TrackKey, sid: &TrackSid, outbox: &mut dyn Outbox) -> Option<TrackKey> {
        let encoding = Encoding::backup(sid);
        let Track { room, kind, owner, .. } = *self.tracks.get(primary)?;
        match (self.by_encoding.get(&encoding), owner) {
            (Some(key), _) => Some(*key),
            (None, Owner::Remote { shard }) => Some(self.relay_from(shard, room, encoding, kind, outbox)),
            (None, Owner::Local { .. }) => {
                self.await_backup(&encoding);
                self.by_encoding.get(&encoding).copied()
            }
        }
    }

    /// Makes the entry of a backup that isn't sent yet, if its track is one of this shard's.
    pub(crate) fn await_backup(&mut self, encoding: &Encoding) {
        if encoding.codec == 0 || self.by_encoding.contains_key(encoding) {
            return;
        }
        let primary = self.by_encoding.get(&Encoding::primary(&encoding.track)).and_then(|key| self.tracks.get(*key));
        let Some(&Track { room, kind, muted, owner: Owner::Local { peer, session, .. }, .. }) = primary else { return };
        let mut track = Track::new(encoding.clone(), room, Owner::Local { peer, session, mid: None }, kind);
        track.muted = muted;
        let key = self.tracks.insert(track);
        self.by_encoding.insert(encoding.clone(), key);
    }

    /// Everybody is to have the backup, once it flows.
    pub(crate) fn regress(&mut self, now: Instant, sid: &TrackSid, outbox: &mut dyn Outbox) {
        let primary = self.by_encoding.get(&Encoding::primary(sid)).copied();
        let Some(track) = primary.and_then(|key| self.tracks.get_mut(key)) else { return };
        if track.regression == Regression::No {
            track.regression = Regression::Asked;
        }
        let backup = self.by_encoding.get(&Encoding::backup(sid)).and_then(|key| self.tracks.get(*key));
        if backup.is_some_and(|backup| backup.codec.is_some()) {
            self.backup_flows(now, sid, outbox);
        }
    }

    /// The backup's first packet is here: those who take it go over, here and on the shards that this one relays to.
    pub(crate) fn backup_flows(&mut self, now: Instant, sid: &TrackSid, outbox: &mut dyn Outbox) {
        let Some(key) = self.by_encoding.get(&Encoding::primary(sid)).copied() else { return };
        let Some(track) = self.tracks.get(key).filter(|track| track.regression == Regression::Asked) else { return };
        for relay in &track.relays {
            outbox.relay(relay.shard, RelayMessage::Regressed { key: relay.key });
        }
        self.go_over(now, key, outbox);
    }

    /// Receivers of the primary codec that take the backup get that from its next keyframe on.
    pub(crate) fn go_over(&mut self, now: Instant, primary: TrackKey, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.get_mut(primary) else { return };
        track.regression = Regression::Done;
        let receivers: Vec<_> = track.receivers.iter().map(|receiver| (receiver.peer, receiver.line)).collect();
        for (peer, line) in receivers {
            let chosen = self.choose_codec(peer, usize::from(line), outbox).filter(|chosen| *chosen != primary);
            let Some(backup) = chosen.and_then(|key| Some((key, self.tracks.get_mut(key)?))) else { continue };
            let sending = self.peers.get(peer).and_then(|peer| peer.send_lines.get(usize::from(line)));
            let Some((settings, allowed)) = sending.map(|line| (line.settings, line.allowed)) else { continue };
            let (key, track) = backup;
            track.receivers.push(Receiver::new(peer, line, settings, allowed));
            self.tell_owner(key, outbox);
            self.begin_picture(now, peer, key, outbox);
        }
    }

    /// A client no longer sends a backup; its receivers wait for it to come again.
    pub(crate) fn pause_backup(&mut self, key: TrackKey) {
        if let Some(Track { owner: Owner::Local { mid, .. }, .. }) = self.tracks.get_mut(key) {
            *mid = None;
        }
    }
}
