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

/// Pictures that are remembered: two seconds of what is dropped of 30 a second. What is older is too late.
const REMEMBERED_PICTURES: usize = 64;
/// VP8's picture ids have 15 bits.
const HALF_OF_PICTURE_IDS: u16 = 0x4000;

/// Pictures of a source that a receiver isn't sent: decoders take a hole in VP8's picture ids for a loss.
#[derive(Clone, Debug, Default)]
pub(crate) struct PictureGaps {
    /// The latest, in the order of leaving out.
    recent: VecDeque<u16>,
    /// All of them, in the width of an id.
    total: u16,
}

impl PictureGaps {
    /// A packet of this picture is left out. Called for each of its packets.
    pub(crate) fn leave_out(&mut self, id: u16) {
        if self.recent.contains(&id) {
            return;
        }
        self.total = self.total.wrapping_add(1);
        self.recent.push_back(id);
        if self.recent.len() > REMEMBERED_PICTURES {
            self.recent.pop_front();
        }
    }

    /// Pictures that were left out before this one.
    pub(crate) fn before(&self, id: u16) -> u16 {
        let is_later =
            |left_out: &&u16| left_out.wrapping_sub(id) & (2 * HALF_OF_PICTURE_IDS - 1) < HALF_OF_PICTURE_IDS;
        self.total.wrapping_sub(self.recent.iter().rev().take_while(is_later).count() as u16)
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
    fn pictures_that_are_left_out_are_counted_once_also_where_ids_wrap() {
        let mut pictures = PictureGaps::default();
        for id in [0x7ffd, 0x7ffd, 0x7fff, 1] {
            pictures.leave_out(id);
        }
        assert_eq!([0x7ffc, 0x7ffe, 0, 2, 900].map(|id| pictures.before(id)), [0, 1, 2, 3, 3]);
        (2..200).for_each(|id| pictures.leave_out(2 * id));
        assert_eq!((pictures.before(401), pictures.recent.len()), (201, REMEMBERED_PICTURES));
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
