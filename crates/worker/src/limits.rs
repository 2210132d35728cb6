//! What is refused, and why just there.

/// Longest data URL of a picture, in bytes: a photo of 4 megapixels is shorter.
pub const MAX_DATA_URL_BYTES: usize = 4 * 1024 * 1024;

/// Most pixels of a picture: what a decoder would make of a larger one is decided before it is decoded.
pub const MAX_PIXELS: u64 = 4_000_000;

/// Memory of one decoding, in bytes: 4 megapixels of four bytes, and what the decoder itself needs.
pub const MAX_DECODING_BYTES: u64 = 64 * 1024 * 1024;

/// Sources whose newest picture waits: more than that come again in a second.
pub const MAX_WAITING: usize = 256;

/// Bytes of all pictures that wait.
pub const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// Sources whose last picture is remembered, for motion: each is 768 bytes.
pub const MAX_REMEMBERED: usize = 4_096;
