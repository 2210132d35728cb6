//! What a room wants done.

use crate::data_track::{DataTrack, ReceivedDataTrack};
use crate::id::{ParticipantSid, RoomSid, SessionId, TrackSid};
use crate::media::{MediaCommand, Target, Transport};
use crate::notice::Notice;
use crate::participant::{DisconnectReason, Participant};
use crate::track::Track;
use smallvec::SmallVec;
use std::sync::Arc;

/// Who gets an event.
pub type Recipients = SmallVec<[SessionId; 8]>;

/// Something for the shell to do, in this order.
#[derive(Clone, Debug)]
pub enum RoomEffect {
    /// Put this event into the outbox of each of these sessions. Encoded once for each dialect.
    Send {
        /// To whom.
        to: Recipients,
        /// What.
        event: Arc<RoomEvent>,
    },
    /// A command for the media shard of its session.
    Media(MediaCommand),
    /// Something that those outside may want to know (webhooks, agents).
    Notice(Notice),
    /// Close this session's socket once its outbox has been written; the session lives on and may be resumed.
    HangUp {
        /// Whose.
        session: SessionId,
    },
    /// The session has ended: forget it, and close its socket once its outbox has been written.
    CloseSession {
        /// Whose.
        session: SessionId,
    },
    /// The room has ended: forget it. Always last.
    Ended,
}

/// The room, as clients see it. LiveKit: `Room`, without what only the wire needs.
#[derive(Clone, PartialEq, Debug)]
pub struct RoomInfo {
    /// Server-given.
    pub sid: RoomSid,
    /// Its name.
    pub name: String,
    /// Seconds until it ends when nobody ever joined.
    pub empty_timeout_s: u32,
    /// Seconds until it ends after the last left.
    pub departure_timeout_s: u32,
    /// 0: no limit.
    pub max_participants: u32,
    /// Unix milliseconds.
    pub created_at_ms: i64,
    /// Free text.
    pub metadata: String,
    /// Codecs that may be published: `video/VP8`…
    pub enabled_codecs: Vec<String>,
    /// Participants that are not hidden.
    pub num_participants: u32,
    /// Participants with a live track.
    pub num_publishers: u32,
    /// A recorder is there.
    pub active_recording: bool,
}

/// A request's outcome. LiveKit: `RequestResponse.Reason`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestOutcome {
    /// Done.
    Ok = 0,
    /// No such thing.
    NotFound = 1,
    /// Not permitted.
    NotAllowed = 2,
    /// Too large.
    LimitExceeded = 3,
    /// Not understood.
    UnsupportedType = 5,
    /// A data track's handle is out of range.
    InvalidHandle = 7,
    /// A data track's name is empty or too long.
    InvalidName = 8,
    /// Another data track of the same participant has this handle.
    DuplicateHandle = 9,
    /// Another data track of the same participant has this name.
    DuplicateName = 10,
}

/// What a request was about, so that a dialect can echo it.
#[derive(Clone, PartialEq, Debug)]
pub enum RequestSubject {
    /// UpdateMetadata, by id.
    Metadata,
    /// AddTrack, by cid.
    AddTrack {
        /// The client's id of the track.
        cid: String,
    },
    /// PublishDataTrack, by handle.
    PublishDataTrack {
        /// As asked for.
        handle: u32,
        /// As asked for.
        name: String,
    },
    /// UnpublishDataTrack, by handle.
    UnpublishDataTrack {
        /// As asked for.
        handle: u32,
    },
}

/// Why a subscription could not be made. LiveKit: `SubscriptionError`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubscriptionFailure {
    /// There is no such track, or it is their own.
    NotFound,
    /// They asked for too much.
    Refused,
}

/// Told on leaving. LiveKit: `LeaveRequest.Action`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaveAction {
    /// Stay away.
    Disconnect = 0,
    /// Resume the session.
    Resume = 1,
    /// Connect anew.
    Reconnect = 2,
}

/// One voice. LiveKit: `SpeakerInfo`.
#[derive(Clone, PartialEq, Debug)]
pub struct Speaker {
    /// Who.
    pub sid: ParticipantSid,
    /// 0..=1, quantised to 1/8.
    pub level: f32,
    /// Speaks now.
    pub active: bool,
}

/// LiveKit: `ConnectionQuality`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quality {
    /// Bad.
    Poor = 0,
    /// Fair.
    Good = 1,
    /// Good.
    Excellent = 2,
}

/// What is wanted of one codec of a track. LiveKit: `SubscribedCodec`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WantedCodec {
    /// `vp8`, `vp9`…
    pub name: String,
    /// The highest quality that anybody wants, 0 LOW … 2 HIGH; `None`: nobody wants any.
    pub highest: Option<u8>,
}

