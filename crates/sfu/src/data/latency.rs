//! Data tracks are for what is worth nothing when it is late: what would wait too long in a channel is dropped before it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a data track's packet may wait in its receiver's channel (the reference's `datachannel_data_track_target_latency`).
const TARGET_LATENCY: Duration = Duration::from_millis(100);

/// How long the oldest byte in a channel has waited, from what was written and what is still buffered.
#[derive(Debug, Default)]
pub(crate) struct LatencyGate {
    written: u64,
    /// Ends of the messages that may still wait, with the time of their writing.
    waiting: VecDeque<(u64, Instant)>,
    /// Tracks whose frame of now has lost a packet: the rest of it would be of no use.
    cut: Vec<u16>,
}

impl LatencyGate {
    /// May a track's packet go in, with so many bytes buffered? A frame of which one packet was dropped is dropped to
    /// its end.
    pub(crate) fn admit(&mut self, now: Instant, buffered: usize, handle: u16, begins_frame: bool) -> bool {
        if self.is_late(now, buffered) {
            if !self.cut.contains(&handle) {
                self.cut.push(handle);
            }
            return false;
        }
        if begins_frame {
            self.cut.retain(|cut| *cut != handle);
        }
        !self.cut.contains(&handle)
    }

    /// So many bytes went in.
    pub(crate) fn written(&mut self, now: Instant, bytes: usize) {
        self.written += bytes as u64;
        self.waiting.push_back((self.written, now));
    }

    /// A track's packet could not go in.
    pub(crate) fn refused(&mut self, handle: u16) {
        if !self.cut.contains(&handle) {
            self.cut.push(handle);
        }
    }

    /// Its number may be another track's next.
    pub(crate) fn forget(&mut self, handle: u16) {
        self.cut.retain(|cut| *cut != handle);
    }

    fn is_late(&mut self, now: Instant, buffered: usize) -> bool {
        let gone = self.written.saturating_sub(buffered as u64);
        while self.waiting.front().is_some_and(|(end, _)| *end <= gone) {
            self.waiting.pop_front();
        }
        self.waiting.front().is_some_and(|(_, at)| now.saturating_duration_since(*at) >= TARGET_LATENCY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn l_65_what_waited_too_long_stops_what_comes() {
        // L-65
        let (mut gate, begin) = (LatencyGate::default(), Instant::now());
        assert!(gate.admit(begin, 0, 1, true));
        gate.written(begin, 1000);
        assert!(gate.admit(begin + 99 * MS, 1000, 1, true));
        gate.written(begin + 99 * MS, 1000);
        assert!(!gate.admit(begin + 100 * MS, 2000, 1, true));
        assert!(gate.admit(begin + 150 * MS, 1000, 1, true), "the first is gone, the second is young");
        assert!(!gate.admit(begin + 199 * MS, 1, 1, true), "also its last byte is late");
        assert!(gate.admit(begin + 500 * MS, 0, 1, true));
    }

    #[test]
    fn l_65_a_frame_that_lost_a_packet_is_dropped_to_its_end_and_no_other() {
        // L-65
        let (mut gate, begin) = (LatencyGate::default(), Instant::now());
        gate.written(begin, 10);
        assert!(!gate.admit(begin + 200 * MS, 10, 1, false));
        assert!(!gate.admit(begin + 201 * MS, 0, 1, false), "the rest of the frame");
        assert!(gate.admit(begin + 201 * MS, 0, 2, false), "another track's frame is whole");
        assert!(gate.admit(begin + 202 * MS, 0, 1, true), "the next frame");
        assert!(gate.admit(begin + 202 * MS, 0, 1, false));
    }
}
