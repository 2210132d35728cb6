//! From a track to everybody who receives it here, and once to each other shard that does.

use crate::lines::SendLine;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::relay::RelayMessage;
use crate::select::{LayerSet, Verdict};
use crate::shard::Shard;
use crate::track::{Owner, Track, TrackKey};
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
        for relay in track.relays.iter().filter(|relay| is_for(track, relay.wants.caps, layer)) {
            self.stats.packets_relayed += 1;
            let packet = packet.clone();
            outbox.relay(relay.shard, RelayMessage::Packet { key: relay.key, layer, keyframe, packet });
        }
        if track.kind == TrackKind::Audio {
            return self.forward_sound(key, packet);
        }
        let frames = track.frames.get_mut(usize::from(layer)).zip(packet.temporal).map(|(frames, temporal)| {
            frames.add(packet.timestamp, temporal.layer);
            (*frames, temporal)
        });
        if keyframe && let Some(throttle) = track.throttles.get_mut(usize::from(layer)) {
            throttle.satisfied();
        }
        let mut starving = false;
        for receiver in &mut track.receivers {
            let Some(cap) = receiver.cap() else { continue };
            let target = track.targets.of(cap);
            let verdict = match track.scalable {
                false => receiver.selector.judge(layer, keyframe, target),
                true => receiver.selector.judge_scalable(layer, keyframe, packet.timestamp, target),
            };
            starving |= matches!(verdict, Verdict::AwaitKeyframe | Verdict::LeaveOutAndAwait);
            if matches!(verdict, Verdict::Skip | Verdict::AwaitKeyframe) {
                continue;
            }
            let too_many = frames.is_some_and(|(frames, temporal)| {
                !receiver.gate.admits(temporal, packet.timestamp, frames.cap(receiver.fps))
            });
            let verdict = if too_many && verdict == Verdict::Forward { Verdict::LeaveOut } else { verdict };
            let Some(peer) = self.peers.get_mut(receiver.peer) else { continue };
            let ends = ends_picture(packet, layer, receiver.selector.current());
            if send_as(peer, receiver.line, verdict, ends, packet) {
                self.stats.packets_out += 1;
                self.stats.bytes_out += packet.payload.len() as u64;
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
        let layer = if track.scalable { 0 } else { layer };
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

/// Does another shard need this packet? A stream that holds all layers goes whole: its numbers have no gaps there.
fn is_for(track: &Track, caps: LayerSet, layer: u8) -> bool {
    if track.scalable { !caps.is_empty() } else { track.targets.reach(caps, layer) }
}

/// Is this the last packet of the picture for somebody with these layers of it?
fn ends_picture(packet: &IngressPacket, layer: u8, current: Option<u8>) -> bool {
    let ends_layer = packet.scalability.is_some_and(|scalability| scalability.ends_frame);
    packet.marker || (packet.rid.is_none() && ends_layer && current == Some(layer))
}

/// One receiver's copy: the only bytes that change are its header and VP8 descriptor. False: it was not for it.
pub(crate) fn send_on(peer: &mut Peer, line: u16, switch: bool, packet: &IngressPacket) -> bool {
    send_as(peer, line, if switch { Verdict::Switch } else { Verdict::Forward }, packet.marker, packet)
}

/// The same, as was judged: of scalable video a receiver's copy may end its picture, or be left out.
fn send_as(peer: &mut Peer, line: u16, verdict: Verdict, marker: bool, packet: &IngressPacket) -> bool {
    let Some(line) = peer.send_lines.get_mut(usize::from(line)).filter(|line| line.open) else { return false };
    if verdict == Verdict::Switch {
        line.rewriter.switch(packet);
    }
    let hollow = matches!(verdict, Verdict::LeaveOut | Verdict::LeaveOutAndAwait);
    if hollow && line.rewriter.leave_out(packet) {
        return false;
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
        marker: marker && !hollow,
        hollow,
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
