//! Whatever comes in whatever order, a room keeps its promises.

mod stage;

use room::effect::RoomEvent;
use room::input::SyncState;
use room::media::{AudioLevel, ConnectionMode, LiveLayer, MediaCommand, MediaEnd, MediaEvent, Target};
use room::participant::DisconnectReason;
use room::settings::TrackSettings;
use room::track::{TrackKind, TrackSource};
use room::{Identity, RoomConfig, RoomInput, SessionId, TrackSid};
use stage::{Stage, Step, track};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const WORLDS: u64 = 60;
const STEPS_PER_WORLD: usize = 400;

/// SplitMix64: the same worlds in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

/// What must hold at every step, kept from the effects alone.
#[derive(Default)]
struct Oracle {
    /// Sessions that got Joined and not yet an end.
    open: BTreeSet<SessionId>,
    ended: BTreeSet<SessionId>,
    /// Sessions that ended themselves: they need no Leave.
    excused: BTreeSet<SessionId>,
    /// Sessions without a connection: they can be told nothing.
    lost: BTreeSet<SessionId>,
    /// Sessions with a new connection, on which the first word must be Resumed or Leave.
    resuming: BTreeSet<SessionId>,
    peers: BTreeSet<SessionId>,
    received: BTreeSet<(SessionId, TrackSid)>,
    hidden: BTreeSet<String>,
    versions: BTreeMap<(SessionId, String), u32>,
    told_leave: BTreeSet<SessionId>,
    room_ended: bool,
}

impl Oracle {
    fn check(&mut self, step: &Step) {
        assert!(!self.room_ended, "nothing comes after the end: {step:?}");
        match step {
            Step::Told(session, event) => self.check_event(*session, event),
            Step::Command(command) => self.check_command(command),
            Step::HungUp(session) => drop(self.lost.insert(*session)),
            Step::Closed(session) => self.check_closed(*session),
            Step::Ended => self.room_ended = true,
        }
    }

    fn check_event(&mut self, session: SessionId, event: &RoomEvent) {
        if let RoomEvent::Joined { you, others, .. } = event {
            assert!(self.open.insert(session), "joined once");
            others.iter().for_each(|other| self.check_info(session, other));
            self.versions.insert((session, you.sid.to_string()), you.version);
            return;
        }
        assert!(self.open.contains(&session), "the first event is Joined, none comes after the end: {event:?}");
        assert!(!self.told_leave.contains(&session), "Leave is the last event");
        assert!(!self.lost.contains(&session), "nobody is there: {event:?}");
        match event {
            RoomEvent::Resumed { .. } => self.check_resumed(session),
            RoomEvent::Leave { .. } => {}
            _ => assert!(!self.resuming.contains(&session), "before Resumed: {event:?}"),
        }
        match event {
            RoomEvent::ParticipantsUpdated(list) => list.iter().for_each(|info| self.check_info(session, info)),
            RoomEvent::Leave { .. } => drop(self.told_leave.insert(session)),
            _ => {}
        }
    }

    /// What is shown after it may have been shown before.
    fn check_resumed(&mut self, session: SessionId) {
        assert!(self.resuming.remove(&session), "asked for");
        let own = self.versions.iter_mut().filter(|((viewer, _), _)| *viewer == session);
        own.for_each(|(_, version)| *version = version.saturating_sub(1));
    }

    fn check_info(&mut self, viewer: SessionId, info: &room::participant::Participant) {
        let sid = info.sid.to_string();
        let own = self.versions.contains_key(&(viewer, sid.clone()));
        assert!(own || !self.hidden.contains(&*info.identity.id), "hidden and shown: {info:?}");
        let before = self.versions.insert((viewer, sid), info.version);
        assert!(before.is_none_or(|before| before < info.version), "versions rise: {before:?} {info:?}");
    }

