//! A data track: frames of bytes that a participant publishes, for those who ask for them (livekit.md 2.6).

use crate::id::{Identity, ParticipantSid, TrackSid};

/// What a participant asks to publish. LiveKit: `PublishDataTrackRequest`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataTrackRequest {
    /// The client's number of it: 1 to 65,535, unique among its data tracks. It stands in every packet.
    pub handle: u32,
    /// Unique among the participant's data tracks (1 to 256 bytes).
    pub name: String,
    /// LiveKit's `Encryption.Type`, passed through.
    pub encryption: i32,
    /// How frames are encoded, as the dialect wrote it (≤ [`crate::limits::MAX_DATA_FORMAT_BYTES`]); passed through.
    pub frame_encoding: Option<Vec<u8>>,
    /// What frames mean, as the dialect wrote it (≤ [`crate::limits::MAX_DATA_FORMAT_BYTES`]); passed through.
    pub schema: Option<Vec<u8>>,
}

/// A published data track, as others see it. LiveKit: `DataTrackInfo`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataTrack {
    /// Server-given: `DTR_…`
    pub sid: TrackSid,
    /// The publisher's number of it.
    pub handle: u16,
    /// What was asked for.
    pub request: DataTrackRequest,
}

/// A data track that somebody receives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedDataTrack {
    /// The receiver's number of it: it stands in the packets that it gets.
    pub handle: u16,
    /// Which.
    pub track: TrackSid,
    /// Who publishes it.
    pub publisher: ParticipantSid,
    /// Who publishes it.
    pub identity: Identity,
}
