//! Synthetic VP8 as an encoder would packetise it (RFC 7741): whole payload descriptors (15-bit picture id,
//! TL0PICIDX, temporal layer), real keyframe headers, frames split into packets of nearly equal length.

use crate::stamp::{MIN_LEN, Stamp};

/// As libwebrtc: leaves room for header extensions and SRTP in 1,200 bytes.
const MAX_PAYLOAD: usize = 1_120;
/// X S, I L T, picture id (2), TL0PICIDX, TID.
const DESCRIPTOR_LEN: usize = 6;
/// Frame tag, start code, width, height (RFC 6386 section 9.1).
const KEY_HEADER_LEN: usize = 10;
/// Frame tag alone.
const DELTA_HEADER_LEN: usize = 3;
/// A keyframe is this many times as long as another frame: what a camera picture costs in practice.
const KEYFRAME_WEIGHT: usize = 5;

/// A video to publish.
#[derive(Clone, Debug)]
pub struct VideoSpec {
    /// Our id of it (the msid track id).
    pub cid: String,
    /// Pixels of the largest layer.
    pub width: u32,
    /// Pixels of the largest layer.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
    /// bit/s of the largest layer.
    pub bitrate: u32,
    /// Three layers q, h, f by rid; else one.
    pub simulcast: bool,
    /// A shared screen instead of a camera.
    pub screen: bool,
}

impl VideoSpec {
    /// 720p, 30 frames a second, 1.5 Mbit/s, one layer.
    pub fn camera(cid: &str) -> Self {
        Self { cid: cid.into(), width: 1280, height: 720, fps: 30, bitrate: 1_500_000, simulcast: false, screen: false }
    }

