//! The border between a room (control) and its media graph (shards): commands down, events up.
//!
//! Commands to shards and life-cycle events from them are never dropped; levels and statistics are newest-wins.
//! A shard's answer comes back through the room, so that it leaves in the session's one ordered outbox, after the
//! participant updates for every track that it maps (livekit.md 2.5).

use crate::id::{Identity, Origin, ParticipantSid, SessionId, TrackSid};
use crate::settings::ReceiveSettings;
use crate::track::{TrackKind, TrackSource};
use std::sync::Arc;
use std::time::Duration;

/// Which of a participant's connections. A single-PeerConnection client has `Publisher` only, for both ways.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// The client offers.
    Publisher,
    /// We offer (LiveKit v0).
    Subscriber,
}

/// How a participant is connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionMode {
    /// One PeerConnection, the client offers (`/rtc/v1`).
    Single,
    /// Publisher and subscriber PeerConnections (`/rtc`).
    Dual,
    /// None: somebody of a dialect without WebRTC. They have no peer on any shard, send and receive no media, and are there
    /// from the moment in which they join until their gateway lets them go.
    None,
    /// None here: they are in another room too, and what they publish there is shown here ([`crate::input::Mirrored`]).
    /// Nothing can be asked of them here but to go.
    Elsewhere,
}

impl ConnectionMode {
    /// They have, or will have, a peer on a shard.
    pub fn has_peer(self) -> bool {
        matches!(self, Self::Single | Self::Dual)
    }
}

/// By which ways a participant's media may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Transport {
    /// Whatever works, UDP first (L-29).
    #[default]
    Any,
    /// TCP alone: the client is told no UDP candidate.
    TcpOnly,
    /// Our relay over TLS: the client is told to use nothing else.
    TurnTls,
}

/// How long players are to hold pictures back, so that all show them at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlayoutDelay {
    /// Milliseconds.
    pub min_ms: u32,
    /// Milliseconds, ≥ `min_ms`.
    pub max_ms: u32,
}

impl PlayoutDelay {
    /// The longest that can be written: 12 bits of 10 ms (webrtc.org's `playout-delay`).
    pub const LONGEST_MS: u32 = 40_950;

    /// What was asked for, as far as it can be written; a `max_ms` of 0 is none.
    pub fn new(min_ms: u32, max_ms: u32) -> Self {
        let max_ms = if max_ms == 0 { Self::LONGEST_MS } else { max_ms.min(Self::LONGEST_MS) };
        Self { min_ms: min_ms.min(max_ms), max_ms }
    }
}

/// What a shard must know of a participant to relay its data without asking the room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataSender {
    /// Stamped on every packet.
    pub sid: ParticipantSid,
    /// Stamped on every packet.
    pub identity: Identity,
    /// May send data at all.
    pub can_publish_data: bool,
    /// May receive tracks and data.
    pub can_subscribe: bool,
    /// Hidden: stamped with empty names.
    pub hidden: bool,
    /// Agents may keep a foreign identity on chat and send transcriptions.
    pub agent: bool,
    /// May not write in the chat: it is closed, or they are muted.
    pub silenced: bool,
    /// Between two chat messages of theirs (slow mode); zero: none.
    pub chat_apart: Duration,
}

/// Which part of the room's chat a data packet is, as its dialect reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChatPart {
    /// A message.
    Whole,
    /// The first of a message of several packets.
    Begins {
        /// Names it in the packets that follow.
        stream: String,
    },
    /// A further packet of a stream, which may be of chat or of something else.
    GoesOn {
        /// Which.
        stream: String,
        /// Nothing follows.
        last: bool,
    },
}

impl DataSender {
    /// Somebody who may everything that everybody may.
    pub fn new(sid: ParticipantSid, identity: Identity) -> Self {
        Self {
            sid,
            identity,
            can_publish_data: true,
            can_subscribe: true,
            hidden: false,
            agent: false,
            silenced: false,
            chat_apart: Duration::ZERO,
        }
    }

    /// Is this who a packet names: by sid, or by identity as clients with tokens see it (L-47)?
    pub fn is_called(&self, name: &str) -> bool {
        let identity = match self.identity.origin {
            Origin::Token => Some(name),
            other => name.strip_prefix(other.prefix()),
        };
        identity == Some(&*self.identity.id) || name == self.sid.as_str()
    }
}

