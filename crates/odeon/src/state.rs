//! Whether the server takes newcomers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Not everything listens yet.
    Starting = 0,
    /// Open.
    Ready = 1,
    /// Nobody new gets in; rooms live on for a while.
    Draining = 2,
}

/// The server's phase: cheap to clone, the same for all clones.
#[derive(Clone, Debug, Default)]
pub struct State(Arc<AtomicU8>);

impl State {
    /// Where we are.
    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// Everything listens.
    pub fn set_ready(&self) {
        // A signal may have come first: draining is never undone.
        let _ = self.0.compare_exchange(Phase::Starting as u8, Phase::Ready as u8, Ordering::AcqRel, Ordering::Acquire);
    }

    /// From now on nobody new gets in.
    pub fn set_draining(&self) {
        self.0.store(Phase::Draining as u8, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_during_the_start_is_not_forgotten() {
        let state = State::default();
        assert_eq!(state.phase(), Phase::Starting);
        state.set_draining();
        state.set_ready();
        assert_eq!(state.phase(), Phase::Draining);
    }
}
