//! A participant, as others see it.

use crate::data_track::DataTrack;
use crate::id::{Identity, ParticipantSid};
use crate::permission::Permission;
use crate::track::Track;
use std::collections::BTreeMap;
use std::sync::Arc;

/// LiveKit: `ParticipantInfo.State`, same order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub enum ParticipantState {
    /// Signalling is there.
    Joining,
    /// JoinResponse sent.
    Joined,
    /// Media is connected.
    Active,
    /// Gone.
    Disconnected,
}

/// LiveKit: `ParticipantInfo.Kind`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ParticipantKind {
    /// A person or a program.
    #[default]
    Standard = 0,
    /// An encoder.
    Ingress = 1,
    /// A recorder.
    Egress = 2,
    /// A telephone.
    Sip = 3,
    /// An agent.
    Agent = 4,
}

/// Why somebody left. LiveKit: `DisconnectReason`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DisconnectReason {
    /// Not known.
    Unknown = 0,
    /// They said so.
    ClientInitiated = 1,
    /// The same identity came again (L-16).
    DuplicateIdentity = 2,
    /// We are going down.
    ServerShutdown = 3,
    /// An operator or the API removed them.
    ParticipantRemoved = 4,
    /// The room was deleted.
    RoomDeleted = 5,
    /// Resume was impossible: connect anew.
    StateMismatch = 6,
    /// They never finished joining.
    JoinFailure = 7,
    /// The room ended.
    RoomClosed = 10,
    /// Nothing heard any more.
    SignalClose = 9,
    /// Media never came or was lost.
    ConnectionTimeout = 14,
    /// Media failed for a reason of ours.
    MediaFailure = 15,
}

/// What the client is and can: echoed to peers, or features silently downgrade (livekit.md 2.10).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientInfo {
    /// `protocol` of the signalling.
    pub protocol: i32,
    /// `client_protocol` (data streams, RPC v2).
    pub client_protocol: i32,
    /// LiveKit's `ClientInfo.Capability` numbers.
    pub capabilities: Vec<i32>,
    /// `js`, `python`, `rust`…
    pub sdk: String,
    /// Its version.
    pub version: String,
    /// Browser, lower case (`firefox`, `safari`…).
    pub browser: String,
}

/// A participant, as a snapshot that can be sent: `version` rises with each change, clients drop older ones.
#[derive(Clone, PartialEq, Debug)]
pub struct Participant {
    /// Server-given.
    pub sid: ParticipantSid,
    /// Client- or token-given, unique in its origin.
    pub identity: Identity,
    /// Shown to people.
    pub name: String,
    /// Free text, ≤ 512 KiB.
    pub metadata: String,
    /// ≤ 64 KiB in all.
    pub attributes: BTreeMap<String, String>,
    /// Where it stands.
    pub state: ParticipantState,
    /// What it may.
    pub permission: Permission,
    /// Published tracks, oldest first.
    pub tracks: Vec<Arc<Track>>,
    /// Published data tracks, oldest first.
    pub data_tracks: Vec<Arc<DataTrack>>,
    /// Unix milliseconds.
    pub joined_at_ms: i64,
    /// Rises by one with each change.
    pub version: u32,
    /// What it is.
    pub kind: ParticipantKind,
    /// Its client.
    pub client: ClientInfo,
    /// Set once it has left.
    pub disconnect_reason: Option<DisconnectReason>,
    /// May publish at all (a track of any source).
    pub is_publisher: bool,
    /// Its region, if the server has one.
    pub region: String,
}
