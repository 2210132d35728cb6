//! One receiver's numbering of what it is sent.
//!
//! Belongs to subscriber and stream (an SSRC), and outlives layers: sequence, timestamp and VP8 picture id go on without
//! a break whatever source comes next. A re-used m-line has a new stream, with numbers of its own.

use crate::gaps::{Gaps, PictureGaps};
use rtc::{IngressPacket, Vp8Rewrite};
use std::time::Instant;

/// What a packet becomes for this receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rewritten {
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    pub(crate) vp8: Option<Vp8Rewrite>,
}

/// The last packet sent and how far the current source's numbers are from ours.
#[derive(Clone, Debug)]
pub(crate) struct Rewriter {
    /// The source's first packet: what is older was never meant for this receiver.
    from: u64,
    sequence_offset: u64,
    timestamp_offset: u32,
    picture_offset: u16,
    tl0_offset: u8,
    last_sequence: u64,
    last: Option<Last>,
    /// What the receiver isn't sent of the current source.
    gaps: Gaps,
    /// The same, in VP8's pictures.
    pictures: PictureGaps,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
    arrival: Instant,
}

const PICTURE_ID_MASK: u16 = 0x7fff;

impl Rewriter {
    /// `first` is the first sequence number that the receiver will see; it must be under 2^16 (RFC 3711: ROC 0).
    pub(crate) fn new(first: u16) -> Self {
        Self {
            from: u64::MAX,
            sequence_offset: 0,
            timestamp_offset: 0,
            picture_offset: 0,
            tl0_offset: 0,
            last_sequence: u64::from(first).wrapping_sub(1),
            last: None,
            gaps: Gaps::default(),
            pictures: PictureGaps::default(),
        }
    }

    /// From this packet on, another source: its numbers follow on from the last ones sent.
    pub(crate) fn switch(&mut self, packet: &IngressPacket) {
        self.from = packet.sequence;
        self.gaps = Gaps::default();
        self.pictures = PictureGaps::default();
        self.sequence_offset = self.last_sequence.wrapping_add(1).wrapping_sub(packet.sequence);
        let Some(last) = self.last else { return };
        // Sources have no common clock here: the time between arrivals stands in, one tick at least.
        let elapsed = packet.arrival.saturating_duration_since(last.arrival);
        let ticks = (elapsed.as_secs_f64() * f64::from(packet.codec.clock_rate())) as u32;
        self.timestamp_offset = last.timestamp.wrapping_add(ticks.max(1)).wrapping_sub(packet.timestamp);
        if let Some(vp8) = &packet.vp8 {
            let picture_id = vp8.picture_id().unwrap_or_default();
            self.picture_offset = last.picture_id.wrapping_add(1).wrapping_sub(picture_id);
            self.tl0_offset = last.tl0.wrapping_add(1).wrapping_sub(vp8.tl0_pic_idx().unwrap_or_default());
        }
    }

    /// This receiver's numbers for a packet of the current source. `None`: it is from before the switch.
    pub(crate) fn rewrite(&mut self, packet: &IngressPacket) -> Option<Rewritten> {
        if packet.sequence < self.from {
            return None;
        }
        let left_out = self.gaps.before(packet.sequence)?;
        let sequence = packet.sequence.wrapping_add(self.sequence_offset).wrapping_sub(left_out);
        let timestamp = packet.timestamp.wrapping_add(self.timestamp_offset);
        let vp8 = self.vp8(packet);
        if sequence > self.last_sequence || self.last.is_none() {
            self.last_sequence = sequence;
            let shown = vp8.unwrap_or_default();
            self.last = Some(Last {
                timestamp,
                picture_id: shown.picture_id.unwrap_or_default(),
                tl0: shown.tl0_pic_idx.unwrap_or_default(),
                arrival: packet.arrival,
            });
        }
        Some(Rewritten { sequence, timestamp, vp8 })
    }

    /// A packet of the current source that the receiver isn't sent. False: its place is taken and has to be filled.
    pub(crate) fn leave_out(&mut self, packet: &IngressPacket) -> bool {
        let gone = packet.sequence < self.from || self.gaps.leave_out(packet.sequence);
        if let Some(id) = packet.vp8.as_ref().and_then(|vp8| vp8.picture_id()).filter(|_| gone) {
            self.pictures.leave_out(id);
        }
        gone
    }