    fn check_command(&mut self, command: &MediaCommand) {
        let session = command.session();
        match command {
            MediaCommand::AddPeer { .. } => assert!(self.peers.insert(session), "one peer a session"),
            MediaCommand::RemovePeer { .. } => {
                assert!(self.peers.remove(&session), "a peer ends once");
                self.received.retain(|(receiver, _)| *receiver != session);
            }
            MediaCommand::Subscribe { track, publisher, .. } => {
                assert!(self.peers.contains(&session) && self.peers.contains(publisher) && session != *publisher);
                assert!(self.received.insert((session, track.clone())), "subscribed once");
            }
            MediaCommand::Unsubscribe { track, .. } => {
                assert!(self.received.remove(&(session, track.clone())), "was subscribed");
            }
            MediaCommand::SetTrackSettings { track, .. } => {
                assert!(self.received.contains(&(session, track.clone())), "settings of what is received");
            }
            _ => assert!(self.peers.contains(&session), "a command for nobody: {command:?}"),
        }
    }

    fn check_closed(&mut self, session: SessionId) {
        assert!(self.open.remove(&session), "closed once, and was open");
        assert!(self.ended.insert(session));
        let excused = self.excused.contains(&session) || self.lost.contains(&session);
        assert!(excused || self.told_leave.contains(&session), "closed without a word");
    }
}

