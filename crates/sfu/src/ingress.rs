//! A publisher's packet arrives: which track and layer it is, what it shows, and on to the receivers.

use crate::keyframe::begins_keyframe;
use crate::outbox::Outbox;
use crate::peer::PeerKey;
use crate::shard::Shard;
use crate::track::{Owner, TrackKey};
use room::media::MediaEvent;
use rtc::IngressPacket;
use std::time::Instant;

impl Shard {
    /// A packet from a peer of this shard.
    pub(crate) fn ingress(&mut self, now: Instant, key: PeerKey, mut packet: IngressPacket, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get(key) else { return };
        let Some(track_key) = peer.receive_lines.iter().find(|line| line.mid == packet.mid).and_then(|line| line.track)
        else {
            return; // A section whose track nobody announced.
        };
        let Some(track) = self.tracks.get_mut(track_key) else { return };
        let Some(layer) = track.layer_of_packet(&packet) else { return };
        self.stats.packets_in += 1;
        self.stats.bytes_in += packet.payload.len() as u64;
        // Arrival is the shard's time: layers of a track are aligned by it.
        packet.arrival = now;
        if let Some(level) = packet.audio_level {
            track.level.observe(level);
        }
        if let Some(meter) = track.meters.get_mut(usize::from(layer)) {
            meter.add(packet.payload.len());
        }
        let keyframe = begins_keyframe(packet.codec, &packet.payload);
        if track.heard(layer, packet.ssrc, packet.codec, now) {
            self.announce(track_key, outbox);
            self.began(now, track_key, outbox);
        }
        self.forward(now, track_key, layer, keyframe, &packet, outbox);
    }

    /// Something of it is here for the first time: a backup may be awaited by all.
    fn began(&mut self, now: Instant, key: TrackKey, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.get(key).filter(|track| track.encoding.codec > 0) else { return };
        let sid = track.encoding.track.clone();
        self.backup_flows(now, &sid, outbox);
    }

    /// Tells the room what is known of a track on the wire.
    pub(crate) fn announce(&mut self, key: TrackKey, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.get(key) else { return };
        let Owner::Local { session, mid: Some(mid), .. } = track.owner else { return };
        let Some(codec) = track.codec else { return };
        let event = MediaEvent::TrackLive {
            session,
            track: track.encoding.track.clone(),
            codec: track.encoding.codec,
            mid: mid.as_str().to_owned(),
            mime: codec.mime().to_owned(),
            layers: track.live_layers(),
        };
        outbox.event(track.room, event);
    }
}
