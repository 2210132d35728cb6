//! How much may be said: so much at once, so much a second after that (token buckets).

use std::time::Instant;

/// Messages of one second may be saved up for this many seconds: whoever moves a slider after a while of silence sends a
/// burst, and no tool of an artist's keeps that up.
pub const BURST_S: f64 = 5.0;

/// A message costs one, and one more for each of these bytes: an image of the usual size costs less than two, and of the
/// largest messages four are a burst.
pub const BYTES_A_UNIT: f64 = 16_384.0;

/// A budget that fills by itself.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    left: f64,
    at: Instant,
}

/// How large a budget is, and how fast it fills.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rate {
    /// At once.
    pub burst: f64,
    /// And then a second.
    pub per_s: f64,
}

impl Bucket {
    /// Nothing spent yet.
    pub fn full(rate: Rate, now: Instant) -> Self {
        Self { left: rate.burst, at: now }
    }

    /// Spends `cost`, if it is there.
    pub fn spend(&mut self, rate: Rate, cost: f64, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + elapsed * rate.per_s).min(rate.burst);
        self.at = now;
        let enough = self.left >= cost;
        if enough {
            self.left -= cost;
        }
        enough
    }

    /// All of it is there again.
    pub fn is_full(&self, rate: Rate, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left + elapsed * rate.per_s >= rate.burst
    }
}

/// How much one socket may say.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    rate: Rate,
    bucket: Bucket,
}

impl Pace {
    /// `per_s` messages a second, sustained.
    pub fn new(per_s: u32, now: Instant) -> Self {
        let per_s = f64::from(per_s);
        let rate = Rate { burst: per_s * BURST_S, per_s };
        Self { rate, bucket: Bucket::full(rate, now) }
    }

    /// May a message of this length still be said? The first one may always.
    pub fn admit(&mut self, bytes: usize, now: Instant) -> bool {
        let cost = 1.0 + bytes as f64 / BYTES_A_UNIT;
        self.bucket.spend(self.rate, cost.min(self.rate.burst), now)
    }
}
