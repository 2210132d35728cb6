//! Following a client whose address changes while ICE does not restart: another port of its NAT, another network.
//!
//! The client says where it is by nominating (USE-CANDIDATE in a check, RFC 8445 section 8.1.1). The library sends by the
//! way of the highest priority for 15 s after its last check, also when the client has left it; that would be 15 s without
//! a picture. So a nomination is followed as soon as the way in use has fallen silent. As long as it hasn't, clients that
//! nominate several ways at once are served by one.

use crate::way::{Origin, Way};
use std::time::{Duration, Instant};

/// Nothing heard by the way in use for so long: clients send sound every 20 ms, or reports and checks several times a
/// second once they miss something.
const SILENCE: Duration = Duration::from_secs(1);

/// Where a client is.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// What we send goes there, whatever the library thinks.
    changed_to: Option<Way>,
    /// Where it goes now.
    taken: Option<Origin>,
    /// When something came from there last.
    heard: Option<Instant>,
}

impl Followed {
    /// The way that the client has changed to.
    pub(crate) fn way(&self) -> Option<Way> {
        self.changed_to
    }

    /// What we send takes this way.
    pub(crate) fn takes(&mut self, origin: Option<Origin>) {
        if self.taken != origin {
            (self.taken, self.heard) = (origin, None);
        }
    }

    /// Does what we send take this way?
    pub(crate) fn is_taken(&self, origin: Origin) -> bool {
        self.taken == Some(origin)
    }

    /// Something came.
    pub(crate) fn hear(&mut self, now: Instant, origin: Origin) {
        if self.is_taken(origin) {
            self.heard = Some(now);
        }
    }

    /// Would a nomination of this way be followed?
    pub(crate) fn would_change(&self, now: Instant, origin: Origin) -> bool {
        let silent = self.heard.is_some_and(|heard| now.saturating_duration_since(heard) >= SILENCE);
        silent && !self.is_taken(origin)
    }

    /// The client is there now.
    pub(crate) fn change(&mut self, now: Instant, way: Way) {
        *self = Self { changed_to: Some(way), taken: Some(way.origin), heard: Some(now) };
    }

    /// ICE has found its own way (again).
    pub(crate) fn settle(&mut self) {
        self.changed_to = None;
    }

    /// This way is gone.
    pub(crate) fn forget(&mut self, origin: &Origin) {
        self.changed_to.take_if(|way| way.origin == *origin);
    }
}