    fn vp8(&self, packet: &IngressPacket) -> Option<Vp8Rewrite> {
        let vp8 = packet.vp8.as_ref()?;
        Some(Vp8Rewrite {
            picture_id: vp8.picture_id().map(|id| {
                let shown = id.wrapping_add(self.picture_offset).wrapping_sub(self.pictures.before(id));
                shown & PICTURE_ID_MASK
            }),
            tl0_pic_idx: vp8.tl0_pic_idx().map(|index| index.wrapping_add(self.tl0_offset)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::{Codec, Mid, Vp8};
    use std::sync::Arc;
    use std::time::Duration;

    /// A packet of a source: its sequence, timestamp, picture id and TL0 index.
    fn packet(arrival: Instant, sequence: u64, timestamp: u32, picture_id: u16, tl0: u8) -> IngressPacket {
        let payload = [0x90, 0xe0, 0x80 | (picture_id >> 8) as u8, picture_id as u8, tl0, 0x20, 0x00];
        IngressPacket {
            mid: Mid::from("0"),
            rid: None,
            ssrc: 1,
            codec: Codec::Vp8,
            sequence,
            timestamp,
            marker: false,
            audio_level: None,
            voice: None,
            orientation: None,
            payload: Arc::from(payload),
            scalability: None,
            temporal: None,
            descriptor: None,
            vp8: Vp8::parse(&payload),
            arrival,
        }
    }

    fn shown(rewritten: Option<Rewritten>) -> Option<(u64, u32, u16, u8)> {
        let Rewritten { sequence, timestamp, vp8 } = rewritten?;
        let vp8 = vp8?;
        Some((sequence, timestamp, vp8.picture_id?, vp8.tl0_pic_idx?))
    }

    #[test]
    fn another_source_goes_on_where_the_last_ended() {
        let (mut rewriter, start) = (Rewriter::new(1), Instant::now());
        let first = packet(start, 70_000, 1_000, 500, 7);
        rewriter.switch(&first);
        assert_eq!(shown(rewriter.rewrite(&first)), Some((1, 1_000, 500, 7)), "ROC 0, whatever the source's");
        let other = packet(start + Duration::from_millis(40), 12, 900_000, 32_767, 200);
        rewriter.switch(&other);
        assert_eq!(shown(rewriter.rewrite(&other)), Some((2, 1_000 + 3_600, 501, 8)));
        let next = packet(start + Duration::from_millis(80), 13, 903_600, 0, 201);
        assert_eq!(shown(rewriter.rewrite(&next)), Some((3, 1_000 + 7_200, 502, 9)), "ids wrap in 15 bits");
    }

    #[test]
    fn what_a_source_sent_before_the_switch_is_not_for_this_receiver() {
        let (mut rewriter, start) = (Rewriter::new(1), Instant::now());
        rewriter.switch(&packet(start, 100, 0, 1, 1));
        assert!(rewriter.rewrite(&packet(start, 99, 0, 0, 0)).is_none());
    }

    #[test]
    fn a_late_packet_keeps_its_place() {
        let (mut rewriter, start) = (Rewriter::new(1), Instant::now());
        rewriter.switch(&packet(start, 100, 0, 1, 1));
        let sequences = [100, 102, 101, 103].map(|n| rewriter.rewrite(&packet(start, n, 0, 1, 1)).map(|r| r.sequence));
        assert_eq!(sequences, [Some(1), Some(3), Some(2), Some(4)]);
    }

    #[test]
    fn numbers_at_the_ends_of_their_range_do_not_panic() {
        for sequence in [0, 1, u64::from(u16::MAX), u64::MAX / 2] {
            let mut rewriter = Rewriter::new(u16::MAX);
            let first = packet(Instant::now(), sequence, u32::MAX, PICTURE_ID_MASK, u8::MAX);
            rewriter.switch(&first);
            assert_eq!(rewriter.rewrite(&first).map(|r| r.sequence), Some(u64::from(u16::MAX)));
        }
    }
}
