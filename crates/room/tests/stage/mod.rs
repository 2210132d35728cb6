//! A room in virtual time: scenarios act on it and look at what each session was told and what the shards were.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of it")]

use room::effect::{LeaveAction, RoomEffect, RoomEvent, RoomInfo};
use room::input::{Join, Now};
use room::media::{ConnectionMode, LiveLayer, MediaCommand, MediaEnd, MediaEvent, Target};
use room::participant::{ClientInfo, DisconnectReason, Participant, ParticipantKind};
use room::permission::Permission;
use room::track::{TrackKind, TrackRequest, TrackSource};
use room::{
    AdminError, AdminRequest, Identity, Moderation, ModerationError, Notice, Room, RoomConfig, RoomInput, SessionId,
    TrackSid,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Wall clock at the beginning of every scenario, Unix milliseconds.
pub const START_MS: i64 = 1_800_000_000_000;

/// One effect as a scenario sees it, in the room's order.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sent to this session.
    Told(SessionId, Arc<RoomEvent>),
    /// A command for the shards.
    Command(MediaCommand),
    /// This session's socket closes, the session stays.
    HungUp(SessionId),
    /// This session's socket closes.
    Closed(SessionId),
    /// The room ended.
    Ended,
}

pub struct Stage {
    pub room: Room,
    begin: Instant,
    passed: Duration,
    next_session: u64,
    /// Everything since it was taken last.
    pub steps: Vec<Step>,
    /// What those outside were told, from the beginning on.
    pub notices: Vec<Notice>,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(RoomConfig::default())
    }

    #[allow(clippy::disallowed_methods, reason = "somewhere to count from: only differences matter")]
    pub fn with(config: RoomConfig) -> Self {
        let begin = Instant::now();
        let room = Room::new(config, "residence", 7, Now { at: begin, unix_ms: START_MS });
        Self { room, begin, passed: Duration::ZERO, next_session: 1, steps: Vec::new(), notices: Vec::new() }
    }

    pub fn now(&self) -> Now {
        let unix_ms = START_MS + i64::try_from(self.passed.as_millis()).unwrap();
        Now { at: self.begin + self.passed, unix_ms }
    }

    /// Lets time pass; timers fire at their own moments.
    pub fn pass(&mut self, time: Duration) {
        let end = self.passed + time;
        while let Some(at) = self.room.poll_timeout().filter(|at| *at <= self.begin + end) {
            self.passed = self.passed.max(at - self.begin);
            self.room.handle_timeout(self.now());
            self.drain();
            assert!(self.room.poll_timeout() != Some(at), "a timer that fired must not stay");
        }
        self.passed = end;
    }

    pub fn pass_secs(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub fn input(&mut self, input: RoomInput) {
        self.room.handle_input(self.now(), input);
        self.drain();
    }

    pub fn administer(&mut self, request: AdminRequest) -> Result<(), AdminError> {
        let done = self.room.administer(self.now(), request);
        self.drain();
        done
    }

    pub fn moderate(&mut self, request: &Moderation) -> Result<(), ModerationError> {
        let done = self.room.moderate(self.now(), request);
        self.drain();
        done
    }

    pub fn media(&mut self, event: MediaEvent) {
        self.input(RoomInput::Media(event));
    }

    fn drain(&mut self) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                RoomEffect::Send { to, event } => {
                    self.steps.extend(to.iter().map(|session| Step::Told(*session, event.clone())));
                }
                RoomEffect::Media(command) => self.steps.push(Step::Command(command)),
                RoomEffect::HangUp { session } => self.steps.push(Step::HungUp(session)),
                RoomEffect::Notice(notice) => self.notices.push(notice),
                RoomEffect::CloseSession { session } => self.steps.push(Step::Closed(session)),
                RoomEffect::Ended => self.steps.push(Step::Ended),
            }
        }
    }

    // --- people ---

    pub fn ticket(&mut self, identity: &str) -> Join {
        let session = SessionId(self.next_session);
        self.next_session += 1;
        Join {
            session,
            identity: Identity::token(identity),
            name: identity.to_uppercase(),
            metadata: String::new(),
            attributes: BTreeMap::new(),
            permission: Permission::default(),
            kind: ParticipantKind::Standard,
            client: ClientInfo::default(),
            mode: ConnectionMode::Single,
            transport: Default::default(),
            auto_subscribe: true,
            auto_subscribe_data: false,
            may_pause: false,
            tracks: Vec::new(),
            offer: None,
        }
    }

    pub fn join(&mut self, identity: &str) -> SessionId {
        self.join_with(identity, |_| {})
    }

    pub fn join_with(&mut self, identity: &str, change: impl FnOnce(&mut Join)) -> SessionId {
        let mut join = self.ticket(identity);
        change(&mut join);
        let session = join.session;
        self.input(RoomInput::Join(Box::new(join)));
        session
    }

    pub fn leave(&mut self, session: SessionId) {
        self.input(RoomInput::Leave { session, reason: DisconnectReason::ClientInitiated });
    }

    pub fn connect(&mut self, session: SessionId) {
        self.media(MediaEvent::Connected { session, target: Target::Publisher });
    }

    pub fn media_ends(&mut self, session: SessionId, reason: MediaEnd) {
        self.media(MediaEvent::Ended { session, reason });
    }

    // --- tracks ---

    pub fn announce(&mut self, session: SessionId, request: TrackRequest) -> TrackSid {
        let cid = request.cid.clone();
        self.input(RoomInput::AddTrack { session, request: Box::new(request) });
        self.published_sid(session, &cid).expect("the track was taken")
    }

    pub fn published_sid(&self, session: SessionId, cid: &str) -> Option<TrackSid> {
        self.told(session).iter().rev().find_map(|event| match &**event {
            RoomEvent::TrackPublished { cid: of, track } if of == cid => Some(track.sid.clone()),
            _ => None,
        })
    }

    pub fn go_live(&mut self, session: SessionId, track: &TrackSid) {
        let layers = vec![LiveLayer { rid: String::new(), ssrc: 11, quality: 0 }];
        let (mid, mime) = ("3".to_owned(), "audio/opus".to_owned());
        self.media(MediaEvent::TrackLive { session, track: track.clone(), codec: 0, mid, mime, layers });
    }

    /// Announced and live.
    pub fn publish(&mut self, session: SessionId, request: TrackRequest) -> TrackSid {
        let sid = self.announce(session, request);
        self.go_live(session, &sid);
        sid
    }

    // --- what happened ---

    pub fn forget(&mut self) {
        self.steps.clear();
    }

    /// What this session was told since the steps were forgotten last.
    pub fn told(&self, session: SessionId) -> Vec<Arc<RoomEvent>> {
        let told = self.steps.iter().filter_map(|step| match step {
            Step::Told(to, event) if *to == session => Some(event.clone()),
            _ => None,
        });
        told.collect()
    }

    /// Participant updates that this session got, in order.
    pub fn updates(&self, session: SessionId) -> Vec<Arc<Participant>> {
        let updates = self.told(session).into_iter().filter_map(|event| match &*event {
            RoomEvent::ParticipantsUpdated(list) => Some(list.clone()),
            _ => None,
        });
        updates.flatten().collect()
    }

    /// The last update about `identity` that this session got.
    pub fn seen(&self, session: SessionId, identity: &str) -> Option<Arc<Participant>> {
        self.updates(session).into_iter().rev().find(|info| &*info.identity.id == identity)
    }

    pub fn leave_told(&self, session: SessionId) -> Option<(DisconnectReason, LeaveAction)> {
        self.told(session).iter().find_map(|event| match **event {
            RoomEvent::Leave { reason, action } => Some((reason, action)),
            _ => None,
        })
    }

    pub fn joined(&self, session: SessionId) -> (RoomInfo, Arc<Participant>, Vec<Arc<Participant>>) {
        match self.told(session).first().map(|event| (**event).clone()) {
            Some(RoomEvent::Joined { room, you, others, .. }) => (room, you, others),
            first => panic!("the first event is not Joined: {first:?}"),
        }
    }

    pub fn commands(&self) -> Vec<MediaCommand> {
        let commands = self.steps.iter().filter_map(|step| match step {
            Step::Command(command) => Some(command.clone()),
            _ => None,
        });
        commands.collect()
    }

    /// (receiver, track) of each Subscribe command.
    pub fn subscribed(&self) -> BTreeSet<(SessionId, TrackSid)> {
        let pairs = self.commands().into_iter().filter_map(|command| match command {
            MediaCommand::Subscribe { session, track, .. } => Some((session, track)),
            _ => None,
        });
        pairs.collect()
    }

    /// (receiver, track) of each Unsubscribe command.
    pub fn unsubscribed(&self) -> BTreeSet<(SessionId, TrackSid)> {
        let pairs = self.commands().into_iter().filter_map(|command| match command {
            MediaCommand::Unsubscribe { session, track } => Some((session, track)),
            _ => None,
        });
        pairs.collect()
    }

    pub fn closed(&self, session: SessionId) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Closed(closed) if *closed == session))
    }

    pub fn ended(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Ended))
    }

    /// Position of the first step that fits.
    pub fn position(&self, fits: impl Fn(&Step) -> bool) -> usize {
        self.steps.iter().position(fits).expect("there is such a step")
    }
}

/// A microphone as `enableCameraAndMicrophone` announces it.
pub fn microphone(cid: &str) -> TrackRequest {
    track(cid, TrackKind::Audio, TrackSource::Microphone)
}

/// A camera.
pub fn camera(cid: &str) -> TrackRequest {
    track(cid, TrackKind::Video, TrackSource::Camera)
}

pub fn track(cid: &str, kind: TrackKind, source: TrackSource) -> TrackRequest {
    TrackRequest {
        cid: cid.to_owned(),
        kind,
        source,
        name: String::new(),
        muted: false,
        width: 0,
        height: 0,
        layers: Vec::new(),
        codecs: Vec::new(),
        disable_dtx: false,
        disable_red: false,
        stereo: false,
        stream: "camera".to_owned(),
        encryption: 0,
        backup_codec_policy: 0,
        audio_features: Vec::new(),
        packet_trailer_features: Vec::new(),
    }
}
