//! Somebody who is in the room, with all that the room knows of them.

use super::chat::Chat;
use super::choices::Choices;
use super::data_tracks::MemberData;
use super::guest_list::GuestList;
use super::publication::Publication;
use super::quality::Score;
use super::received::Received;
use super::simulate::ResumeFault;
use crate::effect::LeaveAction;
use crate::id::{SessionId, TrackSid};
use crate::limits::UNNOTICED_LOSS;
use crate::media::{ConnectionMode, DataSender, Target, Transport};
use crate::participant::{DisconnectReason, Participant, ParticipantKind};
use crate::permission::Permission;
use crate::settings::TrackSettings;
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// How the last goodbye sounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goodbye {
    /// Why; others see it too.
    pub(super) reason: DisconnectReason,
    /// What to do next; `None` where they left by themselves and need no telling.
    pub(super) action: Option<LeaveAction>,
}

/// Where their signalling stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signalling {
    /// They are told everything.
    Here,
    /// Their connection broke; what they were told until `heard` has reached them.
    Lost { heard: Instant },
    /// A new connection is there; they are told nothing before their shard has answered.
    Resuming { heard: Instant },
}

impl Signalling {
    /// Broken now; how long it has been so nobody knows.
    pub(super) fn lost(self, now: Instant) -> Self {
        Self::Lost { heard: self.heard(now) }
    }

    /// Until when what they were told has reached them for certain.
    pub(super) fn heard(self, now: Instant) -> Instant {
        match self {
            Self::Here => now.checked_sub(UNNOTICED_LOSS).unwrap_or(now),
            Self::Lost { heard } | Self::Resuming { heard } => heard,
        }
    }
}

/// Where their media stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MediaState {
    /// Nothing connected yet.
    Waiting,
    /// At least one connection is up.
    Connected,
    /// The shard has dropped the peer.
    Ended,
    /// There is none, ever ([`ConnectionMode::None`]).
    Absent,
}

/// One participant in the room.
#[derive(Debug)]
pub(super) struct Member {
    /// What others see.
    pub(super) info: Arc<Participant>,
    pub(super) mode: ConnectionMode,
    pub(super) transport: Transport,
    pub(super) auto_subscribe: bool,
    pub(super) may_pause: bool,
    pub(super) signalling: Signalling,
    pub(super) media: MediaState,
    /// Asked for by the client: its next resume is cut off.
    pub(super) resume_fault: Option<ResumeFault>,
    /// When and how they leave unless something happens before.
    pub(super) departure: Option<(Instant, Goodbye)>,
    /// Announced and live tracks, oldest first.
    pub(super) publications: IndexMap<TrackSid, Publication>,
    /// What they chose for single tracks, against or with `auto_subscribe`.
    pub(super) choices: Choices,
    /// Data tracks that they publish and receive.
    pub(super) data: MemberData,
    /// How they want single tracks, where not all of it.
    pub(super) settings: HashMap<TrackSid, TrackSettings>,
    /// Whom they let receive their tracks.
    pub(super) guest_list: GuestList,
    /// How many tracks they receive.
    pub(super) received: Received,
    /// How well they are connected, once known.
    pub(super) score: Option<Score>,
}

impl Member {
    /// Never shown to others.
    pub(super) fn hidden(&self) -> bool {
        self.info.permission.is_hidden()
    }

    /// Is told what happens.
    pub(super) fn listens(&self) -> bool {
        self.signalling == Signalling::Here
    }

    /// A room lives for its people: without them it ends, whatever agents and recorders are still there (as in the
    /// reference, livekit.md 3, «room opts»).
    pub(super) fn keeps_the_room(&self) -> bool {
        is_person(self.info.kind, &self.info.permission)
    }

    /// Has a peer on a shard, or will have.
    pub(super) fn has_peer(&self) -> bool {
        self.mode.has_peer()
    }

    /// Is shown here, and is in another room.
    pub(super) fn is_mirrored(&self) -> bool {
        self.mode == ConnectionMode::Elsewhere
    }

    /// Publishes something that others can see.
    pub(super) fn publishes(&self) -> bool {
        !self.info.tracks.is_empty()
    }

    /// Does this connection make them active? The subscriber connection is the primary one of a dual client that may
    /// subscribe: its publisher connects only when it publishes (livekit.md 2.3).
    pub(super) fn is_primary(&self, target: Target) -> bool {
        match self.mode {
            ConnectionMode::Single => target == Target::Publisher,
            ConnectionMode::Dual => target == Target::Subscriber || !self.info.permission.can_subscribe,
            ConnectionMode::None | ConnectionMode::Elsewhere => false,
        }
    }

    /// What their shard needs to relay their data.
    pub(super) fn data_sender(&self, chat: &Chat) -> Arc<DataSender> {
        let permission = &self.info.permission;
        Arc::new(DataSender {
            sid: self.info.sid.clone(),
            identity: self.info.identity.clone(),
            can_publish_data: permission.can_publish_data,
            can_subscribe: permission.can_subscribe,
            hidden: permission.is_hidden(),
            agent: permission.agent,
            silenced: chat.silences(&self.info.identity),
            chat_apart: chat.interval(),
        })
    }

    /// Changes what others see; each change is a new version, older ones are dropped by clients.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Participant)) {
        let info = Arc::make_mut(&mut self.info);
        change(info);
        info.version = info.version.saturating_add(1);
    }

    /// Copies the live publications into what others see.
    pub(super) fn refresh_tracks(&mut self) {
        let tracks: Vec<_> = self.publications.values().filter(|p| p.live).map(|p| p.track.clone()).collect();
        self.change(|info| {
            info.is_publisher |= !tracks.is_empty();
            info.tracks = tracks;
        });
    }

    /// Announced, not yet on the wire.
    pub(super) fn pending_tracks(&self) -> usize {
        self.publications.values().filter(|publication| !publication.live).count()
    }

    /// Is `session` served any track of theirs?
    pub(super) fn is_received_by(&self, session: SessionId) -> bool {
        self.publications.values().any(|publication| publication.subscribers.contains(&session))
    }
}

/// Not an agent or a recorder, which are there because of somebody.
pub(super) fn is_person(kind: ParticipantKind, permission: &Permission) -> bool {
    !matches!(kind, ParticipantKind::Agent | ParticipantKind::Egress) && !permission.recorder
}
