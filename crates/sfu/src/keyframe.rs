//! Where a receiver can begin: keyframes in RTP payloads, and how often to ask for one.

use rtc::Codec;
use std::time::{Duration, Instant};

/// At most one request in this time for each layer (LiveKit: `pli_throttle` 500 ms; Q-3).
pub(crate) const THROTTLE: Duration = Duration::from_millis(500);

/// Does this packet begin a keyframe (or its parameter sets)?
pub(crate) fn begins_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Red => true,
        Codec::Vp8 => vp8(payload),
        Codec::H264 => h264(payload),
        Codec::Vp9 => vp9(payload),
        // AV1 RTP 4.4: N, the first packet of a coded video sequence.
        Codec::Av1 => payload.first().is_some_and(|header| header & 0x08 != 0),
    }
}

/// RFC 7741 4.2 and 4.3: the first packet (S, partition 0) of a frame whose P bit is 0.
fn vp8(payload: &[u8]) -> bool {
    let Some(&first) = payload.first() else { return false };
    if first & 0x1f != 0x10 {
        return false;
    }
    vp8_header_length(payload).and_then(|at| payload.get(at)).is_some_and(|header| header & 0x01 == 0)
}

fn vp8_header_length(payload: &[u8]) -> Option<usize> {
    if payload.first()? & 0x80 == 0 {
        return Some(1);
    }
    let extension = *payload.get(1)?;
    let mut at = 2;
    if extension & 0x80 != 0 {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    at += usize::from(extension & 0x40 != 0);
    Some(at + usize::from(extension & 0x30 != 0))
}

/// RFC 6184: an IDR slice or a sequence parameter set, alone, aggregated (STAP-A) or begun as fragments (FU-A).
fn h264(payload: &[u8]) -> bool {
    const IDR: u8 = 5;
    const SPS: u8 = 7;
    const STAP_A: u8 = 24;
    const FU_A: u8 = 28;
    let begins = |nal: u8| matches!(nal & 0x1f, IDR | SPS);
    match payload {
        [header, rest @ ..] if header & 0x1f == STAP_A => aggregated(rest).any(begins),
        [header, fragment, ..] if header & 0x1f == FU_A => fragment & 0x80 != 0 && begins(*fragment),
        [header, ..] => begins(*header),
        [] => false,
    }
}

/// The NAL headers in a STAP-A.
fn aggregated(mut rest: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (size, body) = rest.split_first_chunk::<2>()?;
        let header = *body.first()?;
        rest = body.get(usize::from(u16::from_be_bytes(*size))..).unwrap_or_default();
        Some(header)
    })
}

/// RFC 9628 4.2: begins a frame (B), not predicted from another picture (P = 0), lowest spatial layer.
fn vp9(payload: &[u8]) -> bool {
    let Some(&first) = payload.first() else { return false };
    let (picture_id, predicted, layered, begins) =
        (first & 0x80 != 0, first & 0x40 != 0, first & 0x20 != 0, first & 0x08 != 0);
    if predicted || !begins {
        return false;
    }
    let wide = picture_id && payload.get(1).is_some_and(|id| id & 0x80 != 0);
    let at = 1 + usize::from(picture_id) + usize::from(wide);
    // SID is bits 3..1 of the layer octet.
    !layered || payload.get(at).is_some_and(|layer| layer & 0x0e == 0)
}

/// Holds back requests for one layer's keyframe. The first goes at once (P-4).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Throttle {
    last: Option<Instant>,
    wanted: bool,
}

impl Throttle {
    /// Somebody wants a keyframe. True: ask now; else [`Throttle::due`] says when.
    pub(crate) fn want(&mut self, now: Instant) -> bool {
        self.wanted = true;
        self.due(now)
    }

    /// A request that was held back may go now.
    pub(crate) fn due(&mut self, now: Instant) -> bool {
        let free = self.last.is_none_or(|last| now.duration_since(last) >= THROTTLE);
        let ask = self.wanted && free;
        if ask {
            self.wanted = false;
            self.last = Some(now);
        }
        ask
    }

    /// A keyframe came: nobody waits any more.
    pub(crate) fn satisfied(&mut self) {
        self.wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vp8_keyframe_is_found_behind_every_descriptor() {
        assert!(begins_keyframe(Codec::Vp8, &[0x10, 0x00]));
        assert!(!begins_keyframe(Codec::Vp8, &[0x10, 0x01]), "interframe");
        assert!(!begins_keyframe(Codec::Vp8, &[0x00, 0x00]), "not the start");
        assert!(begins_keyframe(Codec::Vp8, &[0x90, 0x80, 0x12, 0x00]), "7-bit picture id");
        assert!(begins_keyframe(Codec::Vp8, &[0x90, 0xe0, 0x81, 0x12, 5, 0x20, 0x00]), "15 bits, TL0 and TID");
        assert!(!begins_keyframe(Codec::Vp8, &[0x90, 0xe0, 0x81, 0x12]), "cut short");
    }

    #[test]
    fn an_h264_keyframe_is_found_alone_aggregated_and_in_fragments() {
        assert!(begins_keyframe(Codec::H264, &[0x65, 1]));
        assert!(!begins_keyframe(Codec::H264, &[0x41, 1]));
        assert!(begins_keyframe(Codec::H264, &[24, 0, 2, 9, 0, 0, 2, 0x67, 1]), "SPS second in a STAP-A");
        assert!(begins_keyframe(Codec::H264, &[28, 0x85]), "first fragment of an IDR");
        assert!(!begins_keyframe(Codec::H264, &[28, 0x05]), "later fragment");
    }

    #[test]
    fn vp9_and_av1_keyframes_are_found() {
        assert!(begins_keyframe(Codec::Vp9, &[0x88, 0x12, 0]));
        assert!(!begins_keyframe(Codec::Vp9, &[0xc8, 0x12, 0]), "predicted");
        assert!(!begins_keyframe(Codec::Vp9, &[0xa8, 0x12, 0x02]), "upper spatial layer");
        assert!(begins_keyframe(Codec::Av1, &[0x18]));
        assert!(!begins_keyframe(Codec::Av1, &[0x10]));
    }

    #[test]
    fn the_first_request_goes_at_once_and_others_wait() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        assert!(throttle.want(start));
        assert!(!throttle.want(start + THROTTLE / 2));
        assert!(!throttle.due(start + THROTTLE / 2));
        assert!(throttle.due(start + THROTTLE), "held back, not lost");
        assert!(!throttle.due(start + THROTTLE * 3), "asked once");
    }

    #[test]
    fn a_keyframe_that_came_ends_the_wait() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        assert!(throttle.want(start));
        assert!(!throttle.want(start));
        throttle.satisfied();
        assert!(!throttle.due(start + THROTTLE));
    }
}
