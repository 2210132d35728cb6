//! Which peer wants to be woken when.
//!
//! str0m moves its timeout with every packet. Following each move would cost a heap operation a packet, so a peer has
//! one entry at most: it may fire early, and is put back when it does.

use crate::peer::PeerKey;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, PeerKey)>>);

impl Timers {
    /// Wakes `peer` at `at`, unless its entry (`armed`) comes earlier anyway.
    pub(crate) fn arm(&mut self, peer: PeerKey, at: Instant, armed: &mut Option<Instant>) {
        if armed.is_none_or(|earlier| at < earlier) {
            self.0.push(Reverse((at, peer)));
            *armed = Some(at);
        }
    }

    /// The next peer whose entry is due, with the time of the entry.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, PeerKey)> {
        let due = self.0.peek().is_some_and(|Reverse((at, _))| *at <= now);
        due.then(|| self.0.pop()).flatten().map(|Reverse(entry)| entry)
    }

    /// When the next entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }
}
