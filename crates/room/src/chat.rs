//! The room's chat: what is said, by whom, and why something is not.

use crate::id::Identity;
use bytes::Bytes;
use std::sync::Arc;

/// Somebody wants to say something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChatPost {
    /// Who.
    pub author: Identity,
    /// Shown to people.
    pub name: String,
    /// The words, ≤ [`crate::limits::MAX_CHAT_TEXT_BYTES`].
    pub text: String,
    /// The client's own id of it, ≤ [`crate::limits::MAX_CHAT_ID_BYTES`]; `None` or empty: one is drawn.
    pub id: Option<String>,
    /// As its dialect wrote it, ≤ [`crate::limits::MAX_CHAT_FRAME_BYTES`]; passed through within that dialect.
    pub frame: Option<Bytes>,
}

/// Something that was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChatMessage {
    /// The author's, or 16 lowercase letters.
    pub id: Arc<str>,
    /// Unix milliseconds, by our clock.
    pub at_ms: i64,
    /// Who.
    pub author: Identity,
    /// Shown to people.
    pub name: String,
    /// The words.
    pub text: String,
    /// As the author's dialect wrote it.
    pub frame: Option<Bytes>,
}

/// Why something was not said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChatRefused {
    /// Nobody may write.
    #[error("the chat is closed")]
    Closed,
    /// They may not write.
    #[error("you are muted in this chat")]
    Muted,
    /// They may not be here.
    #[error("you are banned from this room")]
    Banned,
    /// They wrote a moment ago.
    #[error("slow mode: wait {} s before you write again", .wait_ms.div_ceil(1000))]
    SlowMode {
        /// Until they may again.
        wait_ms: u64,
    },
    /// Words, id or frame.
    #[error("the message is too long")]
    TooLong,
    /// It could not be kept.
    #[error("the message could not be stored, try again later")]
    Overloaded,
}

/// How a room's chat is kept in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChatRules {
    /// Nobody may write.
    pub closed: bool,
    /// Seconds between two messages of one author, ≤ [`crate::limits::MAX_SLOW_MODE_S`]; 0: no slow mode.
    pub slow_mode_s: u32,
}
