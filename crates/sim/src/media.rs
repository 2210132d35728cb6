//! What clients send: pictures and sound that a receiver can check.

use rtc::red::{RedBlock, write_red};
use std::time::{Duration, Instant};
use str0m::media::{Mid, Pt, Rid};

/// How many packets a frame of a layer has, and of which size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) packets: u16,
    /// Of a packet's payload: descriptor, frame number, packet number, layer, packets, then filling.
    pub(crate) bytes: usize,
}

/// A VP8 camera: 25 frames a second, a keyframe when asked.
#[derive(Clone, Debug)]
pub struct Camera {
    pub(crate) mid: Mid,
    pub(crate) rids: Vec<Rid>,
    /// In VP9's descriptor and payload type, else VP8's.
    pub(crate) vp9: bool,
    pub(crate) next: Instant,
    pub(crate) frame: u16,
    pub(crate) keyframe: Vec<bool>,
    pub(crate) paused: Vec<bool>,
    /// Its streams resend all that is asked for.
    pub(crate) resends: Vec<bool>,
    pub(crate) keyframes_sent: usize,
    pub(crate) sequence: Vec<u64>,
    pub(crate) shape: Vec<Shape>,
    /// VP9 with all three layers in one stream.
    pub(crate) scalable: bool,
    /// VP8 with three temporal layers.
    pub(crate) temporal: bool,
}

impl Camera {
    pub(crate) const INTERVAL: Duration = Duration::from_millis(40);
    pub(crate) const SMALL: Shape = Shape { packets: 3, bytes: 200 };
    pub(crate) const HD: [Shape; 3] =
        [Self::SMALL, Shape { packets: 3, bytes: 800 }, Shape { packets: 8, bytes: 1050 }];

    pub(crate) fn new(mid: Mid, rids: Vec<Rid>, next: Instant) -> Self {
        let layers = rids.len().max(1);
        Self {
            mid,
            rids,
            vp9: false,
            next,
            frame: 0,
            keyframe: vec![true; layers],
            paused: vec![false; layers],
            resends: vec![false; layers],
            keyframes_sent: 0,
            scalable: false,
            temporal: false,
            shape: vec![Self::SMALL; layers],
            sequence: (0..layers as u64).map(|layer| 1000 * (layer + 1)).collect(),
        }
    }

    /// The temporal layers of four frames, and which of them need nothing of their own layer before.
    const TEMPORAL: [(u8, bool); 4] = [(0, false), (2, true), (1, true), (2, false)];

    /// The descriptor's bytes of the temporal layer (RFC 7741 section 4.2): TL0PICIDX, then TID and Y.
    fn temporal_bytes(&self, keyframe: bool) -> [u8; 2] {
        let (layer, synchronises) = if keyframe { (0, false) } else { Self::TEMPORAL[usize::from(self.frame) % 4] };
        [(self.frame / 4) as u8, layer << 6 | u8::from(synchronises) << 5]
    }

    /// A packet's payload: a VP8 descriptor with a 15-bit picture id, then what can be checked.
    pub(crate) fn payload(&self, layer: usize, packet: u16, keyframe: bool) -> Vec<u8> {
        let begins = match (packet, self.vp9) {
            (0, false) => 0x10,
            // RFC 9628 section 4.2: begins a frame, and unless it is a key frame refers to another.
            (0, true) => 0x08 | u8::from(!keyframe) << 6,
            (_, true) => u8::from(!keyframe) << 6,
            _ => 0,
        };
        let picture_id = self.frame & 0x7fff;
        let mut payload = vec![0x80 | begins, 0x80, 0x80 | (picture_id >> 8) as u8, picture_id as u8];
        if self.temporal {
            payload[1] |= 0x60;
            payload.extend_from_slice(&self.temporal_bytes(keyframe));
        }
        self.fill(payload, layer, packet, keyframe)
    }

