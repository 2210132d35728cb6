//! What the store refuses, and why just there.

/// A log's or a key's name, bytes: a room's name (256) twice, and some words.
pub const MAX_KEY_BYTES: usize = 1024;

/// One record or document, bytes: a message of the largest size that the bus takes (1 MiB), with its envelope.
pub const MAX_VALUE_BYTES: usize = 1024 * 1024 + 4096;

/// Rows or records that one answer holds: who wants more asks for the next page.
pub const MAX_PAGE: usize = 10_000;

/// Changes in one commit: an account with everything that hangs on it.
pub const MAX_CHANGES: usize = 256;

/// Writes that wait for the writer, and their bytes together; a later one is refused as overloaded. At 15 µs a record the
/// writer clears them within a second.
pub const MAX_WAITING: usize = 10_000;
/// See [`MAX_WAITING`].
pub const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