    /// (rid, share of bitrate in percent, divisor of the picture's sides) from low to high.
    pub const LAYERS: [(&'static str, u32, u32); 3] = [("q", 10, 4), ("h", 30, 2), ("f", 100, 1)];
}

/// Makes the frames of one layer.
#[derive(Debug)]
pub struct Encoder {
    source: u32,
    width: u16,
    height: u16,
    frame_bytes: usize,
    frame: u32,
    picture_id: u16,
    tl0_picture: u8,
    key_wanted: bool,
}

impl Encoder {
    /// `source` is stamped on every packet; picture ids begin near their wrap, so that runs cross it.
    pub fn new(source: u32, width: u32, height: u32, fps: u32, bitrate: u32) -> Self {
        Self {
            source,
            width: u16::try_from(width).unwrap_or(u16::MAX),
            height: u16::try_from(height).unwrap_or(u16::MAX),
            frame_bytes: (bitrate / 8 / fps.max(1)) as usize,
            frame: 0,
            picture_id: 0x7fff - 40,
            tl0_picture: 250,
            key_wanted: true,
        }
    }

    /// The next frame is a keyframe (a PLI or FIR came).
    pub fn request_key(&mut self) {
        self.key_wanted = true;
    }

    /// The payloads of the next frame, in order; the marker belongs to the last.
    pub fn next_frame(&mut self, made_us: u64) -> Vec<Vec<u8>> {
        let key = std::mem::take(&mut self.key_wanted);
        let body = if key { self.frame_bytes * KEYFRAME_WEIGHT } else { self.frame_bytes };
        let room = MAX_PAYLOAD - DESCRIPTOR_LEN;
        let parts = body.div_ceil(room).max(1);
        let each = (body / parts).max(KEY_HEADER_LEN + MIN_LEN);
        let packets = (0..parts).map(|part| self.packet(part, parts, each, key, made_us)).collect();
        self.advance();
        packets
    }

    fn packet(&self, part: usize, parts: usize, len: usize, key: bool, made_us: u64) -> Vec<u8> {
        let mut payload = Vec::with_capacity(DESCRIPTOR_LEN + len);
        self.write_descriptor(&mut payload, part == 0);
        if part == 0 {
            self.write_frame_header(&mut payload, key);
        }
        let header = payload.len() - DESCRIPTOR_LEN;
        let stamp = Stamp {
            source: self.source,
            frame: self.frame,
            part: u16::try_from(part).unwrap_or(u16::MAX),
            parts: u16::try_from(parts).unwrap_or(u16::MAX),
            made_us,
        };
        stamp.write(&mut payload, DESCRIPTOR_LEN, len.saturating_sub(header + MIN_LEN));
        payload
    }

    fn write_descriptor(&self, payload: &mut Vec<u8>, first: bool) {
        let picture = self.picture_id | 0x8000;
        payload.push(0x80 | if first { 0x10 } else { 0 });
        payload.push(0x80 | 0x40 | 0x20);
        payload.extend_from_slice(&picture.to_be_bytes());
        payload.push(self.tl0_picture);
        payload.push(0);
    }

    fn write_frame_header(&self, payload: &mut Vec<u8>, key: bool) {
        let shown = 0x10;
        payload.extend_from_slice(&[shown | u8::from(!key), 0, 0]);
        if key {
            payload.extend_from_slice(&[0x9d, 0x01, 0x2a]);
            payload.extend_from_slice(&self.width.to_le_bytes());
            payload.extend_from_slice(&self.height.to_le_bytes());
        }
    }

    fn advance(&mut self) {
        self.frame = self.frame.wrapping_add(1);
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.tl0_picture = self.tl0_picture.wrapping_add(1);
    }
}

/// What a receiver reads of a VP8 payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// First packet of a frame.
    pub starts_frame: bool,
    /// Of a keyframe (known in its first packet only).
    pub key: bool,
    /// 15-bit picture id, if there is one.
    pub picture_id: Option<u16>,
    /// Where the descriptor ends.
    pub body: usize,
    /// Length of the frame header after it.
    pub frame_header: usize,
}

/// Reads a payload descriptor and, in a frame's first packet, the frame tag. `None` if it is cut short.
pub fn read(payload: &[u8]) -> Option<Packet> {
    let first = *payload.first()?;
    let starts_frame = first & 0x10 != 0 && first & 0x07 == 0;
    let mut at = 1;
    let mut picture_id = None;
    if first & 0x80 != 0 {
        let present = *payload.get(at)?;
        at += 1;
        if present & 0x80 != 0 {
            (picture_id, at) = read_picture_id(payload, at)?;
        }
        at += usize::from(present & 0x40 != 0) + usize::from(present & 0x30 != 0);
    }
    let tag = *payload.get(at)?;
    let key = starts_frame && tag & 1 == 0;
    let frame_header = match (starts_frame, key) {
        (false, _) => 0,
        (true, true) => KEY_HEADER_LEN,
        (true, false) => DELTA_HEADER_LEN,
    };
    Some(Packet { starts_frame, key, picture_id, body: at, frame_header })
}

/// 7 or 15 bits; 7-bit ids are returned as `None`: their continuity is another rule.
fn read_picture_id(payload: &[u8], at: usize) -> Option<(Option<u16>, usize)> {
    let high = *payload.get(at)?;
    if high & 0x80 == 0 {
        return Some((None, at + 1));
    }
    let low = *payload.get(at + 1)?;
    Some((Some(u16::from_be_bytes([high & 0x7f, low])), at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_is_a_key_and_the_rest_are_not_until_asked() {
        let mut encoder = Encoder::new(1, 640, 360, 30, 500_000);
        let keys: Vec<bool> = (0..3).map(|_| read(&encoder.next_frame(0)[0]).unwrap().key).collect();
        assert_eq!(keys, [true, false, false]);
        encoder.request_key();
        assert!(read(&encoder.next_frame(0)[0]).unwrap().key);
    }

    #[test]
    fn packets_of_a_frame_are_equal_but_for_rounding_and_stamped() {
        let mut encoder = Encoder::new(9, 1280, 720, 30, 1_500_000);
        encoder.next_frame(0);
        let packets = encoder.next_frame(5);
        assert_eq!(packets.len(), 6);
        for (index, payload) in packets.iter().enumerate() {
            assert_eq!(payload.len(), packets[0].len());
            let packet = read(payload).unwrap();
            assert_eq!(packet.starts_frame, index == 0);
            let stamp = Stamp::read(&payload[packet.body..], packet.frame_header, true).unwrap();
            assert_eq!((stamp.source, stamp.frame, usize::from(stamp.part), stamp.parts), (9, 1, index, 6));
        }
    }

    #[test]
    fn picture_ids_cross_their_wrap() {
        let mut encoder = Encoder::new(1, 640, 360, 30, 100_000);
        let ids: Vec<u16> = (0..60).filter_map(|_| read(&encoder.next_frame(0)[0]).unwrap().picture_id).collect();
        assert!(ids.windows(2).all(|pair| (pair[0] + 1) & 0x7fff == pair[1]));
        assert!(ids.contains(&0) && ids.contains(&0x7fff));
    }

    #[test]
    fn truncations_are_refused_not_feared() {
        let payload = &Encoder::new(1, 640, 360, 30, 100_000).next_frame(0)[0];
        for len in 0..DESCRIPTOR_LEN + 1 {
            assert_eq!(read(&payload[..len]), None);
        }
    }
}
