//! Budgets: so many at once, so many a second after that (token buckets).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Instant;

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// At once.
    pub(crate) burst: f64,
    /// Refilled a second.
    pub(crate) per_s: f64,
}

/// One spender's budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Self { left: rate.burst, at: now }
    }

    /// Spends `cost` if it is there.
    pub(crate) fn spend(&mut self, rate: Rate, cost: f64, now: Instant) -> bool {
        self.refill(rate, now);
        let enough = self.left >= cost;
        if enough {
            self.left -= cost;
        }
        enough
    }

    fn refill(&mut self, rate: Rate, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + elapsed * rate.per_s).min(rate.burst);
        self.at = now;
    }

    fn is_full(&mut self, rate: Rate, now: Instant) -> bool {
        self.refill(rate, now);
        self.left >= rate.burst
    }
}

/// A budget for each key, for a bounded number of keys.
#[derive(Debug)]
pub(crate) struct Budgets<K> {
    rate: Rate,
    max_keys: usize,
    // Touched once a request, never on the media path, and never held across an await.
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Hash + Eq> Budgets<K> {
    pub(crate) fn new(rate: Rate, max_keys: usize) -> Self {
        Self { rate, max_keys, buckets: Mutex::new(HashMap::new()) }
    }

    /// Has this key anything left?
    pub(crate) fn has(&self, key: &K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        buckets.get_mut(key).is_none_or(|bucket| bucket.spend(self.rate, 0.0, now) && bucket.left >= 1.0)
    }

    /// Spends one of `key`'s. When there are too many keys, those whose budget is full again are forgotten (they lose
    /// nothing by it); if that frees nothing, newcomers wait.
    pub(crate) fn spend(&self, key: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if buckets.len() >= self.max_keys && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| !bucket.is_full(self.rate, now));
            if buckets.len() >= self.max_keys {
                return false;
            }
        }
        buckets.entry(key).or_insert_with(|| Bucket::full(self.rate, now)).spend(self.rate, 1.0, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATE: Rate = Rate { burst: 2.0, per_s: 1.0 };

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let start = Instant::now();
        let budgets = Budgets::new(RATE, 10);
        assert!(budgets.spend("a", start) && budgets.spend("a", start));
        assert!(!budgets.spend("a", start));
        assert!(budgets.spend("b", start), "others have their own");
        assert!(budgets.spend("a", start + Duration::from_secs(1)));
        assert!(!budgets.spend("a", start + Duration::from_secs(1)));
    }

    #[test]
    fn keys_are_bounded_and_the_idle_are_forgotten_first() {
        let start = Instant::now();
        let budgets = Budgets::new(RATE, 2);
        assert!(budgets.spend(1, start) && budgets.spend(2, start));
        assert!(!budgets.spend(3, start), "no room and nobody idle");
        let later = start + Duration::from_secs(5);
        assert!(budgets.spend(3, later));
        assert_eq!(budgets.buckets.lock().unwrap().len(), 1);
    }
}
