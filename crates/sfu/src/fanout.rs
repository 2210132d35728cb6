//! From a track to everybody who receives it here, and once to each other shard that does.

use crate::lines::SendLine;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::relay::RelayMessage;
use crate::select::Verdict;
use crate::shard::Shard;
use crate::track::{Owner, TrackKey};
use room::track::TrackKind;
use rtc::{IngressPacket, OutgoingPacket};
use std::time::Instant;

impl Shard {
    /// Sends a packet on: to the receivers on this shard and to the relays.
    pub(crate) fn forward(
        &mut self,
        now: Instant,
        key: TrackKey,
        layer: u8,
        keyframe: bool,
        packet: &IngressPacket,
        outbox: &mut dyn Outbox,
    ) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        for relay in track.relays.iter().filter(|relay| track.targets.reach(relay.wants.caps, layer)) {
            self.stats.packets_relayed += 1;
            let packet = packet.clone();
            outbox.relay(relay.shard, RelayMessage::Packet { key: relay.key, layer, keyframe, packet });
        }
        if track.kind == TrackKind::Audio {
            return self.forward_sound(key, packet);
        }
        if keyframe && let Some(throttle) = track.throttles.get_mut(usize::from(layer)) {
            throttle.satisfied();
        }
        let mut starving = false;
        for receiver in &mut track.receivers {
            let Some(cap) = receiver.cap() else { continue };
            let verdict = receiver.selector.judge(layer, keyframe, track.targets.of(cap));
            match verdict {
                Verdict::Skip => continue,
                Verdict::AwaitKeyframe => {
                    starving = true;
                    continue;
                }
                Verdict::Switch | Verdict::Forward => {}
            }
            let Some(peer) = self.peers.get_mut(receiver.peer) else { continue };
            if send_on(peer, receiver.line, verdict == Verdict::Switch, packet) {
                self.stats.packets_out += 1;
                if !std::mem::replace(&mut peer.dirty, true) {
                    self.dirty.push(receiver.peer);
                }
            }
        }
        if starving {
            self.want_keyframe(now, key, layer, outbox);
        }
    }

    /// A receiver can't go on (or begin) without a keyframe of this layer.
    pub(crate) fn want_keyframe(&mut self, now: Instant, key: TrackKey, layer: u8, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        let Some(throttle) = track.throttles.get_mut(usize::from(layer)) else { return };
        if track.muted || track.kind == TrackKind::Audio {
            return;
        }
        if throttle.want(now) {
            self.ask_keyframe(key, layer, outbox);
        }
    }

    /// Asks the publisher, or the shard that has it.
    pub(crate) fn ask_keyframe(&mut self, key: TrackKey, layer: u8, outbox: &mut dyn Outbox) {
        let Some(track) = self.tracks.get(key) else { return };
        match track.owner {
            Owner::Remote { shard } => {
                outbox.relay(shard, RelayMessage::Keyframe { encoding: track.encoding.clone(), layer });
            }
            Owner::Local { mid: None, .. } => {}
            Owner::Local { peer: owner, mid: Some(mid), .. } => {
                let rid = track.layers.get(usize::from(layer)).and_then(|layer| layer.rid);
                let Some(peer) = self.peers.get_mut(owner) else { return };
                if peer.publisher.connection.request_keyframe(mid, rid) {
                    self.stats.keyframes_requested += 1;
                    self.mark_dirty(owner);
                }
            }
        }
    }
}

/// One receiver's copy: the only bytes that change are its header and VP8 descriptor. False: it was not for it.
pub(crate) fn send_on(peer: &mut Peer, line: u16, switch: bool, packet: &IngressPacket) -> bool {
    let Some(line) = peer.send_lines.get_mut(usize::from(line)).filter(|line| line.open) else { return false };
    if switch {
        line.rewriter.switch(packet);
    }
    let connection = match &mut peer.subscriber {
        Some(link) => &mut link.connection,
        None => &mut peer.publisher.connection,
    };
    let Some(payload_type) = payload_type(line, connection, packet) else { return false };
    let (Some(stream), Some(rewritten)) = (line.stream, line.rewriter.rewrite(packet)) else { return false };
    let outgoing = OutgoingPacket {
        from: packet,
        payload_type,
        sequence: rewritten.sequence,
        timestamp: rewritten.timestamp,
        vp8: rewritten.vp8,
    };
    connection.send(stream, &outgoing)
}

/// The receiver's payload type for this codec, looked up once.
fn payload_type(line: &mut SendLine, connection: &rtc::Connection, packet: &IngressPacket) -> Option<u8> {
    match line.payload_type {
        Some((codec, payload_type)) if codec == packet.codec => Some(payload_type),
        _ => {
            let payload_type = connection.payload_type(line.mid, packet.codec)?;
            line.payload_type = Some((packet.codec, payload_type));
            Some(payload_type)
        }
    }
}
