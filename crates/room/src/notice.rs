//! What happens in a room, for those who are not in it: backends (webhooks) and agents. L-59.

use crate::chat::ChatMessage;
use crate::dispatch::AgentRequest;
use crate::participant::Participant;
use crate::track::Track;
use std::sync::Arc;

/// Why a room ended. LiveKit: `RoomEndReason`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// The API deleted it.
    Deleted = 1,
    /// Nobody was there for as long as its timeouts say (L-14).
    Idle = 2,
    /// The server goes down.
    Shutdown = 3,
}

/// One thing that happened. Everybody's doings are noticed, those of the hidden too: whoever is told is the operator's.
#[derive(Clone, PartialEq, Debug)]
pub enum Notice {
    /// The room is there. First of all.
    RoomStarted {
        /// The agents that it asks for.
        agents: Vec<AgentRequest>,
    },
    /// It is no more. Last of all.
    RoomFinished(EndReason),
    /// Somebody's media is connected for the first time.
    ParticipantJoined(Arc<Participant>),
    /// Somebody who had joined is gone.
    ParticipantLeft(Arc<Participant>),
    /// Somebody is gone whose media never connected.
    ParticipantConnectionAborted(Arc<Participant>),
    /// A track's media is there for the first time.
    TrackPublished {
        /// Whose.
        participant: Arc<Participant>,
        /// As it was seen on the wire.
        track: Arc<Track>,
    },
    /// A track that was published is gone.
    TrackUnpublished {
        /// Whose.
        participant: Arc<Participant>,
        /// As it was.
        track: Arc<Track>,
    },
    /// Somebody who isn't hidden has come, or has changed: their name, attributes, tracks… Much more often than
    /// [`Notice::ParticipantJoined`], and before it.
    Present(Arc<Participant>),
    /// Somebody who was present is gone.
    Gone(Arc<Participant>),
    /// Something was said, and stored.
    Chat(Arc<ChatMessage>),
    /// A message was taken out of the chat.
    ChatDeleted {
        /// Which.
        id: Arc<str>,
    },
    /// Every message was taken out of the chat.
    ChatCleared,
    /// From now on the room is for those with a token; those without one leave next.
    BecameToken,
}

impl Notice {
    /// A step in the life of the room, a participant or a track, as backends are told of them: not who moves and who says
    /// what.
    pub fn is_of_life(&self) -> bool {
        use Notice::*;
        !matches!(self, Present(_) | Gone(_) | Chat(_) | ChatDeleted { .. } | ChatCleared | BecameToken)
    }
}
