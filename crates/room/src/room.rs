//! The room itself. This file is its table of contents; each rule lives in the file named after it.
//!
//! | file | what |
//! |---|---|
//! | `join` | who comes in, and in which order they are told (livekit.md 2.3) |
//! | `leave` | every way out: goodbye, removal, duplicate, lost signal, lost media, the room's end |
//! | `resume` | coming back with a new connection to the same session (2.9) |
//! | `simulate` | faults that a client asks for, to test itself (2.9) |
//! | `farewells` | who left while somebody could not be told |
//! | `tracks` | announce, go live, mute, end (2.4) |
//! | `dynacast` | which layers a publisher need not send (2.7) |
//! | `subscriptions` | who receives what (2.7) |
//! | `data_tracks` | data tracks, from publishing to subscribing (2.6) |
//! | `choices` | what they asked for, before it is there too |
//! | `mirror` | who is shown here and is in another room |
//! | `guest_list` | whom a publisher lets receive its tracks |
//! | `permissions` | what somebody may, and changes of it |
//! | `admin` | what the server API asks for |
//! | `received` | how many tracks at a time |
//! | `receive_settings` | in which layer, or not at all (2.7) |
//! | `metadata` | names, metadata, attributes (2.9) |
//! | `media_events` | what the shards report |
//! | `speakers` | who speaks (2.8) |
//! | `quality` | how well people are connected (2.8) |
//! | `lifecycle` | timers: empty, departure, room updates |
//! | `audience` | who is told |
//! | `chat` | what may be said, and who may not come in |
//! | `views` | read-only, for the API |

mod admin;
mod audience;
mod chat;
mod choices;
mod data_tracks;
mod dynacast;
mod farewells;
mod guest_list;
mod join;
mod leave;
mod lifecycle;
mod media_events;
mod member;
mod metadata;
mod mirror;
mod permissions;
mod publication;
mod quality;
mod receive_settings;
mod received;
mod resume;
mod simulate;
mod speakers;
mod subscriptions;
mod tracks;
mod views;

pub use chat::Orders;
pub use guest_list::GuestList;
pub use join::JoinError;
pub(crate) use join::attributes_bytes;
pub use lifecycle::Staging;
pub use speakers::quantised;

use crate::admin::ProfileChange;
use crate::dispatch::AgentRequest;
use crate::effect::RoomEffect;
use crate::id::{Identity, RoomSid, SessionId, SidSource, TrackSid};
use crate::input::{Now, RoomInput};
use crate::limits::RoomLimits;
use crate::media::PlayoutDelay;
use crate::notice::Notice;
use chat::Chat;
use choices::Wishes;
use farewells::Farewells;
use indexmap::IndexMap;
use lifecycle::Lifecycle;
use member::Member;
use quality::QualityRounds;
use simulate::TransportSwitches;
use speakers::SpeakerBoard;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

/// What a room is made with. LiveKit: `CreateRoomRequest`, and the defaults of its config's `room` section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomConfig {
    /// Seconds until it ends when nobody ever joined (L-14).
    pub empty_timeout_s: u32,
    /// Seconds until it ends after the last left (L-14).
    pub departure_timeout_s: u32,
    /// Most participants at a time; 0: no limit.
    pub max_participants: u32,
    /// The server API may unmute too (`room.enable_remote_unmute`).
    pub enable_remote_unmute: bool,
    /// Free text, ≤ [`crate::limits::MAX_METADATA_BYTES`] (the caller has checked).
    pub metadata: String,
    /// Codecs that may be published, of [`crate::codecs::FORWARDED`].
    pub enabled_codecs: Vec<String>,
    /// Put a participant's camera and microphone into one stream, so that players keep them in step (livekit.md 2.5).
    pub sync_streams: bool,
    /// How long players hold pictures back; `None`: as they like.
    pub playout_delay: Option<PlayoutDelay>,
    /// What the operator allows.
    pub limits: RoomLimits,
    /// The agents that it asks for; none: any worker without a name may send one (livekit.md 3, «agents ws»).
    pub agents: Vec<AgentRequest>,
}

impl Default for RoomConfig {
    /// The reference's defaults (livekit.md 3, «room opts»).
    fn default() -> Self {
        Self {
            empty_timeout_s: 300,
            departure_timeout_s: 20,
            max_participants: 0,
            enable_remote_unmute: false,
            metadata: String::new(),
            enabled_codecs: crate::codecs::forwarded(),
            sync_streams: false,
            playout_delay: None,
            limits: RoomLimits::default(),
            agents: Vec::new(),
        }
    }
}