/// One participant's connection.
#[derive(Clone, PartialEq, Debug)]
pub struct ParticipantQuality {
    /// Whose.
    pub sid: ParticipantSid,
    /// In a word.
    pub quality: Quality,
    /// 1 to 4.5.
    pub score: f32,
}

/// What sessions are told. Each dialect encodes what it has a word for and skips the rest.
#[derive(Clone, PartialEq, Debug)]
pub enum RoomEvent {
    /// First of all: you are in.
    Joined {
        /// The room.
        room: RoomInfo,
        /// You.
        you: Arc<Participant>,
        /// Everybody that you may see.
        others: Vec<Arc<Participant>>,
        /// Codecs that you may publish, of the room's: `video/VP8`…
        publish_codecs: Vec<String>,
        /// By which ways your media may go.
        transport: Transport,
    },
    /// First of all after a resume: you are in again.
    Resumed {
        /// Sequence of the last reliable packet that we took from you; 0: none.
        last_message_seq: u32,
        /// By which ways your media may go.
        transport: Transport,
    },
    /// Participants changed, came or went (state Disconnected).
    ParticipantsUpdated(Vec<Arc<Participant>>),
    /// The room's metadata or counts changed.
    RoomUpdated(RoomInfo),
    /// Your announced track has its sid.
    TrackPublished {
        /// Yours.
        cid: String,
        /// Ours.
        track: Arc<Track>,
    },
    /// We took your track away.
    TrackUnpublished {
        /// Which.
        sid: TrackSid,
    },
    /// Your track has its first subscriber.
    TrackSubscribed {
        /// Which.
        sid: TrackSid,
    },
    /// Mute your track, or unmute it: the server API asks for it.
    MuteRequested {
        /// Which.
        track: TrackSid,
        /// Mute.
        muted: bool,
    },
    /// The layers of your track that anybody wants: the others need not be sent. LiveKit: `SubscribedQualityUpdate`.
    LayersWanted {
        /// Which.
        track: TrackSid,
        /// Of each codec, the primary first.
        codecs: Vec<WantedCodec>,
    },
    /// You may (no longer) receive this track.
    SubscriptionPermission {
        /// Whose track.
        participant: ParticipantSid,
        /// Which.
        track: TrackSid,
        /// May.
        allowed: bool,
    },
    /// A track that you receive was paused for want of bandwidth, or goes on.
    StreamPaused {
        /// Whose track.
        participant: ParticipantSid,
        /// Which.
        track: TrackSid,
        /// Paused now.
        paused: bool,
    },
    /// A subscription could not be made.
    SubscriptionFailed {
        /// Which.
        track: TrackSid,
        /// Why not.
        failure: SubscriptionFailure,
    },
    /// Your data track has its sid.
    DataTrackPublished {
        /// Yours.
        track: Arc<DataTrack>,
    },
    /// Your data track is over, because you asked for it or because you may no longer.
    DataTrackUnpublished {
        /// Which.
        track: Arc<DataTrack>,
    },
    /// You receive these data tracks under these numbers.
    DataTracksReceived(Vec<ReceivedDataTrack>),
    /// Who speaks: changed entries only.
    SpeakersChanged(Vec<Speaker>),
    /// How well people are connected.
    ConnectionQuality(Vec<ParticipantQuality>),
    /// Answer to a request of yours.
    RequestResponse {
        /// Echoed; 0 if the request had none.
        request_id: u32,
        /// How it went.
        outcome: RequestOutcome,
        /// In plain words.
        message: String,
        /// What it was about.
        subject: RequestSubject,
    },
    /// SDP answer to your offer.
    Answer {
        /// Echoed.
        id: u32,
        /// SDP.
        sdp: String,
        /// (mid, track).
        tracks: Vec<(String, TrackSid)>,
    },
    /// Our offer (subscriber connection).
    Offer {
        /// To be echoed.
        id: u32,
        /// SDP.
        sdp: String,
        /// (mid, track).
        tracks: Vec<(String, TrackSid)>,
    },
    /// Our candidates for a connection, the last marked final by the dialect.
    Candidates {
        /// Which connection.
        target: Target,
        /// `candidate:…` lines.
        candidates: Vec<String>,
        /// ufrag they belong to.
        ufrag: String,
    },
    /// Please offer this many more receive sections.
    SectionsNeeded {
        /// Audio.
        audio: u32,
        /// Video.
        video: u32,
    },
    /// What a token says of you changed: your permissions, name, metadata or attributes. A dialect with tokens sends a
    /// fresh one.
    ClaimsChanged {
        /// You, as you are now.
        you: Arc<Participant>,
    },
    /// You are sent to another room; goodbye follows. A dialect with tokens sends one for it.
    Moved {
        /// Which room.
        room: String,
        /// You, as you were here.
        you: Arc<Participant>,
    },
    /// Goodbye; the socket closes after this.
    Leave {
        /// Why.
        reason: DisconnectReason,
        /// What to do next.
        action: LeaveAction,
    },
}