    /// The same of VP9 (RFC 9628 section 4.2): picture id, layers, not flexible.
    pub(crate) fn scalable_payload(&self, layer: usize, packet: u16, keyframe: bool) -> Vec<u8> {
        let (begins, ends) = (packet == 0, packet + 1 == self.shape[layer].packets);
        let predicted = !keyframe;
        let first = 0xa0 | u8::from(predicted) << 6 | u8::from(begins) << 3 | u8::from(ends) << 2;
        let picture_id = self.frame & 0x7fff;
        let between = u8::from(layer > 0);
        let layers = (layer as u8) << 1 | between;
        let payload = vec![first, 0x80 | (picture_id >> 8) as u8, picture_id as u8, layers, 0];
        self.fill(payload, layer, packet, keyframe)
    }

    fn fill(&self, mut payload: Vec<u8>, layer: usize, packet: u16, keyframe: bool) -> Vec<u8> {
        payload.push(u8::from(!keyframe));
        payload.extend_from_slice(&self.frame.to_be_bytes());
        payload.push(packet as u8);
        payload.push(layer as u8);
        payload.push(self.shape[layer].packets as u8);
        // No two frames of an encoder are of one size.
        let percent = 80 + usize::from(self.frame.wrapping_mul(37) % 41);
        payload.resize(self.shape[layer].bytes * percent / 100, 0x5a);
        payload
    }
}

/// An Opus-shaped microphone: 50 packets a second with an audio level.
#[derive(Clone, Debug)]
pub struct Microphone {
    pub(crate) mid: Mid,
    pub(crate) next: Instant,
    pub(crate) sequence: u64,
    pub(crate) level: i8,
    /// It sends what the last answer put first: RED, with the packet before repeated, or Opus.
    pub(crate) red: bool,
}

impl Microphone {
    pub(crate) const INTERVAL: Duration = Duration::from_millis(20);
    const SOUND_BYTES: usize = 60;

    /// Payload type, timestamp and payload of the next packet. Its sound names it.
    pub(crate) fn packet(&self) -> (Pt, u32, Vec<u8>) {
        let timestamp = self.sequence as u32 * 960;
        if !self.red {
            return (opus(), timestamp, sound(self.sequence));
        }
        let before = sound(self.sequence - 1);
        let block = RedBlock { payload_type: *opus(), offset: 960, payload: &before };
        (red(), timestamp, write_red(&[block], *opus(), &sound(self.sequence)))
    }
}

/// What an Opus packet of this number carries.
fn sound(sequence: u64) -> Vec<u8> {
    let mut sound = sequence.to_be_bytes().to_vec();
    sound.resize(Microphone::SOUND_BYTES, 0x78);
    sound
}

/// The number that [`sound`] put into a payload.
pub(crate) fn heard(payload: &[u8]) -> Option<u64> {
    payload
        .first_chunk::<8>()
        .filter(|_| payload.len() == Microphone::SOUND_BYTES)
        .map(|chunk| u64::from_be_bytes(*chunk))
}

/// A frame as a receiver put it together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PacketContents {
    pub(crate) frame: u16,
    pub(crate) packet: u8,
    pub(crate) layer: u8,
    pub(crate) packets: u8,
    pub(crate) keyframe: bool,
    pub(crate) picture_id: u16,
}

/// Reads what [`Camera::payload`] wrote, or [`Camera::scalable_payload`].
pub(crate) fn contents(payload: &[u8], scalable: bool) -> Option<PacketContents> {
    let descriptor = if scalable { payload.get(1..3)? } else { payload.get(2..4)? };
    let &[high, low] = descriptor else { return None };
    let temporal = !scalable && *payload.get(1)? & 0x20 != 0;
    let at = 4 + usize::from(scalable) + 2 * usize::from(temporal);
    let [flags, frame_high, frame_low, packet, layer, packets, ..] = *payload.get(at..)? else {
        return None;
    };
    Some(PacketContents {
        frame: u16::from_be_bytes([frame_high, frame_low]),
        packet,
        layer,
        packets,
        keyframe: flags == 0,
        picture_id: u16::from_be_bytes([high & 0x7f, low]),
    })
}

/// VP8's payload type in str0m's defaults.
pub(crate) fn vp8() -> Pt {
    96.into()
}

/// VP9's.
pub(crate) fn vp9() -> Pt {
    98.into()
}

/// Opus'.
pub(crate) fn opus() -> Pt {
    111.into()
}

/// RED's.
pub(crate) fn red() -> Pt {
    63.into()
}
