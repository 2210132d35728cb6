//! What the bus can be told.

use crate::effect::SourceKey;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// A socket, by its place in the shell's table; given again once it is closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SocketId(pub u32);

/// Key and value of a user; the value is JSON text as a client wrote it.
pub type Attribute = (String, Box<str>);

/// By what a client that comes back is known, besides the userId in what it sends (E-04).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Returning {
    /// The cookie that was set at the upgrade.
    Cookie(u128),
    /// Its address and what it says of itself (user agent), hashed.
    Address(u64),
}

/// Who opens a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Visitor {
    /// The cookie that it sent, or was given.
    pub cookie: u128,
    /// It sent one: next time it will again.
    pub sent_cookie: bool,
    /// See [`Returning::Address`].
    pub address: u64,
}

/// A token's rights in its room.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Grant {
    /// Which room.
    pub room: Arc<str>,
    /// May hear what is said there.
    pub may_see: bool,
    /// May say something there.
    pub may_send: bool,
}

/// What a socket may and wants to see.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct View {
    /// These rooms only; `None`: all.
    pub narrowed: Option<Arc<BTreeSet<Arc<str>>>>,
    /// A token's room, besides the open ones.
    pub grant: Option<Grant>,
}

impl View {
    /// May somebody with this say something in a room that is open, or isn't?
    pub fn may_send(&self, room: &str, open: bool) -> bool {
        self.grant_for(room).map_or(open, |grant| grant.may_send)
    }

    /// May it hear what is said there, if it wants?
    pub fn may_see(&self, room: &str, open: bool) -> bool {
        self.grant_for(room).map_or(open, |grant| grant.may_see)
    }

    /// Does it want to hear it?
    pub fn wants(&self, room: &str) -> bool {
        self.narrowed.as_ref().is_none_or(|rooms| rooms.contains(room))
    }

    /// Its token is for this room.
    pub fn has_token_for(&self, room: &str) -> bool {
        self.grant_for(room).is_some()
    }

    fn grant_for(&self, room: &str) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| &*grant.room == room)
    }
}

/// What a message is about, as far as the bus acts on it. All but [`What::Kept`] are passed on.
#[derive(Clone, Debug)]
pub enum What {
    /// E-02: messages for the joiner alone go before it.
    Join(Vec<Bytes>),
    /// E-04.
    Leave,
    /// E-05: in every room.
    UserUpdate(Vec<Attribute>),
    /// E-06: in one.
    ChannelUserUpdate(Vec<Attribute>),
    /// E-11: the newest of each user counts.
    Image,
    /// E-11: no more of them.
    ImageLeave,
    /// E-13.
    Reset,
    /// E-13: UPDATE, clients should load themselves anew.
    Reload,
    /// Nothing to act on.
    Other,
    /// It goes another way (chat goes by the room); only who it is from is new.
    Kept,
}

/// A client's message.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its room, if it has one.
    pub room: Option<Arc<str>>,
    /// Its `userId`, if it has one.
    pub user: Option<Arc<str>>,
    /// Its `userName`, as JSON text.
    pub name: Option<Box<str>>,
    /// The message, as every socket gets it.
    pub frame: Bytes,
    /// What it is about.
    pub what: What,
}

/// Why somebody is not in a room any more, though the bus had not said so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// An operator, or the API, removed them: their sockets close.
    Operator,
    /// The room has ended.
    RoomEnded,
    /// Anything else.
    Other,
}

/// Everything that can happen to the bus.
#[derive(Clone, Debug)]
pub enum Input {
    /// A socket is there.
    Opened {
        /// Which.
        socket: SocketId,
        /// Whose.
        visitor: Visitor,
        /// What it may and wants to see.
        view: View,
        /// It is an operator's.
        operator: bool,
    },
    /// It is gone.
    Closed {
        /// Which.
        socket: SocketId,
        /// When it was heard last: it may have been gone since then.
        heard_at: Instant,
    },
    /// It says something.
    Said {
        /// Which.
        socket: SocketId,
        /// What.
        said: Said,
    },
    /// A message for all who may see its room, or for all who see everything: chat that the room has taken, the server's own.
    Post {
        /// Its room, if it has one.
        room: Option<Arc<str>>,
        /// The message.
        frame: Bytes,
    },
    /// Somebody of another gateway is in a room, or has changed.
    Present {
        /// Which room.
        room: Arc<str>,
        /// As bus clients know them: `token:alice`.
        id: Arc<str>,
        /// `userName` and whatever else is known.
        attributes: Vec<Attribute>,
    },
    /// They are gone.
    Gone {
        /// Which room.
        room: Arc<str>,
        /// Who.
        id: Arc<str>,
    },
    /// A room is for token holders from now on.
    BecameToken {
        /// Which.
        room: Arc<str>,
    },
    /// A room has ended; its name may be open again.
    RoomEnded {
        /// Which.
        room: Arc<str>,
    },
    /// Somebody whom the bus had shown to others ([`crate::Effect::Enter`]) was removed from a room there.
    Removed {
        /// Which room.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// By whom, or what.
        by: Removal,
    },
    /// A room did not take somebody whom the bus wanted to show to others.
    Refused {
        /// Which room.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// They may not be there at all; else they are only not shown.
        banned: bool,
    },
}

/// Names the source of messages of which the newest counts.
pub(crate) fn source(room: Option<&str>, user: Option<&str>, socket: SocketId) -> SourceKey {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (room, user, user.is_none().then_some(socket)).hash(&mut hasher);
    SourceKey(hasher.finish())
}