/// A track that an offer is going to carry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedTrack {
    /// Ours.
    pub sid: TrackSid,
    /// The client's id of it: the msid track id of the m-line in Chrome.
    pub cid: String,
    /// Other cids (a backup codec's).
    pub other_cids: Vec<String>,
    /// Sound or pictures.
    pub kind: TrackKind,
    /// What it shows.
    pub source: TrackSource,
    /// Codec names in the order that we ask for, lower case without kind (`vp8`, `red`); may be empty.
    pub codecs: Vec<String>,
    /// Its place among the track's codecs: 0, or 1 for the backup codec of a track that was announced before (L-63).
    pub codec: u8,
    /// Its Opus may go out as RED to those who take it: its payloads are readable, and its client didn't turn RED off.
    pub may_make_red: bool,
    /// Answer with `stereo=1` (TF_STEREO).
    pub stereo: bool,
    /// Answer without `usedtx=1` (TF_NO_DTX).
    pub disable_dtx: bool,
    /// Starts muted.
    pub muted: bool,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Room → shard of that peer. Order is kept for each session.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// A participant's peer begins. First command of a session.
    AddPeer {
        /// Whose.
        session: SessionId,
        /// One PeerConnection or two.
        mode: ConnectionMode,
        /// By which ways.
        transport: Transport,
        /// Names of the codecs that it may send, lower case without kind.
        publish_codecs: Vec<String>,
        /// What its data is stamped with and what it may.
        sender: Arc<DataSender>,
        /// Tracks may be paused where its way is too narrow (`subscriber_allow_pause`).
        may_pause: bool,
        /// Told with each picture that it receives.
        playout_delay: Option<PlayoutDelay>,
    },
    /// Its peer ends: connections closed, subscriptions and tracks gone. Last command of a session.
    RemovePeer {
        /// Whose.
        session: SessionId,
    },
    /// The client's signalling is back on a new connection. Answered by [`MediaEvent::Resumed`], after which our own
    /// connection's ICE restarts (dual mode; in single mode the client restarts it by its offer).
    Resume {
        /// Whose.
        session: SessionId,
    },
    /// Permissions changed.
    SetSender {
        /// Whose.
        session: SessionId,
        /// The new snapshot.
        sender: Arc<DataSender>,
    },
    /// The client's offer, for its publisher (or only) connection.
    Offer {
        /// Whose.
        session: SessionId,
        /// Echoed in the answer.
        id: u32,
        /// As the client sent it.
        sdp: String,
    },
    /// The client's answer to our offer (dual mode).
    Answer {
        /// Whose.
        session: SessionId,
        /// Of our offer.
        id: u32,
        /// As the client sent it.
        sdp: String,
    },
    /// A candidate of the client's.
    Candidate {
        /// Whose.
        session: SessionId,
        /// For which connection.
        target: Target,
        /// `candidate:…` line.
        candidate: String,
    },
    /// The client announced a track: a later offer carries it.
    ExpectTrack {
        /// Whose.
        session: SessionId,
        /// What.
        track: ExpectedTrack,
    },
    /// Server-side unpublish: forget the track and stop forwarding it.
    EndTrack {
        /// Whose.
        session: SessionId,
        /// Which.
        track: TrackSid,
    },
    /// From the moment in which the backup codec of a track flows, everybody who takes it gets it and nobody else the primary
    /// one (codec regression, L-63).
    Regress {
        /// Whose.
        session: SessionId,
        /// Which.
        track: TrackSid,
    },
    /// The client muted or unmuted: no keyframe requests and no liveness alarms meanwhile.
    SetMuted {
        /// Whose.
        session: SessionId,
        /// Which.
        track: TrackSid,
        /// Muted now.
        muted: bool,
    },
    /// Send `track` of `publisher` to `session`.
    Subscribe {
        /// The receiver.
        session: SessionId,
        /// Which track.
        track: TrackSid,
        /// Sound or pictures.
        kind: TrackKind,
        /// Who sends it: the shell finds its shard by this.
        publisher: SessionId,
        /// For `a=msid:PA_…|TR_… TR_…`: the part before the space.
        stream_id: String,
        /// As [`ExpectedTrack::may_make_red`].
        may_make_red: bool,
        /// Its codecs, the primary first (`vp9`, `vp8`): who can't take that gets the next.
        codecs: Vec<String>,
        /// How, to begin with.
        settings: ReceiveSettings,
    },
    /// How a subscribed track is to be sent from now on.
    SetTrackSettings {
        /// The receiver.
        session: SessionId,
        /// Which track.
        track: TrackSid,
        /// How.
        settings: ReceiveSettings,
    },
    /// Stop sending it.
    Unsubscribe {
        /// The receiver.
        session: SessionId,
        /// Which track.
        track: TrackSid,
    },
    /// Whatever its way down carries, no more pictures than fit into this (asked for by the client, to test itself).
    LimitDownlink {
        /// The receiver.
        session: SessionId,
        /// bit/s; 0: no limit.
        bps: u64,
    },
    /// A data packet made by the server (RoomService.SendData), already in the receivers' dialect.
    SendData {
        /// The receiver.
        session: SessionId,
        /// `_reliable` or `_lossy`.
        reliable: bool,
        /// Encoded once, shared.
        packet: Arc<[u8]>,
    },
    /// A call made by the server (RoomService.PerformRpc): its answers come as [`MediaEvent::CallAnswered`].
    Call {
        /// Who is called.
        session: SessionId,
        /// Names the call in the answers.
        id: String,
        /// The request, in the receiver's dialect; goes by `_reliable`.
        packet: Arc<[u8]>,
    },
    /// The client resumed: give it the room's reliable packets of the last 2 s that its peer was not given live.
    ReplayData {
        /// Whose.
        session: SessionId,
        /// The last sequence that it has of each sender, by its own account.
        known: Vec<(ParticipantSid, u32)>,
    },
    /// The client publishes a data track: packets with its handle are this track's.
    PublishDataTrack {
        /// Whose.
        session: SessionId,
        /// Ours.
        track: TrackSid,
        /// The client's number of it.
        handle: u16,
    },
    /// A data track is over.
    UnpublishDataTrack {
        /// Whose.
        session: SessionId,
        /// Which.
        track: TrackSid,
    },
    /// Send a data track of `publisher` to `session`, under the number `handle`.
    SubscribeDataTrack {
        /// The receiver.
        session: SessionId,
        /// Which.
        track: TrackSid,
        /// The receiver's number of it.
        handle: u16,
        /// Who sends it: the shell finds its shard by this.
        publisher: SessionId,
    },
    /// Stop sending it.
    UnsubscribeDataTrack {
        /// The receiver.
        session: SessionId,
        /// Which.
        track: TrackSid,
    },
}

