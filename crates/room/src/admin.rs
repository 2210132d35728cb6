//! What an administrator (LiveKit's RoomService, L-06, L-55) asks of a room. Unlike a client's inputs these are
//! answered to whoever asks, not to the participant that they are about.

use crate::id::{Identity, TrackSid};
use crate::permission::Permission;
use std::collections::BTreeMap;

/// One request. What it made of the room is seen by the room's views.
#[derive(Clone, PartialEq, Debug)]
pub enum AdminRequest {
    /// MutePublishedTrack: the client is told to mute, and the others see it muted at once.
    Mute {
        /// Whose track.
        identity: Identity,
        /// Which.
        track: TrackSid,
        /// False needs [`crate::RoomConfig::enable_remote_unmute`]: a microphone opens by its owner's hand only.
        muted: bool,
    },
    /// UpdateParticipant: what is said of somebody, and what they may (L-43).
    UpdateParticipant {
        /// Whom.
        identity: Identity,
        /// Name, metadata, attributes.
        profile: ProfileChange,
        /// `None`: unchanged.
        permission: Option<Permission>,
    },
    /// UpdateSubscriptions: as if they had chosen themselves (L-36).
    UpdateSubscriptions {
        /// Whose choice.
        identity: Identity,
        /// Which tracks.
        tracks: Vec<TrackSid>,
        /// Wanted.
        subscribe: bool,
    },
    /// MoveParticipant: they leave, and their client is sent to another room with a token for it.
    Move {
        /// Whom.
        identity: Identity,
        /// To which room.
        room: String,
    },
    /// UpdateRoomMetadata.
    UpdateRoomMetadata {
        /// The new text; empty clears it.
        metadata: String,
    },
}

/// What is said of a participant, and should change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileChange {
    /// `None`: unchanged.
    pub name: Option<String>,
    /// `None`: unchanged.
    pub metadata: Option<String>,
    /// An empty value removes the key, keys that are not named stay.
    pub attributes: BTreeMap<String, String>,
}

/// Something that is said is too long. The texts are the reference's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TooLong {
    /// Over the limit of names.
    #[error("name length exceeds limits")]
    Name,
    /// Over the limit of metadata, a participant's or the room's.
    #[error("metadata size exceeds limits")]
    Metadata,
    /// All keys and values together.
    #[error("attribute size exceeds limits")]
    Attributes,
}

/// Why a request was not carried out; then nothing has changed. The texts are the reference's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody of that identity.
    #[error("participant does not exist")]
    NoParticipant,
    /// They publish no such track.
    #[error("track is not found")]
    NoTrack,
    /// Nobody may open another's microphone here.
    #[error("remote unmute not enabled")]
    RemoteUnmuteDisabled,
    /// They are shown here, and are in another room: ask there.
    #[error("participant is forwarded from another room")]
    Forwarded,
    /// Over a limit.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}
