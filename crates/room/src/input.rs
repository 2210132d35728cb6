//! What a room can be told.

use crate::data_track::DataTrackRequest;
use crate::id::{Identity, ParticipantSid, SessionId, TrackSid};
use crate::media::{ConnectionMode, MediaEvent, Target, Transport};
use crate::participant::{ClientInfo, DisconnectReason, Participant, ParticipantKind};
use crate::permission::Permission;
use crate::room::GuestList;
use crate::scenario::Scenario;
use crate::settings::TrackSettings;
use crate::track::{TrackCodec, TrackRequest};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The time, twice: `at` drives timers, `unix_ms` is shown to people.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic.
    pub at: std::time::Instant,
    /// Wall clock, milliseconds.
    pub unix_ms: i64,
}

/// Somebody wants in; their token has been checked.
#[derive(Clone, Debug)]
pub struct Join {
    /// Drawn by the shell.
    pub session: SessionId,
    /// Who.
    pub identity: Identity,
    /// Shown to people.
    pub name: String,
    /// From the token (L-42) or the join request.
    pub metadata: String,
    /// From the token or the join request.
    pub attributes: BTreeMap<String, String>,
    /// From the token.
    pub permission: Permission,
    /// From the token.
    pub kind: ParticipantKind,
    /// Their client.
    pub client: ClientInfo,
    /// One PeerConnection or two.
    pub mode: ConnectionMode,
    /// By which ways their media may go.
    pub transport: Transport,
    /// Subscribe to everything that is published (L-21).
    pub auto_subscribe: bool,
    /// Subscribe to every data track.
    pub auto_subscribe_data: bool,
    /// Tracks may be paused where bandwidth is short (`subscriber_allow_pause`); else their lowest layers are sent.
    pub may_pause: bool,
    /// Tracks announced with the join (`add_track_requests`).
    pub tracks: Vec<TrackRequest>,
    /// (offer id, SDP) that came with the join.
    pub offer: Option<(u32, String)>,
}

impl Join {
    /// Somebody whose media, if any, go by other ways than a PeerConnection here: they are in the room, and shown.
    pub fn without_media(session: SessionId, identity: Identity, permission: Permission) -> Self {
        Self {
            session,
            identity,
            name: String::new(),
            metadata: String::new(),
            attributes: BTreeMap::new(),
            permission,
            kind: ParticipantKind::Standard,
            client: ClientInfo::default(),
            mode: ConnectionMode::None,
            transport: Transport::default(),
            auto_subscribe: false,
            auto_subscribe_data: false,
            may_pause: false,
            tracks: Vec::new(),
            offer: None,
        }
    }
}

/// How a publisher names somebody who may receive its tracks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subscriber {
    /// Whoever has this identity, also when they come later or come back.
    Identity(Identity),
    /// Whoever has this sid now.
    Sid(ParticipantSid),
}

/// What somebody may receive of a publisher. LiveKit: `TrackPermission`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackPermission {
    /// Who.
    pub subscriber: Subscriber,
    /// All tracks, those to come too.
    pub all_tracks: bool,
    /// Else these.
    pub tracks: Vec<TrackSid>,
}

/// Somebody as they are in their own room, for another room that shows them.
#[derive(Clone, Debug)]
pub struct Mirrored {
    /// What others see. Its tracks keep their sids in the other room.
    pub participant: Arc<Participant>,
    /// Whom they let receive their tracks, in whichever room.
    pub guests: GuestList,
}

impl Mirrored {
    /// Nothing has changed.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.participant, &other.participant) && self.guests == other.guests
    }
}

/// What a client that resumes says of itself. LiveKit: `SyncState`, without what only its own server needs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SyncState {
    /// Tracks that it wants against its default: unwanted ones if it subscribes to everything.
    pub tracks: Vec<TrackSid>,
    /// What it wants of these.
    pub subscribe: bool,
    /// Tracks that it has and wants nothing of for now.
    pub disabled: Vec<TrackSid>,
    /// What it publishes.
    pub published: Vec<TrackSid>,
    /// Sequence of the last reliable packet that it has of each sender.
    pub received: Vec<(ParticipantSid, u32)>,
}

