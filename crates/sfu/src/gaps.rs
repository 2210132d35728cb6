//! Packets of a source that a receiver isn't sent, and the numbers of the others without them.

use std::collections::VecDeque;

/// Places that are remembered: a second and more of what is dropped of 3 Mbit/s. What comes later than that is too late.
const REMEMBERED: usize = 512;

/// Places in a source's numbering that were left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps {
    /// The latest, in order.
    recent: VecDeque<u64>,
    /// All of them, with those that are forgotten.
    total: u64,
    /// The highest number that was left out or sent.
    highest: Option<u64>,
}

impl Gaps {
    /// This packet is sent: the number of places before it that were left out. `None`: it is too late to know.
    pub(crate) fn before(&mut self, sequence: u64) -> Option<u64> {
        self.highest = self.highest.max(Some(sequence));
        let later = self.recent.len() - self.recent.partition_point(|place| *place < sequence);
        if later == self.recent.len() && self.total > later as u64 {
            return None;
        }
        Some(self.total - later as u64)
    }

    /// This packet is left out. False: later ones have been numbered with a place for it, so something has to fill it.
    pub(crate) fn leave_out(&mut self, sequence: u64) -> bool {
        if self.highest.is_some_and(|highest| sequence <= highest) {
            return false;
        }
        self.highest = Some(sequence);
        self.total += 1;
        self.recent.push_back(sequence);
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_leaves_no_hole() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.before(10), Some(0));
        assert!(gaps.leave_out(11) && gaps.leave_out(12));
        assert_eq!(gaps.before(13), Some(2));
        assert_eq!(gaps.before(10), Some(0), "late, and from before");
        assert!(gaps.leave_out(15));
        assert_eq!([gaps.before(14), gaps.before(16)], [Some(2), Some(3)], "out of order");
    }

    #[test]
    fn who_comes_late_to_be_left_out_has_its_place() {
        let mut gaps = Gaps::default();
        gaps.before(10);
        gaps.before(12);
        assert!(!gaps.leave_out(11), "the receiver waits for it");
        assert_eq!(gaps.before(13), Some(0));
        gaps.leave_out(14);
        assert!(!gaps.leave_out(14), "twice");
        assert_eq!(gaps.before(15), Some(1));
    }

    #[test]
    fn what_is_older_than_it_remembers_is_refused() {
        let mut gaps = Gaps::default();
        gaps.before(0);
        for sequence in 1..=2 * REMEMBERED as u64 {
            assert!(gaps.leave_out(2 * sequence));
            assert!(gaps.before(2 * sequence + 1).is_some());
        }
        assert_eq!(gaps.before(3), None);
        assert_eq!(gaps.recent.len(), REMEMBERED);
    }
}