impl MediaCommand {
    /// Whose shard it goes to.
    pub fn session(&self) -> SessionId {
        use MediaCommand::*;
        match *self {
            AddPeer { session, .. }
            | RemovePeer { session }
            | Resume { session }
            | SetSender { session, .. }
            | Offer { session, .. }
            | Answer { session, .. }
            | Candidate { session, .. }
            | ExpectTrack { session, .. }
            | EndTrack { session, .. }
            | Regress { session, .. }
            | SetMuted { session, .. }
            | Subscribe { session, .. }
            | SetTrackSettings { session, .. }
            | Unsubscribe { session, .. }
            | LimitDownlink { session, .. }
            | SendData { session, .. }
            | Call { session, .. }
            | ReplayData { session, .. }
            | PublishDataTrack { session, .. }
            | UnpublishDataTrack { session, .. }
            | SubscribeDataTrack { session, .. }
            | UnsubscribeDataTrack { session, .. } => session,
        }
    }
}

/// One layer as it was seen on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveLayer {
    /// `q`, `h`, `f`, or empty without simulcast.
    pub rid: String,
    /// Its main SSRC; 0 while no packet of it came.
    pub ssrc: u32,
    /// 0 LOW, 1 MEDIUM, 2 HIGH.
    pub quality: i32,
}

/// Why a peer's media ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaEnd {
    /// ICE never connected or lost every path.
    Connectivity,
    /// The peer closed its connection (DTLS close_notify).
    ClosedByPeer,
    /// A reliable reader fell too far behind: it should resume.
    SlowReader,
    /// A defect of ours, contained to this peer.
    Panic,
    /// Anything else of the connection (DTLS, SCTP).
    Failed,
}