/// Everything that can happen to a room.
#[derive(Clone, Debug)]
pub enum RoomInput {
    /// Somebody joins.
    Join(Box<Join>),
    /// Somebody says goodbye.
    Leave {
        /// Who.
        session: SessionId,
        /// Why.
        reason: DisconnectReason,
    },
    /// Their signalling broke without a word (L-28): they stay while their media lives.
    SignalLost {
        /// Who.
        session: SessionId,
    },
    /// Their signalling is back on a new connection; [`crate::Room::check_resume`] has found the session (L-31).
    Resume {
        /// Who.
        session: SessionId,
    },
    /// What a client that resumes holds to be so.
    SyncState {
        /// Who.
        session: SessionId,
        /// What.
        state: Box<SyncState>,
    },
    /// An SDP offer (publisher or only connection).
    Offer {
        /// Who.
        session: SessionId,
        /// To echo.
        id: u32,
        /// As sent.
        sdp: String,
    },
    /// An SDP answer (subscriber connection).
    Answer {
        /// Who.
        session: SessionId,
        /// Of our offer.
        id: u32,
        /// As sent.
        sdp: String,
    },
    /// A candidate.
    Candidate {
        /// Who.
        session: SessionId,
        /// For which connection.
        target: Target,
        /// `candidate:…`
        candidate: String,
    },
    /// Announces a track.
    AddTrack {
        /// Who.
        session: SessionId,
        /// What.
        request: Box<TrackRequest>,
    },
    /// Announces a backup codec of a track that it publishes (L-63).
    AddCodec {
        /// Who.
        session: SessionId,
        /// Which track.
        track: TrackSid,
        /// Which codec, with its own cid.
        codec: Box<TrackCodec>,
    },
    /// Mutes or unmutes a track.
    Mute {
        /// Who.
        session: SessionId,
        /// Which.
        track: TrackSid,
        /// Muted now.
        muted: bool,
    },
    /// Changes what an own track is (LiveKit's UpdateLocalAudioTrack / UpdateLocalVideoTrack).
    UpdateTrack {
        /// Who.
        session: SessionId,
        /// Which.
        track: TrackSid,
        /// New audio features, if it is sound.
        audio_features: Option<Vec<i32>>,
        /// New size, if it is a picture.
        size: Option<(u32, u32)>,
    },
    /// Wants or no longer wants tracks (L-22).
    UpdateSubscription {
        /// Who.
        session: SessionId,
        /// Which.
        tracks: Vec<TrackSid>,
        /// Wanted.
        subscribe: bool,
    },
    /// Publishes a data track; answered by [`crate::RoomEvent::DataTrackPublished`] or a refusal.
    PublishDataTrack {
        /// Who.
        session: SessionId,
        /// What.
        request: Box<DataTrackRequest>,
    },
    /// Unpublishes it.
    UnpublishDataTrack {
        /// Who.
        session: SessionId,
        /// Its number of the track.
        handle: u32,
    },
    /// Wants or no longer wants data tracks.
    UpdateDataSubscription {
        /// Who.
        session: SessionId,
        /// Which; wanted.
        updates: Vec<(TrackSid, bool)>,
    },
    /// Says who may receive its tracks (L-67); replaces what it said before.
    SubscriptionPermission {
        /// Who.
        session: SessionId,
        /// Everybody: `permissions` are not looked at.
        everybody: bool,
        /// Nobody but these.
        permissions: Vec<TrackPermission>,
    },
    /// How it wants tracks that it receives, or will (L-37, L-38).
    UpdateTrackSettings {
        /// Who.
        session: SessionId,
        /// Which.
        tracks: Vec<TrackSid>,
        /// How.
        settings: TrackSettings,
    },
    /// Changes its own metadata, name or attributes; answered by [`crate::RoomEvent::RequestResponse`].
    UpdateMetadata {
        /// Who.
        session: SessionId,
        /// Echoed.
        request_id: u32,
        /// `None`: unchanged.
        name: Option<String>,
        /// `None`: unchanged.
        metadata: Option<String>,
        /// An empty value removes the key.
        attributes: BTreeMap<String, String>,
    },
    /// Asks for a fault, to test itself; the gateway has checked that it may.
    Simulate {
        /// Who.
        session: SessionId,
        /// Which.
        scenario: Scenario,
    },
    /// How somebody who is shown here is in their own room now ([`ConnectionMode::Elsewhere`]).
    Mirror {
        /// Who.
        session: SessionId,
        /// All that is shown.
        mirrored: Box<Mirrored>,
    },
    /// An operator or the API removes somebody.
    Remove {
        /// Whom, of any origin: bare token identity or prefixed.
        identity: Identity,
    },
    /// The API ends the room.
    Delete,
    /// We are going down: everybody is told.
    Shutdown,
    /// Something happened in the media graph.
    Media(MediaEvent),
}
