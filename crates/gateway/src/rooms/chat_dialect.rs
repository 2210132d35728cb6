//! The room's chat among those who hear data packets, as their gateway writes and reads it.

use room::ChatMessage;
use room::participant::Participant;
use std::fmt::Debug;
use std::sync::Arc;

/// Something that was said in data packets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overheard {
    /// The client's own id of it; may be empty.
    pub id: String,
    /// The words.
    pub text: String,
}

/// What the room tells of its chat in data packets, besides messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChatChange<'a> {
    /// A moderator has taken messages of this id out.
    Deleted(&'a str),
    /// A moderator has taken all of them out.
    Cleared,
}

/// How one gateway's clients say and hear chat in data packets. Called in room tasks: it must not block.
pub trait ChatDialect: Send + Sync + Debug {
    /// A message of somebody whom these clients have not heard, as reliable packets. `author`: if they are in the room.
    fn tell(&self, message: &ChatMessage, author: Option<&Participant>) -> Vec<Arc<[u8]>>;

    /// A change, as reliable packets.
    fn tell_change(&self, change: ChatChange<'_>) -> Vec<Arc<[u8]>>;

    /// Tells somebody that what this packet begins was not said, and why.
    fn tell_refusal(&self, packet: &[u8], why: &str) -> Option<Arc<[u8]>>;

    /// Reads one client's packets along.
    fn listener(&self) -> Box<dyn ChatListener>;
}

/// One client's chat packets, in their order.
pub trait ChatListener: Send + Sync + Debug {
    /// Reads one; gives what was said when it is all there.
    fn hear(&mut self, packet: &[u8]) -> Option<Overheard>;
}

/// Without any such gateway: nothing is told in data packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChatDialect;

impl ChatDialect for NoChatDialect {
    fn tell(&self, _: &ChatMessage, _: Option<&Participant>) -> Vec<Arc<[u8]>> {
        Vec::new()
    }

    fn tell_change(&self, _: ChatChange<'_>) -> Vec<Arc<[u8]>> {
        Vec::new()
    }

    fn tell_refusal(&self, _: &[u8], _: &str) -> Option<Arc<[u8]>> {
        None
    }

    fn listener(&self) -> Box<dyn ChatListener> {
        Box::new(Self)
    }
}

impl ChatListener for NoChatDialect {
    fn hear(&mut self, _: &[u8]) -> Option<Overheard> {
        None
    }
}

/// The dialect that a registry is given.
pub type SharedChatDialect = Arc<dyn ChatDialect>;
