//! What receivers want of tracks: their settings, and what other shards are asked for on their behalf.

use crate::outbox::Outbox;
use crate::peer::PeerKey;
use crate::relay::RelayMessage;
use crate::shard::Shard;
use crate::track::{Encoding, Owner, RelayWants, TrackKey};
use room::TrackSid;
use room::media::MediaEvent;
use room::settings::ReceiveSettings;
use room::track::TrackKind;
use std::time::Instant;

impl Shard {
    /// How a peer wants a track from now on (L-37, L-38). A picture begins at a keyframe, which is asked for at once.
    pub(crate) fn set_track_settings(
        &mut self,
        now: Instant,
        key: PeerKey,
        sid: &TrackSid,
        settings: ReceiveSettings,
        outbox: &mut dyn Outbox,
    ) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if let Some(waiting) = peer.waiting.iter_mut().find(|waiting| waiting.sid == *sid) {
            waiting.settings = settings;
        }
        let mut lines = peer.send_lines.iter_mut();
        let line = lines.find(|line| line.track().is_some_and(|(_, carried)| carried == sid));
        let Some(line) = line else { return };
        line.settings = settings;
        let Some((track_key, _)) = line.track() else { return };
        let Some(track) = self.tracks.get_mut(track_key) else { return };
        let Some(receiver) = track.receiver(key) else { return };
        receiver.set(settings);
        self.retarget(now, key, track_key, outbox);
        self.share_out(now, key, outbox);
    }

    /// Another shard's track: its owner is told what is needed of it here, if that has changed.
    pub(crate) fn tell_owner(&mut self, key: TrackKey, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        let Owner::Remote { shard } = track.owner else { return };
        let wants = track.needs();
        if std::mem::replace(&mut track.told, wants) != wants {
            let (encoding, from) = (track.encoding.clone(), self.config.index);
            outbox.relay(shard, RelayMessage::Wants { encoding, from, wants });
        }
    }

    /// Receivers that changed layers meanwhile no longer need the ones that they had.
    pub(crate) fn tell_owners(&mut self, outbox: &mut dyn Outbox) {
        let remote = self.tracks.iter().filter(|(_, track)| matches!(track.owner, Owner::Remote { .. }));
        let remote: Vec<_> = remote.map(|(key, _)| key).collect();
        for key in remote {
            self.tell_owner(key, outbox);
        }
    }

    /// A shard that relays a track to its receivers says what they need.
    pub(crate) fn relay_wants(&mut self, encoding: &Encoding, from: u8, wants: RelayWants) {
        let track = self.by_encoding.get(encoding).and_then(|key| self.tracks.get_mut(*key));
        let relay = track.and_then(|track| track.relays.iter_mut().find(|relay| relay.shard == from));
        if let Some(relay) = relay {
            relay.wants = wants;
        }
    }

    /// What anybody wants of the tracks that peers here send: the room is told what has changed, so that publishers make
    /// no layer for nobody (dynacast, L-63).
    pub(crate) fn report_wanted(&mut self, outbox: &mut dyn Outbox) {
        for track in self.tracks.values_mut().filter(|track| track.kind == TrackKind::Video) {
            let Owner::Local { session, .. } = track.owner else { continue };
            let highest = track.wanted_quality();
            if std::mem::replace(&mut track.reported, highest) != highest {
                let Encoding { track: sid, codec } = track.encoding.clone();
                outbox.event(track.room, MediaEvent::LayersWanted { session, track: sid, codec, highest });
            }
        }
    }
}
