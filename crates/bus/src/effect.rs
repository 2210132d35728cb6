//! What the bus wants done.

use crate::input::{Attribute, SocketId};
use bytes::Bytes;
use smallvec::SmallVec;
use std::sync::Arc;

/// Who gets a message: groups of sockets, each socket once. Shared from message to message.
pub type Audience = SmallVec<[Arc<[SocketId]>; 2]>;

/// Names where messages come from of which the newest counts: a user's camera in a room, a user who moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SourceKey(pub u64);

/// How a message waits for a socket that isn't ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// In order, each of them; a socket for which too many wait is closed.
    Ordered,
    /// In order; but for a slow socket a later one of the same source may take its place.
    Move(SourceKey),
    /// Beside the order: the newest of each source is enough.
    Newest(SourceKey),
    /// In order; what waits beside it of this source is not sent any more.
    Last(SourceKey),
    /// Beside the order: the newest CHANNELS_UPDATED is enough.
    Channels,
}

/// Why a socket is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// An operator removed its user.
    Removed,
}

/// What a client is told in an ERROR message. The text is for people who write clients.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Complaint {
    /// There is none, or it is not for whoever asks, which looks the same.
    #[error("there is no such room")]
    NoSuchRoom,
    /// E-13.
    #[error("this is for operators only")]
    NotAnOperator,
    /// As many users as may be.
    #[error("the room has as many users as it takes")]
    RoomFull,
    /// As many rooms as may be.
    #[error("the server has as many rooms as it takes")]
    TooManyRooms,
    /// One socket speaks for too many.
    #[error("a socket cannot speak for so many users")]
    TooManyUsers,
    /// What is known of a user is too much.
    #[error("so much cannot be known of a user")]
    UserTooLarge,
    /// What is known of all users is too much.
    #[error("so much cannot be known of all users")]
    PresenceFull,
    /// Token wins (product.md, «Access»).
    #[error("the room is for token holders from now on")]
    RoomTaken,
    /// An operator has banned them.
    #[error("you are banned from this room")]
    Banned,
}

/// Something for the shell to do, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Put this message into these sockets' outboxes: the same bytes for all.
    Send {
        /// To whom.
        to: Audience,
        /// What.
        frame: Bytes,
        /// How it waits.
        lane: Lane,
    },
    /// Tell one socket that something did not go well.
    Complain {
        /// Whom.
        to: SocketId,
        /// In which room.
        room: Option<Arc<str>>,
        /// What.
        complaint: Complaint,
    },
    /// Close this socket.
    Close {
        /// Which.
        socket: SocketId,
        /// Why.
        reason: CloseReason,
    },
    /// Show a user to the room's other clients: join it there.
    Enter {
        /// Which room.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// What is known of them.
        profile: Vec<Attribute>,
        /// A socket of theirs, for its rights and its address.
        socket: Option<SocketId>,
    },
    /// They have changed; the newest is enough.
    Profile {
        /// Which room.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// All that is known of them now.
        profile: Vec<Attribute>,
    },
    /// They are gone: leave the room there.
    Exit {
        /// Which room.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
    },
    /// E-13: clear the chat of every room that is open.
    ClearChats,
}