/// A room as a value: give it inputs and the time, then drain its effects.
///
/// After every [`Room::handle_input`] and [`Room::handle_timeout`] call [`Room::poll_effect`] until it is `None`, and
/// call [`Room::handle_timeout`] no later than [`Room::poll_timeout`] says. After [`RoomEffect::Ended`] it ignores
/// everything.
#[derive(Debug)]
pub struct Room {
    config: RoomConfig,
    name: String,
    sid: RoomSid,
    created_at_ms: i64,
    sids: SidSource,
    /// In order of joining.
    members: IndexMap<SessionId, Member>,
    by_identity: HashMap<Identity, SessionId>,
    /// Whose each announced or live track is.
    owners: HashMap<TrackSid, SessionId>,
    /// When somebody leaves if nothing happens before: the same as each member's `departure`, ordered.
    departures: BTreeSet<(Instant, SessionId)>,
    wishes: Wishes,
    /// Who had as many tracks as they may, and lost one.
    freed: BTreeSet<SessionId>,
    /// When a publisher hears that less is wanted of a track: the same as each publication's `demand`, ordered.
    demands: BTreeSet<(Instant, TrackSid)>,
    farewells: Farewells,
    switches: TransportSwitches,
    speakers: SpeakerBoard,
    quality: QualityRounds,
    chat: Chat,
    lifecycle: Lifecycle,
    /// When the input at hand came.
    at: Instant,
    effects: VecDeque<RoomEffect>,
}

impl Room {
    /// An empty room. `seed` feeds its sids and must differ for each room of a process.
    pub fn new(config: RoomConfig, name: impl Into<String>, seed: u64, now: Now) -> Self {
        let mut sids = SidSource::new(seed);
        let started = Notice::RoomStarted { agents: config.agents.clone() };
        Self {
            sid: RoomSid::new(sids.draw("RM_")),
            lifecycle: Lifecycle::new(&config, now.at),
            config,
            name: name.into(),
            created_at_ms: now.unix_ms,
            sids,
            members: IndexMap::new(),
            by_identity: HashMap::new(),
            owners: HashMap::new(),
            departures: BTreeSet::new(),
            wishes: Wishes::default(),
            freed: BTreeSet::new(),
            demands: BTreeSet::new(),
            farewells: Farewells::default(),
            switches: TransportSwitches::default(),
            speakers: SpeakerBoard::default(),
            quality: QualityRounds::default(),
            chat: Chat::default(),
            at: now.at,
            effects: VecDeque::from([RoomEffect::Notice(started)]),
        }
    }

    /// Takes one input. Inputs of sessions that are not (or no longer) in the room are ignored: sockets and shards lag
    /// behind.
    pub fn handle_input(&mut self, now: Now, input: RoomInput) {
        if self.lifecycle.ended() {
            return;
        }
        self.at = now.at;
        self.dispatch(now, input);
        self.settle(now);
    }

    /// What is to be done next, in order; `None` when all is done.
    pub fn poll_effect(&mut self) -> Option<RoomEffect> {
        self.effects.pop_front()
    }

    fn dispatch(&mut self, now: Now, input: RoomInput) {
        match input {
            RoomInput::Join(join) => self.on_join(now, *join),
            RoomInput::Leave { session, reason } => self.on_leave(session, reason),
            RoomInput::SignalLost { session } => self.on_signal_lost(now, session),
            RoomInput::Resume { session } => self.on_resume(now, session),
            RoomInput::Simulate { session, scenario } => self.on_simulate(now, session, scenario),
            RoomInput::SyncState { session, state } => self.on_sync_state(session, *state),
            RoomInput::Offer { session, id, sdp } => self.on_offer(session, id, sdp),
            RoomInput::Answer { session, id, sdp } => self.on_answer(session, id, sdp),
            RoomInput::Candidate { session, target, candidate } => self.on_candidate(session, target, candidate),
            RoomInput::AddTrack { session, request } => self.on_add_track(now, session, *request),
            RoomInput::AddCodec { session, track, codec } => self.on_add_codec(now, session, &track, *codec),
            RoomInput::Mute { session, track, muted } => self.on_mute(now, session, &track, muted),
            RoomInput::UpdateTrack { session, track, audio_features, size } => {
                self.on_update_track(now, session, &track, audio_features, size);
            }
            RoomInput::UpdateSubscription { session, tracks, subscribe } => {
                self.on_update_subscription(session, tracks, subscribe);
            }
            RoomInput::PublishDataTrack { session, request } => self.on_publish_data_track(session, *request),
            RoomInput::UnpublishDataTrack { session, handle } => self.on_unpublish_data_track(session, handle),
            RoomInput::UpdateDataSubscription { session, updates } => {
                self.on_update_data_subscription(session, updates);
            }
            RoomInput::SubscriptionPermission { session, everybody, permissions } => {
                self.on_subscription_permission(session, everybody, permissions);
            }
            RoomInput::UpdateTrackSettings { session, tracks, settings } => {
                self.on_update_track_settings(session, tracks, settings);
            }
            RoomInput::UpdateMetadata { session, request_id, name, metadata, attributes } => {
                let change = ProfileChange { name, metadata, attributes };
                self.on_update_metadata(session, request_id, change);
            }
            RoomInput::Mirror { session, mirrored } => self.on_mirror(now, session, &mirrored),
            RoomInput::Remove { identity } => self.on_remove(&identity),
            RoomInput::Delete => self.on_delete(),
            RoomInput::Shutdown => self.on_shutdown(),
            RoomInput::Media(event) => self.on_media(now, event),
        }
    }
}
