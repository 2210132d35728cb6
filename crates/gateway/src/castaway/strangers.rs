//! Uploads whose sender has not said yet who they are, because the form's token comes after its file (C-22): few at a time, fewer
//! from one household, and not much of them together, so that nobody's bytes keep those out who have an account.

use super::limits::{MAX_STRANGERS, MAX_STRANGERS_BYTES, MAX_STRANGERS_EACH};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    // Held for single changes.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    uploads: usize,
    bytes: u64,
    households: HashMap<IpAddr, usize>,
}

/// One such upload, until it is dropped.
#[derive(Debug)]
pub(super) struct Stranger {
    all: Arc<Strangers>,
    household: IpAddr,
    bytes: u64,
}

impl Strangers {
    /// `None`: there are too many.
    pub(super) fn admit(self: &Arc<Self>, household: IpAddr) -> Option<Stranger> {
        let mut state = self.state();
        let of_household = state.households.get(&household).copied().unwrap_or(0);
        if state.uploads >= MAX_STRANGERS || of_household >= MAX_STRANGERS_EACH {
            return None;
        }
        state.uploads += 1;
        state.households.insert(household, of_household + 1);
        Some(Stranger { all: Arc::clone(self), household, bytes: 0 })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is made whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// Counts what is about to be written; false: all of them together bring too much.
    pub(super) fn bring(&mut self, bytes: u64) -> bool {
        let mut state = self.all.state();
        let fits = state.bytes.saturating_add(bytes) <= MAX_STRANGERS_BYTES;
        if fits {
            state.bytes += bytes;
            self.bytes += bytes;
        }
        fits
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut state = self.all.state();
        state.uploads -= 1;
        state.bytes -= self.bytes;
        if let Some(uploads) = state.households.get_mut(&self.household) {
            *uploads -= 1;
            if *uploads == 0 {
                state.households.remove(&self.household);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn household(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    // C-22
    #[test]
    fn c_22_strangers_are_few_from_one_household_and_few_in_all() {
        let strangers = Arc::new(Strangers::default());
        let mut all: Vec<_> = (0..MAX_STRANGERS_EACH).filter_map(|_| strangers.admit(household(1))).collect();
        assert_eq!(all.len(), MAX_STRANGERS_EACH);
        assert!(strangers.admit(household(1)).is_none());
        all.extend((2..=255).filter_map(|last| strangers.admit(household(last))));
        assert_eq!(all.len(), MAX_STRANGERS);
        all.clear();
        assert!(strangers.admit(household(1)).is_some());
        assert!(strangers.state().households.is_empty(), "nobody is remembered for nothing");
    }

    // C-22
    #[test]
    fn c_22_strangers_bring_only_so_much_together_until_they_are_known_or_gone() {
        let strangers = Arc::new(Strangers::default());
        let mut first = strangers.admit(household(1)).unwrap();
        let mut second = strangers.admit(household(2)).unwrap();
        assert!(first.bring(MAX_STRANGERS_BYTES - 1) && second.bring(1) && !second.bring(1));
        drop(first);
        assert!(second.bring(MAX_STRANGERS_BYTES - 1) && !second.bring(1));
    }
}
