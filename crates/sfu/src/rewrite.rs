//! One receiver's numbering of what it is sent.
//!
//! Belongs to subscriber and m-line, and outlives layers and tracks: a re-used m-line keeps its SSRC, so sequence,
//! timestamp and VP8 picture id go on there without a break whatever source comes next.

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rewriter {
    /// The source's first packet: what is older was never meant for this receiver.
    from: u64,
    sequence_offset: u64,
    timestamp_offset: u32,
    picture_offset: u16,
    tl0_offset: u8,
    last_sequence: u64,
    last: Option<Last>,
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
        }
    }

    /// From this packet on, another source: its numbers follow on from the last ones sent.
    pub(crate) fn switch(&mut self, packet: &IngressPacket) {
        self.from = packet.sequence;
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
        let sequence = packet.sequence.wrapping_add(self.sequence_offset);
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

    fn vp8(&self, packet: &IngressPacket) -> Option<Vp8Rewrite> {
        let vp8 = packet.vp8.as_ref()?;
        Some(Vp8Rewrite {
            picture_id: vp8.picture_id().map(|id| id.wrapping_add(self.picture_offset) & PICTURE_ID_MASK),
            tl0_pic_idx: vp8.tl0_pic_idx().map(|index| index.wrapping_add(self.tl0_offset)),
        })
    }
}
