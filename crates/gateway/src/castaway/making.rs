//! How much each account has in the making: what is written for it, and not yet among what the store says it keeps
//! ([`super::records::kept_bytes`]). Both together are bounded by `castaway.account_size`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug)]
pub(super) struct Making {
    max_bytes: u64,
    // Those alone for whom something is written; touched once a piece, never held across an await.
    bytes: Mutex<HashMap<Arc<str>, u64>>,
}

impl Making {
    /// `None`: an account is not bounded.
    pub(super) fn new(max_bytes: Option<u64>) -> Self {
        Self { max_bytes: max_bytes.unwrap_or(u64::MAX), bytes: Mutex::default() }
    }

    /// Counts what is about to be written for somebody who keeps `stored` bytes; false: it would be too much.
    pub(super) fn add(&self, owner: &str, stored: u64, bytes: u64) -> bool {
        let mut all = self.all();
        let now = all.get(owner).copied().unwrap_or(0);
        let fits = stored.saturating_add(now).saturating_add(bytes) <= self.max_bytes;
        if fits {
            all.insert(owner.into(), now + bytes);
        }
        fits
    }

    /// Counts what was written already, before this process began.
    pub(super) fn found(&self, owner: &str, bytes: u64) {
        *self.all().entry(owner.into()).or_default() += bytes;
    }

    /// It is gone, or the store knows of it.
    pub(super) fn take(&self, owner: &str, bytes: u64) {
        let mut all = self.all();
        if let Some(now) = all.get_mut(owner) {
            *now = now.saturating_sub(bytes);
            if *now == 0 {
                all.remove(owner);
            }
        }
    }

    /// Of somebody.
    pub(super) fn of(&self, owner: &str) -> u64 {
        self.all().get(owner).copied().unwrap_or(0)
    }

    /// Whether this is no more than an account may keep.
    pub(super) fn allows(&self, bytes: u64) -> bool {
        bytes <= self.max_bytes
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Arc<str>, u64>> {
        // Each change is a single step.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_and_what_is_written_count_together_and_each_account_for_itself() {
        let making = Making::new(Some(100));
        assert!(making.add("ann", 60, 40) && !making.add("ann", 60, 1) && making.add("ben", 0, 100));
        making.take("ann", 10);
        assert!(making.add("ann", 60, 10) && !making.add("ann", u64::MAX, 1));
        making.take("ann", 99);
        assert_eq!((making.of("ann"), making.all().len()), (0, 1), "nobody is remembered for nothing");
    }

    #[test]
    fn without_a_bound_everything_fits() {
        assert!(Making::new(None).add("ann", u64::MAX - 1, 1));
    }
}
