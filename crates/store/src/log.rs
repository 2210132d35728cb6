//! Logs: records in the order in which they came, oldest trimmed.

use bytes::Bytes;
use std::sync::Arc;

/// Which log: a family has one retention by bytes, and one log for each name (a room's).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Log {
    /// `messages`, `chat`…
    pub family: &'static str,
    /// A room's name, say.
    pub name: Arc<str>,
}

impl Log {
    /// The log of this name.
    pub fn new(family: &'static str, name: impl Into<Arc<str>>) -> Self {
        Self { family, name: name.into() }
    }
}

/// Something to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Unix milliseconds, by the caller's clock.
    pub at_ms: i64,
    /// What [`Span::kind`] looks for: a message's type, say. May be empty.
    pub kind: String,
    /// Its content.
    pub value: Bytes,
}

/// A kept entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Rises with each entry of its log, by 1 or more; never 0 and never given twice, also after the log was cleared and
    /// after a restart.
    pub sequence: u64,
    /// See [`Entry::at_ms`].
    pub at_ms: i64,
    /// See [`Entry::kind`].
    pub kind: String,
    /// See [`Entry::value`].
    pub value: Bytes,
}

/// What of a log is kept; those that came first go first, the new entry always stays. 0: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// Records in this log.
    pub entries: u64,
    /// Bytes of values in this log.
    pub bytes: u64,
    /// Bytes of values in all logs of the family together.
    pub family_bytes: u64,
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Its sequence.
    pub sequence: u64,
    /// Records that retention removed, of this log and of others.
    pub trimmed: u64,
}

/// Which records of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Later than this sequence; 0: from the oldest.
    pub after: u64,
    /// Not older than this, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Of this kind only.
    pub kind: Option<String>,
    /// So many at most, ≤ [`crate::limits::MAX_PAGE`]: the newest ones of the span if `newest`, else the oldest.
    pub limit: usize,
    /// See `limit`. The answer is oldest first all the same.
    pub newest: bool,
}

impl Span {
    /// The newest records.
    pub fn newest(limit: usize) -> Self {
        Self { after: 0, since_ms: None, kind: None, limit, newest: true }
    }

    /// From the oldest on.
    pub fn oldest(limit: usize) -> Self {
        Self { newest: false, ..Self::newest(limit) }
    }
}

/// How much a log holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSize {
    /// Its name.
    pub name: Arc<str>,
    /// Records.
    pub entries: u64,
    /// Bytes of values.
    pub bytes: u64,
}
