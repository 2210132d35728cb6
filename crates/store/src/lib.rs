//! What must outlive the process: messages, chat, schedule, accounts, recordings, statistics, bans.
//!
//! A [`Store`] knows none of these. It has **logs** (ordered, trimmed at the old end) and **tables** (small documents
//! by key, changed only if they are as expected), which is what an embedded database and a cluster's streams and buckets
//! both have. What the records mean is for those who write them; each keeps its records' shape in one place.
//!
//! The trait's conformance tests are in `conformance`: an engine is one if it passes them.
#![forbid(unsafe_code)]

mod check;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod limits;
mod log;
pub mod sqlite;
mod table;

pub use sqlite::Sqlite;

pub use log::{Appended, Entry, Log, LogSize, Record, Retention, Span};
pub use table::{Change, Document, Expect, Row, Table};

use futures_util::future::BoxFuture;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

/// Why something was not stored or found.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// A document is not as expected: somebody else changed it. Nothing was changed.
    #[error("the document has changed meanwhile")]
    Conflict,
    /// Larger than [`limits`] allow. Nothing was stored.
    #[error("{0} is too large to be stored")]
    TooLarge(&'static str),
    /// More waits to be stored than can be; nothing of this was stored. Try again later.
    #[error("the store is overloaded")]
    Overloaded,
    /// The engine failed: disk full, file damaged, connection lost. What was acknowledged before is kept.
    #[error("the store failed: {0}")]
    Failed(Arc<str>),
}

impl StoreError {
    /// The engine says why.
    pub fn failed(reason: impl Into<Arc<str>>) -> Self {
        Self::Failed(reason.into())
    }

    /// Whoever asks now asks too late.
    pub fn closed() -> Self {
        Self::failed("it is closed")
    }
}

/// What every method answers, later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// An engine. Shared by everybody, as `Arc<dyn Store>`.
///
/// An answer `Ok` to a write means that it is on stable storage: it survives a kill and a power cut, and is read by whoever
/// asks from then on. Work begins when a method is called, not when its answer is awaited, and is done also if the answer is
/// dropped; writes are done in the order of the calls. Writes that wait together are committed together.
pub trait Store: Send + Sync + Debug {
    /// Adds to the new end of a log, and removes from its old end what `retention` does not keep.
    fn append<'a>(&'a self, log: &Log, entry: Entry, retention: Retention) -> Answer<'a, Appended>;

    /// Reads a log, oldest first.
    fn read<'a>(&'a self, log: &Log, span: Span) -> Answer<'a, Vec<Record>>;

    /// Removes one record by its sequence; false if it is not there.
    fn remove<'a>(&'a self, log: &Log, sequence: u64) -> Answer<'a, bool>;

    /// Empties a log; says how many records went.
    fn clear<'a>(&'a self, log: &Log) -> Answer<'a, u64>;

    /// The logs of a family that hold anything and whose names are greater than `after`, by name, `limit` at most.
    fn logs<'a>(&'a self, family: &'static str, after: &str, limit: usize) -> Answer<'a, Vec<LogSize>>;

    /// One document.
    fn get<'a>(&'a self, table: Table, key: &str) -> Answer<'a, Option<Document>>;

    /// Documents whose keys begin with `prefix` and are greater than `after`, by key, `limit` at most.
    fn list<'a>(&'a self, table: Table, prefix: &str, after: &str, limit: usize) -> Answer<'a, Vec<Row>>;

    /// Makes all of the changes or none; says the revision of each written document (0 for those that were deleted). What
    /// is expected is compared with what was there before.
    fn commit<'a>(&'a self, changes: Vec<Change>) -> Answer<'a, Vec<u64>>;

    /// Writes a copy of everything, as of one moment, to a file that does not exist yet, while others go on.
    fn backup<'a>(&'a self, to: &Path) -> Answer<'a, ()>;
}
