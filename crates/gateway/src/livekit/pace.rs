//! How much one session may say: whoever says more is no client of LiveKit's.

use crate::budget::{Bucket, Rate};
use std::time::Instant;

/// Messages at once: a client with many interfaces trickles over a hundred candidates in its first second, and a large
/// meeting asks for hundreds of subscriptions.
const BURST: f64 = 1_000.0;

/// And a second: pings, settings and candidates stay far below.
const PER_S: f64 = 200.0;

/// A message costs one, and one more for each of these bytes: two of the largest messages are a whole burst.
const BYTES_A_UNIT: f64 = 4_096.0;

const RATE: Rate = Rate { burst: BURST, per_s: PER_S };

/// One session's budget.
#[derive(Debug)]
pub(super) struct Pace(Bucket);

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self(Bucket::full(RATE, now))
    }

    /// May a message of this length still be said?
    pub(super) fn admit(&mut self, bytes: usize, now: Instant) -> bool {
        self.0.spend(RATE, 1.0 + bytes as f64 / BYTES_A_UNIT, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use wire::livekit::signal::MAX_SIGNAL_BYTES;

    #[test]
    fn q_18_a_client_passes_and_a_flood_does_not() {
        //
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!((0..900).all(|_| pace.admit(150, start)));
        assert!(!(0..200).all(|_| pace.admit(150, start)));
        assert!(pace.admit(150, start + Duration::from_secs(1)));
        let mut pace = Pace::new(start);
        assert!(pace.admit(MAX_SIGNAL_BYTES, start));
        assert!(!pace.admit(MAX_SIGNAL_BYTES, start));
    }
}
