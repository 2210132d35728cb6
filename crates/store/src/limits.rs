//! What the store refuses, and why just there.

use std::time::Duration;

/// A log's or a key's name, bytes: a room's name (256) twice, and some words.
pub const MAX_KEY_BYTES: usize = 1024;

/// One record or document, bytes: a message of the largest size that the bus takes (1 MiB), with its envelope.
pub const MAX_VALUE_BYTES: usize = 1024 * 1024 + 4096;

/// Rows or records that one answer holds: who wants more asks for the next page, until one is empty.
pub const MAX_PAGE: usize = 10_000;

/// Bytes of values that one answer holds: what memory bears several times.
pub const MAX_PAGE_BYTES: usize = 64 * 1024 * 1024;

/// Changes in one commit: an account with everything that hangs on it.
pub const MAX_CHANGES: usize = 256;

/// Writes that wait for the writer, and their bytes together; a later one is refused as overloaded. At 15 µs a record the
/// writer clears them within a second.
pub const MAX_WAITING: usize = 10_000;
/// See [`MAX_WAITING`].
pub const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// Questions that wait for a reader; a later one is refused as overloaded.
pub const MAX_READS: usize = 10_000;

/// Threads that read the file: a long answer must not keep all others waiting.
pub const READERS: usize = 2;

/// What the log beside the file is cut back to once it has been carried over into the file. It is larger only while
/// somebody reads for long, as a backup does.
pub const MAX_WAL_BYTES: i64 = 64 * 1024 * 1024;

/// How long a start looks for damage in the file: a start takes 300 ms at most.
pub const CHECK_TIMEOUT: Duration = Duration::from_millis(150);
