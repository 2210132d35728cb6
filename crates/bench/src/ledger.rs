//! What a subscriber keeps of one track: counts, gaps, frames, damage. All of it is a function of the packets given,
//! so it is tested without a network.

use crate::stamp::{Stamp, StampError};
use crate::vp8;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// One packet in so many has its checksum verified: FNV over all of them would cost more than receiving them.
const VERIFY_EVERY: u64 = 16;
/// Frames put together at a time: older ones that miss a packet won't be completed any more.
const OPEN_FRAMES: usize = 64;

/// A received packet, already decrypted.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Extended sequence number.
    pub seq: u64,
    /// RTP timestamp.
    pub rtp_time: u32,
    /// RTP marker.
    pub marker: bool,
    /// VP8 or Opus.
    pub video: bool,
    /// Without header and padding.
    pub payload: &'a [u8],
    /// When it came.
    pub at: Instant,
}

/// Counts of one track at one subscriber.
#[derive(Clone, Debug, Default)]
pub struct TrackStats {
    /// Packets with a payload.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Sequence numbers that never came, up to now.
    pub missing: u64,
    /// Packets that came after a later one.
    pub late: u64,
    /// Frames with all their packets.
    pub frames: u64,
    /// Of these, keyframes.
    pub keyframes: u64,
    /// Neighbouring frames whose 15-bit picture ids don't follow each other.
    pub picture_id_breaks: u64,
    /// Packets whose checksum was verified.
    pub verified: u64,
    /// Packets whose checksum was wrong, or whose source changed within the track.
    pub damaged: u64,
    /// The longest time between two packets.
    pub longest_gap: Duration,
    /// The most packets that were missing in a row when the next one came; some may have come later.
    pub longest_hole: u64,
    /// Frame numbers of the first and the last stamp: what was sent meanwhile, whatever the publisher's pace.
    pub stamped: Option<(u32, u32)>,
    /// When the first complete frame that begins with a keyframe was there (for audio: the first packet).
    pub first_frame: Option<Instant>,
    /// When the last packet came.
    pub last_packet: Option<Instant>,
    /// The publisher's stamp, once seen.
    pub source: Option<u32>,
}

impl TrackStats {
    /// Share of what was sent that never came, 0..=1.
    pub fn loss(&self) -> f64 {
        self.missing as f64 / (self.packets + self.missing).max(1) as f64
    }

    /// Frames that the publisher made from the first to the last that was seen here.
    pub fn frames_made(&self) -> u64 {
        self.stamped.map_or(0, |(first, last)| u64::from(last.saturating_sub(first)) + 1)
    }

    /// Adds another track's counts: sums, and the worse of both gaps.
    pub fn absorb(&mut self, other: &TrackStats) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.missing += other.missing;
        self.late += other.late;
        self.frames += other.frames;
        self.keyframes += other.keyframes;
        self.picture_id_breaks += other.picture_id_breaks;
        self.verified += other.verified;
        self.damaged += other.damaged;
        self.longest_gap = self.longest_gap.max(other.longest_gap);
        self.longest_hole = self.longest_hole.max(other.longest_hole);
    }
}

/// A frame that is being put together.
#[derive(Debug, Default)]
struct OpenFrame {
    first: Option<u64>,
    last: Option<u64>,
    parts: u64,
    key: bool,
    picture_id: Option<u16>,
}

impl OpenFrame {
    fn is_complete(&self) -> bool {
        matches!((self.first, self.last), (Some(first), Some(last)) if last + 1 - first == self.parts)
    }
}

/// The book of one track.
#[derive(Debug, Default)]
pub struct Ledger {
    stats: TrackStats,
    /// The lowest and the highest sequence number up to now.
    span: Option<(u64, u64)>,
    open: BTreeMap<u32, OpenFrame>,
    last_frame: Option<LastFrame>,
}

#[derive(Debug)]
struct LastFrame {
    ends: u64,
    picture_id: Option<u16>,
}

/// Frames without a keyframe after which a decoder asks for one, and between two such requests: a sixth and half a second.
const BLIND_FRAMES: u64 = 5;
const ASK_EVERY_FRAMES: u64 = 15;

impl Ledger {
    /// Frames come and there is no keyframe to begin with: the first one came before the answer that told of its stream.
    /// It is time to ask for another.
    pub fn is_blind(&self) -> bool {
        self.stats.first_frame.is_none() && self.stats.frames % ASK_EVERY_FRAMES == BLIND_FRAMES
    }

    /// The counts up to now.
    pub fn stats(&self) -> &TrackStats {
        &self.stats
    }

    /// Books a packet. True when it completed the track's first frame.
    pub fn book(&mut self, arrival: &Arrival<'_>) -> bool {
        if arrival.payload.is_empty() {
            self.count_sequence(arrival.seq);
            return false;
        }
        self.count_sequence(arrival.seq);
        self.stats.packets += 1;
        self.stats.bytes += arrival.payload.len() as u64;
        self.count_gap(arrival.at);
        if arrival.video { self.book_video(arrival) } else { self.book_audio(arrival) }
    }

    fn count_sequence(&mut self, seq: u64) {
        let (lowest, highest) = self.span.unwrap_or((seq, seq));
        if seq > highest {
            let hole = seq - highest - 1;
            self.stats.missing += hole;
            self.stats.longest_hole = self.stats.longest_hole.max(hole);
        } else if seq < highest && seq >= lowest {
            self.stats.late += 1;
            self.stats.missing = self.stats.missing.saturating_sub(1);
        }
        self.span = Some((lowest.min(seq), highest.max(seq)));
    }

