//! The artists' bus (elektron.md): one WebSocket message is one JSON object.
//!
//! | file | what |
//! |---|---|
//! | [`frame`] | what a message says, as far as the bus acts on it; the message itself is passed on byte for byte |
//! | [`attributes`] | the value of USER_UPDATE and CHANNEL_USER_UPDATE, key by key |
//! | [`message`] | messages of the server's own |
//! | [`datetime`] | their time |

pub mod attributes;
pub mod datetime;
pub mod frame;
pub mod message;

/// Longest message, in bytes: an image of the largest size that pages send is a hundredth of it.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// Longest userId and userName that are taken for somebody's, in bytes: what a room takes.
pub const MAX_USER_BYTES: usize = room::limits::MAX_NAME_BYTES;