struct World {
    stage: Stage,
    dice: Dice,
    oracle: Oracle,
    sessions: Vec<SessionId>,
    tracks: Vec<TrackSid>,
    checked: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let config =
            RoomConfig { max_participants: if seed.is_multiple_of(3) { 5 } else { 0 }, ..RoomConfig::default() };
        let (sessions, tracks) = (vec![SessionId(9999)], vec![TrackSid::new("TR_VCnowhere00000")]);
        Self { stage: Stage::with(config), dice: Dice(seed), oracle: Oracle::default(), sessions, tracks, checked: 0 }
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..=2 => self.join(),
            3 => self.stage.pass(Duration::from_millis(self.dice.below(9000))),
            _ => {
                let input = self.input();
                self.stage.input(input);
            }
        }
        self.check();
    }

    fn check(&mut self) {
        for at in self.checked..self.stage.steps.len() {
            let step = self.stage.steps[at].clone();
            if let Step::Told(_, event) = &step
                && let RoomEvent::TrackPublished { track, .. } = &**event
            {
                self.tracks.push(track.sid.clone());
            }
            self.oracle.check(&step);
        }
        self.checked = self.stage.steps.len();
    }

    fn join(&mut self) {
        let identity = format!("p{}", self.dice.below(12));
        let hidden = identity.len() == 3;
        if hidden {
            self.oracle.hidden.insert(identity.clone());
        }
        let (dual, auto_subscribe, can_subscribe) = (self.dice.coin(), self.dice.below(4) > 0, self.dice.below(5) > 0);
        let can_update_metadata = self.dice.coin();
        let request = self.request();
        let session = self.stage.join_with(&identity, |join| {
            join.mode = if dual { ConnectionMode::Dual } else { ConnectionMode::Single };
            join.auto_subscribe = auto_subscribe;
            join.permission.can_subscribe = can_subscribe;
            join.permission.can_update_metadata = can_update_metadata;
            join.permission.hidden = hidden;
            join.tracks = vec![request];
        });
        self.sessions.push(session);
    }

    fn request(&mut self) -> room::track::TrackRequest {
        let (kind, source) = self.dice.pick(&[
            (TrackKind::Audio, TrackSource::Microphone),
            (TrackKind::Video, TrackSource::Camera),
            (TrackKind::Video, TrackSource::ScreenShare),
        ]);
        track(&format!("cid{}", self.dice.below(30)), kind, source)
    }

    fn input(&mut self) -> RoomInput {
        let session = self.dice.pick(&self.sessions);
        let track = self.dice.pick(&self.tracks);
        let flag = self.dice.coin();
        match self.dice.below(21) {
            0 => {
                let reason = DisconnectReason::ClientInitiated;
                self.oracle.excused.insert(session);
                RoomInput::Leave { session, reason }
            }
            1 => {
                self.oracle.lost.insert(session);
                self.oracle.resuming.remove(&session);
                RoomInput::SignalLost { session }
            }
            11 => {
                self.oracle.lost.remove(&session);
                self.oracle.resuming.insert(session);
                RoomInput::Resume { session }
            }
            12 => RoomInput::Media(MediaEvent::Resumed { session, last_message_seq: 7 }),
            13 => {
                let state = SyncState { tracks: vec![track.clone()], subscribe: flag, ..SyncState::default() };
                let published = if flag { vec![] } else { vec![track] };
                RoomInput::SyncState { session, state: Box::new(SyncState { published, ..state }) }
            }
            2 => RoomInput::Remove { identity: Identity::token(format!("p{}", self.dice.below(12))) },
            3 => RoomInput::AddTrack { session, request: Box::new(self.request()) },
            4 => RoomInput::Mute { session, track, muted: flag },
            5 | 6 => RoomInput::UpdateSubscription { session, tracks: vec![track], subscribe: flag },
            7 => RoomInput::UpdateMetadata {
                session,
                request_id: 1,
                name: Some("n".repeat(self.dice.below(300) as usize)),
                metadata: None,
                attributes: [("k".to_owned(), "v".repeat(self.dice.below(9) as usize))].into(),
            },
            8 => RoomInput::Offer { session, id: 1, sdp: String::new() },
            9 => RoomInput::UpdateTrack { session, track, audio_features: Some(vec![1]), size: Some((1, 2)) },
            10 => RoomInput::UpdateTrackSettings { session, tracks: vec![track], settings: TrackSettings::default() },
            _ => RoomInput::Media(self.media_event(session, track, flag)),
        }
    }

    fn media_event(&mut self, session: SessionId, track: TrackSid, flag: bool) -> MediaEvent {
        match self.dice.below(9) {
            0 => {
                let ends = [MediaEnd::Connectivity, MediaEnd::ClosedByPeer, MediaEnd::SlowReader, MediaEnd::Panic];
                MediaEvent::Ended { session, reason: self.dice.pick(&ends) }
            }
            1 => MediaEvent::Connected { session, target: if flag { Target::Publisher } else { Target::Subscriber } },
            2..=4 => {
                let layers = vec![LiveLayer { rid: "q".into(), ssrc: 1, quality: 0 }];
                // Mostly the owner's own track, as shards report it.
                let owner = self.owner(&track).filter(|_| flag).unwrap_or(session);
                MediaEvent::TrackLive {
                    session: owner,
                    track,
                    codec: self.dice.below(3) as u8,
                    mid: "0".into(),
                    mime: "video/VP8".into(),
                    layers,
                }
            }
            5 => MediaEvent::TrackEnded { session: self.owner(&track).unwrap_or(session), track },
            6 => MediaEvent::Subscribed { session, track },
            7 => {
                let (level_dbov, active_share) = (self.dice.below(256) as u8, self.dice.below(11) as f32 / 10.0);
                let session = self.owner(&track).unwrap_or(session);
                MediaEvent::Levels { levels: vec![AudioLevel { session, track, level_dbov, active_share }] }
            }
            _ => {
                let loss = self.dice.pick(&[Some(0.1), Some(f32::NAN), Some(7.0), None]);
                MediaEvent::Quality {
                    session,
                    up_loss: loss,
                    down_loss: Some(0.0),
                    rtt_ms: Some(30.0),
                    missed_layers: 0.5,
                }
            }
        }
    }

    fn owner(&self, track: &TrackSid) -> Option<SessionId> {
        self.stage.steps.iter().find_map(|step| match step {
            Step::Told(session, event) => match &**event {
                RoomEvent::TrackPublished { track: of, .. } if of.sid == *track => Some(*session),
                _ => None,
            },
            _ => None,
        })
    }

    /// Everybody goes; the room must follow.
    fn close(&mut self) {
        for session in self.sessions.clone() {
            self.oracle.excused.insert(session);
            self.stage.leave(session);
        }
        self.stage.pass_secs(300);
        self.check();
        assert!(self.oracle.room_ended);
        assert!(self.oracle.peers.is_empty() && self.oracle.received.is_empty() && self.oracle.open.is_empty());
    }
}

#[test]
fn random_worlds_keep_the_rooms_promises() {
    let mut subscriptions = 0;
    for seed in 0..WORLDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS_PER_WORLD {
            world.step();
            if world.oracle.room_ended {
                break;
            }
        }
        subscriptions += world.stage.subscribed().len();
        world.close_if_open();
    }
    assert!(subscriptions > 100, "the worlds are lively: {subscriptions}");
}

impl World {
    fn close_if_open(&mut self) {
        if !self.oracle.room_ended {
            self.close();
        }
    }
}
