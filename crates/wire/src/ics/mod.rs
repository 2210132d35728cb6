//! iCalendar (RFC 5545): events in and out (E-32). Its grammar is the crate `calcard`'s; what is here is what the events
//! mean, and limits.

mod read;
mod write;

pub(crate) use read::read_repeats;
pub use read::{Calendar, IcsError, parse};
pub use write::write;

/// Line ends and separators in one calendar: each costs the parser some dozen bytes, whatever stands between them.
pub const MAX_SEPARATORS: usize = 400_000;
