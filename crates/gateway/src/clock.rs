//! The wall clock, read where a token or a person needs it.

use room::input::Now;
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds.
pub(crate) fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Unix milliseconds.
pub(crate) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time as the models want it.
pub(crate) fn now() -> Now {
    Now { at: tokio::time::Instant::now().into_std(), unix_ms: unix_ms() }
}
