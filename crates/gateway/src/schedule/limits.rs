//! What the schedule refuses, and why just there.

use std::time::Duration;

/// Calendars of other people's that are followed: each may cost some MiB of memory.
pub(super) const MAX_SOURCES: usize = 16;

/// Bytes of one source, all its pages together: some thousand events with their texts.
pub(super) const MAX_SOURCE_BYTES: usize = wire::calendar::limits::MAX_CALENDAR_BYTES;

/// Pages of one source: Google gives 250 events a page where nobody says how many.
pub(super) const MAX_PAGES: usize = 16;

/// Patience with one page of a source, from the name to the last byte.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// The shortest pause between two looks at a source, whatever the settings say.
pub(super) const MIN_PAUSE: Duration = Duration::from_secs(1);

/// Before the first look at a source: a server that is started again and again asks nobody.
pub(super) const START_WAIT: Duration = Duration::from_millis(100);

/// Operators' own events: ten a week for four years.
pub(super) const MAX_OWN: usize = 2_000;

/// Bytes of an operator's event as it comes: its text (32 KiB), escaped, and options.
pub(super) const MAX_DRAFT_BYTES: usize = 128 * 1024;

/// Bytes of all operators' events together: they are held in memory.
pub(super) const MAX_OWN_BYTES: usize = 16 * 1024 * 1024;

/// Events that are shown, of everybody's; what comes next comes first.
pub(super) const MAX_EVENTS: usize = 5_000;

/// Events of one answer for our page that are on or still to come.
pub(super) const MAX_COMING: usize = 200;

/// Events of one answer for our page that are over.
pub(super) const MAX_PAST: usize = 100;

/// Answers that are made at a time: each sorts all events.
pub(super) const MAX_ANSWERS: usize = 16;

/// Days back that are shown.
pub(super) const DAYS_BACK: i64 = 366;

/// Days ahead that are shown.
pub(super) const DAYS_AHEAD: i64 = 550;

/// Time that stepping through rules may take: operators, whose events are stepped through first, wait for it.
pub(super) const BUILD_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the window is moved on.
pub(super) const REBUILD: Duration = Duration::from_secs(600);

/// The longest time until the clock, which may be set, is looked at for what rooms are told.
pub(super) const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Readings at once from one address: a class behind one router opens the page together.
pub(super) const READING_BURST: f64 = 60.0;

/// Readings a second from one address after that.
pub(super) const READING_PER_S: f64 = 2.0;

/// Addresses that are remembered: 65,536 of them are about 4 MiB.
pub(super) const MAX_ADDRESSES: usize = 65_536;
