//! What every engine refuses before it does anything.

use crate::limits::{MAX_CHANGES, MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::{Change, Entry, Log, StoreError};

/// A log's name is short enough.
pub(crate) fn log(log: &Log) -> Result<(), StoreError> {
    at_most(log.name.len(), MAX_KEY_BYTES, "a log's name")
}

/// An entry is small enough.
pub(crate) fn entry(entry: &Entry) -> Result<(), StoreError> {
    at_most(entry.kind.len(), MAX_KEY_BYTES, "a record's kind")?;
    at_most(entry.value.len(), MAX_VALUE_BYTES, "a record")
}

/// Changes are few and small enough.
pub(crate) fn changes(changes: &[Change]) -> Result<(), StoreError> {
    at_most(changes.len(), MAX_CHANGES, "a commit")?;
    for change in changes {
        at_most(change.key.len(), MAX_KEY_BYTES, "a key")?;
        at_most(change.value.as_ref().map_or(0, |value| value.len()), MAX_VALUE_BYTES, "a document")?;
    }
    Ok(())
}

fn at_most(size: usize, limit: usize, what: &'static str) -> Result<(), StoreError> {
    if size > limit { Err(StoreError::TooLarge(what)) } else { Ok(()) }
}