    fn count_gap(&mut self, at: Instant) {
        if let Some(last) = self.stats.last_packet.replace(at) {
            self.stats.longest_gap = self.stats.longest_gap.max(at.saturating_duration_since(last));
        }
    }

    fn book_audio(&mut self, arrival: &Arrival<'_>) -> bool {
        self.check(arrival.payload, 1);
        self.stats.frames += 1;
        self.stats.first_frame.replace(self.stats.first_frame.unwrap_or(arrival.at)).is_none()
    }

    fn book_video(&mut self, arrival: &Arrival<'_>) -> bool {
        let Some(packet) = vp8::read(arrival.payload) else {
            self.stats.damaged += 1;
            return false;
        };
        self.check(&arrival.payload[packet.body..], packet.frame_header);
        let frame = self.open.entry(arrival.rtp_time).or_default();
        frame.parts += 1;
        if packet.starts_frame {
            frame.first = Some(arrival.seq);
            frame.key = packet.key;
            frame.picture_id = packet.picture_id;
        }
        if arrival.marker {
            frame.last = Some(arrival.seq);
        }
        let completed = frame.is_complete().then(|| self.open.remove(&arrival.rtp_time)).flatten();
        if self.open.len() > OPEN_FRAMES {
            self.open.pop_first();
        }
        completed.is_some_and(|frame| self.complete(&frame, arrival.at))
    }

    fn complete(&mut self, frame: &OpenFrame, at: Instant) -> bool {
        self.stats.frames += 1;
        self.stats.keyframes += u64::from(frame.key);
        self.follow_picture_id(frame);
        let first = frame.key && self.stats.first_frame.is_none();
        if first {
            self.stats.first_frame = Some(at);
        }
        first
    }

    /// Frames next to each other in sequence must be next to each other by picture id (RFC 7741 section 4.2).
    fn follow_picture_id(&mut self, frame: &OpenFrame) {
        let (Some(first), Some(ends)) = (frame.first, frame.last) else {
            return;
        };
        if let (Some(last), Some(id)) = (&self.last_frame, frame.picture_id) {
            let expected = last.picture_id.map(|id| (id + 1) & 0x7fff);
            if first == last.ends + 1 && expected.is_some_and(|expected| expected != id) {
                self.stats.picture_id_breaks += 1;
            }
        }
        if self.last_frame.as_ref().is_none_or(|last| ends > last.ends) {
            self.last_frame = Some(LastFrame { ends, picture_id: frame.picture_id });
        }
    }

    fn check(&mut self, body: &[u8], at: usize) {
        let verify = self.stats.packets.is_multiple_of(VERIFY_EVERY);
        match Stamp::read(body, at, verify) {
            Ok(stamp) => {
                self.stats.verified += u64::from(verify);
                let (first, last) = self.stats.stamped.unwrap_or((stamp.frame, stamp.frame));
                self.stats.stamped = Some((first.min(stamp.frame), last.max(stamp.frame)));
                self.stats.damaged += u64::from(*self.stats.source.get_or_insert(stamp.source) != stamp.source);
            }
            Err(StampError::Damaged) => self.stats.damaged += 1,
            Err(StampError::Foreign) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vp8::Encoder;

    /// Books `frames` frames, leaving out the packets that `lost` names by sequence number.
    fn book(frames: u32, lost: &[u64]) -> Ledger {
        let start = Instant::now();
        let (mut ledger, mut encoder, mut seq) = (Ledger::default(), Encoder::new(1, 640, 360, 30, 900_000), 100);
        for frame in 0..frames {
            let payloads = encoder.next_frame(0);
            for (index, payload) in payloads.iter().enumerate() {
                let marker = index + 1 == payloads.len();
                let at = start + Duration::from_millis(33) * frame;
                if !lost.contains(&seq) {
                    ledger.book(&Arrival { seq, rtp_time: frame * 3000, marker, video: true, payload, at });
                }
                seq += 1;
            }
        }
        ledger
    }

    #[test]
    fn a_whole_stream_has_all_frames_and_no_damage() {
        let stats = book(90, &[]).stats().clone();
        assert_eq!((stats.frames, stats.keyframes, stats.missing, stats.damaged), (90, 1, 0, 0));
        assert_eq!(stats.picture_id_breaks, 0);
        assert!(stats.verified > 10 && stats.first_frame.is_some());
    }

    #[test]
    fn a_lost_packet_is_missed_and_takes_its_frame() {
        let stats = book(90, &[130]).stats().clone();
        assert_eq!((stats.missing, stats.frames), (1, 89));
    }

    #[test]
    fn without_a_whole_keyframe_there_is_no_first_frame() {
        assert!(book(30, &[101]).stats().first_frame.is_none());
    }

    #[test]
    fn a_late_packet_heals_its_gap_and_its_frame() {
        let mut encoder = Encoder::new(1, 640, 360, 30, 900_000);
        let (mut ledger, at) = (Ledger::default(), Instant::now());
        let payloads = encoder.next_frame(0);
        let order: Vec<usize> = [0].into_iter().chain(2..payloads.len()).chain([1]).collect();
        for index in order {
            let (seq, marker) = (10 + index as u64, index + 1 == payloads.len());
            ledger.book(&Arrival { seq, rtp_time: 0, marker, video: true, payload: &payloads[index], at });
        }
        assert_eq!((ledger.stats().missing, ledger.stats().late, ledger.stats().frames), (0, 1, 1));
    }
}