/// Shard → room.
#[derive(Clone, Debug)]
pub enum MediaEvent {
    /// The answer to an offer, with every track of ours that it carries.
    Answer {
        /// Whose.
        session: SessionId,
        /// Of the offer.
        id: u32,
        /// Ready to send.
        sdp: String,
        /// (mid, track) for each section that sends.
        tracks: Vec<(String, TrackSid)>,
    },
    /// Our offer (dual mode, subscriber connection).
    Offer {
        /// Whose.
        session: SessionId,
        /// To be echoed by the client.
        id: u32,
        /// Ready to send.
        sdp: String,
        /// (mid, track) for each section that sends.
        tracks: Vec<(String, TrackSid)>,
    },
    /// Our candidates for a connection, all of them; sent once, after its first answer or offer.
    Candidates {
        /// Whose.
        session: SessionId,
        /// For which connection.
        target: Target,
        /// `candidate:…` lines.
        candidates: Vec<String>,
        /// ufrag they belong to.
        ufrag: String,
    },
    /// The answer to [`MediaCommand::Resume`]. Offers that come before it are lost with the old signalling.
    Resumed {
        /// Whose.
        session: SessionId,
        /// Sequence of the last reliable packet taken from this client; 0: none.
        last_message_seq: u32,
    },
    /// Single mode: the client must offer this many more receive sections.
    SectionsNeeded {
        /// Whose.
        session: SessionId,
        /// More audio sections.
        audio: u32,
        /// More video sections.
        video: u32,
    },
    /// The client's SDP could not be taken.
    NegotiationFailed {
        /// Whose.
        session: SessionId,
        /// In plain words.
        error: String,
    },
    /// ICE and DTLS are up on this connection.
    Connected {
        /// Whose.
        session: SessionId,
        /// Which connection.
        target: Target,
    },
    /// Its media is gone for good; the shard has dropped the peer.
    Ended {
        /// Whose.
        session: SessionId,
        /// Why.
        reason: MediaEnd,
    },
    /// An announced track is on the wire (or more of its layers are).
    TrackLive {
        /// Whose.
        session: SessionId,
        /// Which.
        track: TrackSid,
        /// Which of its codecs: 0, or 1 for its backup.
        codec: u8,
        /// m-line that carries it.
        mid: String,
        /// `video/VP8`, `audio/opus`…
        mime: String,
        /// Layers known now.
        layers: Vec<LiveLayer>,
    },
    /// The client stopped sending it: its m-line went inactive in an offer (unpublish).
    TrackEnded {
        /// Whose.
        session: SessionId,
        /// Which.
        track: TrackSid,
    },
    /// A subscription got its m-line and is being served (for `track_subscribed`).
    Subscribed {
        /// The receiver.
        session: SessionId,
        /// Which track.
        track: TrackSid,
    },
    /// A packet of the room's chat.
    Overheard {
        /// Who speaks.
        session: SessionId,
        /// As the client's dialect writes it, stamped.
        packet: Arc<[u8]>,
        /// It has passed to the others who hear data packets; else it begins something that the room forbids.
        passed: bool,
    },
    /// An answer to a [`MediaCommand::Call`]: an acknowledgement or the response.
    CallAnswered {
        /// Who answers.
        session: SessionId,
        /// Of the call.
        id: String,
        /// As the client's dialect writes it, stamped.
        packet: Arc<[u8]>,
    },
    /// A subscribed track was paused because the receiver's way is too narrow for it, or goes on (livekit.md 2.7).
    StreamPaused {
        /// The receiver.
        session: SessionId,
        /// Which track.
        track: TrackSid,
        /// Paused now.
        paused: bool,
    },
    /// The layers that receivers want of a video, on all shards and hidden ones too, whatever their bandwidth: said when
    /// it changes, and nothing at first.
    LayersWanted {
        /// Whose.
        session: SessionId,
        /// Which track.
        track: TrackSid,
        /// Which of its codecs: 0, or 1 for its backup.
        codec: u8,
        /// The highest quality, 0 LOW … 2 HIGH; `None`: nobody wants any.
        highest: Option<u8>,
    },
    /// Sound levels of tracks heard since the last such event, newest wins.
    Levels {
        /// One for each track that was heard in the window; the room smooths them.
        levels: Vec<AudioLevel>,
    },
    /// How well a peer's media travels, every 5 s.
    Quality {
        /// Whose.
        session: SessionId,
        /// Fraction lost from the peer to us, 0..=1, if it sends.
        up_loss: Option<f32>,
        /// Fraction lost from us to the peer, 0..=1, if it receives.
        down_loss: Option<f32>,
        /// Round trip, if known.
        rtt_ms: Option<f32>,
        /// Layers of pictures that were wanted and did not come from the peer, or came and did not reach it: the mean of
        /// the interval, of several pictures the worst.
        missed_layers: f32,
    },
}

/// What a shard heard of one audio track in a window of 400 ms (livekit.md 2.8).
#[derive(Clone, PartialEq, Debug)]
pub struct AudioLevel {
    /// Who speaks.
    pub session: SessionId,
    /// On which track.
    pub track: TrackSid,
    /// The loudest packet of the window, in -dBov: 0 loudest, 127 silence.
    pub level_dbov: u8,
    /// Of the window's packets, the share at or under 35 dBov, 0..=1.
    pub active_share: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_47_a_receiver_is_named_by_its_sid_or_by_the_identity_that_others_see() {
        // L-47
        let receiver = |origin| DataSender::new(ParticipantSid::new("PA_1"), Identity { origin, id: "alice".into() });
        let token = receiver(Origin::Token);
        assert!(token.is_called("alice") && token.is_called("PA_1"));
        assert!(!token.is_called("bus:alice") && !token.is_called(""));
        let bus = receiver(Origin::Bus);
        assert!(bus.is_called("bus:alice") && bus.is_called("PA_1"));
        assert!(!bus.is_called("alice"), "the token holder's name is not the bus's");
    }
}
