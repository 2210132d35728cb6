//! Tables: small documents by key.

use bytes::Bytes;

/// Which table: `accounts`, `schedule`…
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Table(pub &'static str);

/// A document as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its content.
    pub value: Bytes,
    /// Another one with each change; never 0.
    pub revision: u64,
}

/// A document and its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its key.
    pub key: String,
    /// The document.
    pub document: Document,
}

/// What a document must be for a change to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Anything, or nothing.
    Any,
    /// Not there.
    Absent,
    /// There, whatever it is.
    Present,
    /// Of this revision.
    Revision(u64),
}

/// One change of one document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where.
    pub table: Table,
    /// Its key, ≤ [`crate::limits::MAX_KEY_BYTES`].
    pub key: String,
    /// Made only if this holds.
    pub expect: Expect,
    /// The new content; `None`: it is deleted.
    pub value: Option<Bytes>,
}

impl Change {
    /// Writes a document, whatever was there.
    pub fn put(table: Table, key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self { table, key: key.into(), expect: Expect::Any, value: Some(value.into()) }
    }

    /// Deletes a document, whatever was there.
    pub fn delete(table: Table, key: impl Into<String>) -> Self {
        Self { table, key: key.into(), expect: Expect::Any, value: None }
    }

    /// The same, made only if `expect` holds.
    pub fn expecting(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }
}
