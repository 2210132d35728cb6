//! What a client can ask for to test itself (L-60, livekit.md 2.9).

use crate::media::Transport;
use std::time::Duration;

/// A fault or a change, made on purpose. LiveKit: `SimulateScenario`. The gateway lets it through only where it is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    /// The client is shown as speaking for so long.
    Speaking(Duration),
    /// Its session ends without a word, as if its node had died.
    NodeFailure,
    /// It is told to resume, as if its session moved.
    Migration,
    /// It is told to stay away.
    ServerLeave,
    /// Its next resume, if it comes soon, is cut off.
    HangUpOnResume {
        /// Before anything was said, else right after `Resumed`.
        silent: bool,
    },
    /// It is told to connect anew.
    FullReconnect,
    /// Its next session, if it comes soon, is offered these ways alone. The client connects anew by itself.
    SwitchTransport(Transport),
    /// Its way down carries so much at most, bit/s; 0: what it carries.
    Downlink(u64),
}
