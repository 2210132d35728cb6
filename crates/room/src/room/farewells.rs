//! Who left while somebody could not be told: a client that resumes takes everybody for present of whom it did not hear
//! otherwise (livekit.md 2.9).

use crate::limits::MAX_FAREWELLS;
use crate::participant::Participant;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// The last who left, oldest first.
#[derive(Debug, Default)]
pub(super) struct Farewells {
    kept: VecDeque<(Instant, Arc<Participant>)>,
    /// When the last left of those who are not kept any more.
    forgotten: Option<Instant>,
}

impl Farewells {
    /// Keeps what clients need to see somebody go, without what may be large.
    pub(super) fn note(&mut self, at: Instant, farewell: &Participant) {
        if farewell.permission.is_hidden() {
            return;
        }
        let mut brief = farewell.clone();
        (brief.metadata, brief.attributes, brief.tracks) = Default::default();
        self.kept.push_back((at, Arc::new(brief)));
        if self.kept.len() > MAX_FAREWELLS {
            self.forgotten = self.kept.pop_front().map(|(at, _)| at);
        }
    }

    /// Is everybody kept who left from then on?
    pub(super) fn reach_back_to(&self, since: Instant) -> bool {
        self.forgotten.is_none_or(|forgotten| forgotten < since)
    }

    /// Who left from then on, oldest first.
    pub(super) fn since(&self, since: Instant) -> impl Iterator<Item = &Arc<Participant>> {
        self.kept.iter().skip_while(move |(at, _)| *at < since).map(|(_, farewell)| farewell)
    }
}
