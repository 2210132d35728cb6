//! One room's task: it owns the model and the room's way into the media plane, takes requests and media events in turn,
//! and carries out the effects in their order. Nothing here decides what a room does.

use super::access::{AccessCell, Credential};
use super::calls::{Answers, Call, Calls};
use super::chat_log::ChatLog;
use super::declared::{Declaration, staging};
use super::followers::{Followed, Followers, NotFollowed};
use super::handle::{CallRefused, DataMessage, FIRST_SOCKET, JoinTicket, ResumeTicket, Resumption, SessionHandle};
use super::house::House;
use super::outbox::{Outbox, Overflow};
use super::outgoing::Outgoing;
use super::overhear::DataChat;
use super::registry::{JoinError, Registration};
use super::talk::{ChatAnswer, Moderated, Work};
use super::watch::Watchers;
use crate::clock::now;
use net::pool::{MediaHome, RoomMedia};
use room::effect::{Recipients, RoomInfo};
use room::media::{MediaCommand, MediaEvent};
use room::moderation::BanList;
use room::participant::{DisconnectReason, Participant};
use room::{
    AdminError, AdminRequest, ChatMessage, ChatPost, ChatRules, Identity, Moderation, Notice, Room, RoomEffect,
    RoomEvent, RoomInput, SessionId,
};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// What a room's task can be asked.
#[derive(Debug)]
pub(super) enum Request {
    /// Somebody wants in.
    Join { ticket: Box<JoinTicket>, outbox: Outbox, reply: oneshot::Sender<Result<(), JoinError>> },
    /// A session goes on with a new socket.
    Resume {
        ticket: ResumeTicket,
        outbox: Outbox,
        /// The way back here, for the new handle.
        requests: mpsc::Sender<Request>,
        reply: oneshot::Sender<Option<Resumption>>,
    },
    /// A session says something by one of its sockets.
    Input { session: SessionId, socket: u32, input: RoomInput },
    /// The room.
    Info(oneshot::Sender<RoomInfo>),
    /// Everybody.
    Participants(oneshot::Sender<Vec<Arc<Participant>>>),
    /// Somebody.
    Participant { identity: Identity, reply: oneshot::Sender<Option<Arc<Participant>>> },
    /// Removal; answered with whether they were there.
    Remove { identity: Identity, reply: oneshot::Sender<bool> },
    /// What an administrator asks.
    Administer { request: Box<AdminRequest>, reply: oneshot::Sender<Result<(), AdminError>> },
    /// A packet by the server.
    SendData { message: DataMessage, reply: oneshot::Sender<()> },
    /// A call by the server.
    Call { identity: Identity, call: Call, reply: oneshot::Sender<Result<Answers, CallRefused>> },
    /// Would somebody get in, as things stand?
    Knock { credential: Credential, address: Option<IpAddr>, reply: oneshot::Sender<Result<(), JoinError>> },
    /// Somebody says something.
    Say { post: Box<ChatPost>, credential: Credential, reply: oneshot::Sender<ChatAnswer> },
    /// The newest of what was said, oldest first.
    ChatHistory { limit: usize, reply: oneshot::Sender<Vec<Arc<ChatMessage>>> },
    /// What a moderator asks.
    Moderate { request: Box<Moderation>, reply: oneshot::Sender<Moderated> },
    /// What moderators have said.
    Orders(oneshot::Sender<OrdersInForce>),
    /// Another room is going to show somebody.
    Follow { identity: Identity, reply: oneshot::Sender<Result<Followed, NotFollowed>> },
    /// Somebody who is shown here has their media there.
    Borrow { session: SessionId, home: MediaHome },
    /// Where somebody comes from.
    AddressOf { identity: Identity, reply: oneshot::Sender<Option<IpAddr>> },
    /// The house has banned somebody: those who are there go.
    Expel { banned: room::Banned, reply: oneshot::Sender<()> },
    /// What the schedule declares of it changes.
    Stage { declaration: Option<Declaration>, reply: oneshot::Sender<()> },
    /// From now on for those with a token only.
    Close(oneshot::Sender<()>),
    /// The end, by `Delete` or `Shutdown`.
    End { input: RoomInput, reply: oneshot::Sender<()> },
}

/// What moderators have said of a room.
#[derive(Clone, Debug)]
pub struct OrdersInForce {
    /// The chat's rules.
    pub rules: ChatRules,
    /// The chat is closed whatever they say: an event is on that has none.
    pub closed_by_event: bool,
    /// Who may not write.
    pub muted: Vec<Identity>,
    /// Who may not come in.
    pub bans: BanList,
}

/// Everything that a room's task owns.
pub(super) struct RoomTask {
    pub(super) room: Room,
    pub(super) media: RoomMedia,
    access: AccessCell,
    pub(super) seats: HashMap<SessionId, Seat>,
    calls: Calls,
    followers: Followers,
    pub(super) chat: ChatLog,
    pub(super) work: Work,
    pub(super) data_chat: DataChat,
    pub(super) house: Arc<House>,
    /// Its name in the registry; given up the moment the room ends.
    registration: Option<Registration>,
    watchers: Watchers,
    /// The room as watchers were told of it last.
    known_as: Option<RoomInfo>,
    population: Population,
}

/// What the shell knows of a session.
pub(super) struct Seat {
    /// `None` while its signalling is lost.
    outbox: Option<Outbox>,
    credential: Credential,
    /// Where its client is.
    pub(super) address: Option<IpAddr>,
    /// The socket that is heard.
    socket: u32,
}

/// What a room's task is made of.
pub(super) struct Parts {
    pub(super) room: Room,
    pub(super) media: RoomMedia,
    pub(super) access: AccessCell,
    pub(super) chat: ChatLog,
    pub(super) data_chat: DataChat,
    pub(super) house: Arc<House>,
    pub(super) registration: Registration,
    pub(super) watchers: Watchers,
}

impl RoomTask {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { room, media, access, chat, data_chat, house, registration, watchers } = parts;
        Self {
            room,
            media,
            access,
            seats: HashMap::new(),
            calls: Calls::default(),
            followers: Followers::default(),
            chat,
            work: Work::default(),
            data_chat,
            house,
            registration: Some(registration),
            watchers,
            known_as: None,
            population: Population::default(),
        }
    }

    /// Runs until the room ends; it begins with what the schedule declares of it.
    pub(super) async fn run(
        mut self,
        declaration: Option<Declaration>,
        mut requests: mpsc::Receiver<Request>,
        mut events: mpsc::Receiver<MediaEvent>,
    ) {
        self.remember().await;
        self.stage(declaration).await;
        while !self.room.has_ended() {
            let timeout = self.room.poll_timeout();
            tokio::select! {
                Some(request) = requests.recv() => self.serve(request).await,
                Some(event) = events.recv() => self.hear(event).await,
                done = self.work.next() => self.finish(done).await,
                () = sleep_until(timeout) => {
                    self.room.handle_timeout(now());
                    self.carry_out().await;
                }
            }
        }
    }

    async fn serve(&mut self, request: Request) {
        match request {
            Request::Join { ticket, outbox, reply } => answer(reply, self.join(*ticket, outbox).await),
            Request::Resume { ticket, outbox, requests, reply } => {
                answer(reply, self.resume(&ticket, outbox, requests).await);
            }
            Request::Input { session, socket, input } => self.take_input(session, socket, input).await,
            Request::Info(reply) => answer(reply, self.room.info()),
            Request::Participants(reply) => answer(reply, self.room.participants().cloned().collect()),
            Request::Participant { identity, reply } => answer(reply, self.room.participant(&identity).cloned()),
            Request::Remove { identity, reply } => answer(reply, self.remove(identity).await),
            Request::Administer { request, reply } => answer(reply, self.administer(*request).await),
            Request::SendData { message, reply } => {
                self.send_data(message).await;
                answer(reply, ());
            }
            Request::Call { identity, call, reply } => answer(reply, self.call(&identity, call).await),
            Request::Knock { credential, address, reply } => answer(reply, self.knock(credential, address)),
            Request::Say { post, credential, reply } => {
                // To somebody without a token a token room is none: they hear that it has gone.
                if self.access.admits(credential) {
                    self.say(*post, reply);
                }
            }
            Request::ChatHistory { limit, reply } => answer(reply, self.chat.newest(limit)),
            Request::Moderate { request, reply } => self.moderate(*request, reply).await,
            Request::Orders(reply) => answer(reply, self.orders()),
            Request::Follow { identity, reply } => answer(reply, self.follow(&identity)),
            Request::Borrow { session, home } => self.media.borrow(session, home),
            Request::AddressOf { identity, reply } => answer(reply, self.address_of(&identity)),
            Request::Expel { banned, reply } => {
                self.expel(&banned).await;
                answer(reply, ());
            }
            Request::Stage { declaration, reply } => {
                self.stage(declaration).await;
                answer(reply, ());
            }
            Request::Close(reply) => {
                self.close().await;
                answer(reply, ());
            }
            Request::End { input, reply } => {
                self.handle(input).await;
                answer(reply, ());
            }
        }
    }

    async fn join(&mut self, ticket: JoinTicket, outbox: Outbox) -> Result<(), JoinError> {
        let JoinTicket { join, credential, address, .. } = ticket;
        self.knock(credential, address)?;
        if self.bars(Some(&join.identity), address) {
            return Err(JoinError::Banned);
        }
        // A full room may have places once those without a token are gone.
        self.room.check_join(&join).or_else(|error| match error {
            room::JoinError::RoomFull => Ok(()),
            other => Err(other),
        })?;
        if self.access.claimed_by(credential) {
            self.becomes_token().await;
        }
        self.room.check_join(&join)?;
        let seat = Seat { outbox: Some(outbox), credential, address, socket: FIRST_SOCKET };
        self.seats.insert(join.session, seat);
        self.handle(RoomInput::Join(Box::new(join))).await;
        Ok(())
    }

    /// To whom the room is none, it says no more.
    fn knock(&self, credential: Credential, address: Option<IpAddr>) -> Result<(), JoinError> {
        match self.access.admits(credential) {
            false => Err(JoinError::NoSuchRoom),
            true if self.bars(None, address) => Err(JoinError::Banned),
            true => Ok(()),
        }
    }

    fn orders(&self) -> OrdersInForce {
        let muted = self.room.muted().cloned().collect();
        let closed_by_event = self.room.chat_is_closed_by_event();
        OrdersInForce { rules: self.room.chat_rules(), closed_by_event, muted, bans: self.room.bans().clone() }
    }

    fn address_of(&self, identity: &Identity) -> Option<IpAddr> {
        self.seats.get(&self.room.session_of(identity)?)?.address
    }

    /// The new socket takes over; the old one, if it still is there, is closed by the end of its outbox.
    async fn resume(
        &mut self,
        ticket: &ResumeTicket,
        outbox: Outbox,
        requests: mpsc::Sender<Request>,
    ) -> Option<Resumption> {
        let (session, mode) = self.room.check_resume(now(), &ticket.identity, &ticket.sid)?;
        let seat = self.seats.get_mut(&session).filter(|seat| seat.credential == ticket.credential)?;
        seat.socket += 1;
        seat.outbox = Some(outbox);
        let handle = SessionHandle::new(session, seat.socket, requests);
        self.handle(RoomInput::Resume { session }).await;
        Some(Resumption { handle, mode })
    }

    /// What an older socket still says, or its end, is nothing to the session that has gone on.
    async fn take_input(&mut self, session: SessionId, socket: u32, input: RoomInput) {
        let Some(seat) = self.seats.get_mut(&session).filter(|seat| seat.socket == socket) else { return };
        if let RoomInput::SignalLost { .. } = input {
            seat.outbox = None;
        }
        self.handle(input).await;
    }

    async fn remove(&mut self, identity: Identity) -> bool {
        let there = self.room.participant(&identity).is_some();
        self.handle(RoomInput::Remove { identity }).await;
        there
    }

    async fn administer(&mut self, request: AdminRequest) -> Result<(), AdminError> {
        let done = self.room.administer(now(), request);
        self.carry_out().await;
        done
    }

    /// An event begins to count here, changes, or counts no more.
    async fn stage(&mut self, declaration: Option<Declaration>) {
        self.room.stage(now(), staging(declaration));
        self.carry_out().await;
        if self.access.schedule(declaration.and_then(|declared| declared.access)) {
            self.becomes_token().await;
        }
    }

    async fn close(&mut self) {
        if self.access.close() {
            self.becomes_token().await;
        }
    }

    /// Token wins: those who are there without one are told and removed.
    async fn becomes_token(&mut self) {
        self.notify(&Notice::BecameToken);
        let public = self.seats.iter().filter(|(_, seat)| seat.credential == Credential::Public);
        let public: Vec<_> = public.map(|(session, _)| *session).collect();
        for session in public {
            self.handle(RoomInput::Leave { session, reason: DisconnectReason::ParticipantRemoved }).await;
        }
    }

    /// What the shards report: for the room, but for answers to calls, and chat.
    async fn hear(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::CallAnswered { session, id, packet } => self.calls.answered(&id, session, packet),
            MediaEvent::Overheard { session, packet, passed: true } => self.overhear(session, &packet),
            MediaEvent::Overheard { session, packet, passed: false } => self.tell_refusal(session, &packet).await,
            event => {
                self.followers.hear(&event);
                self.handle(RoomInput::Media(event)).await;
            }
        }
    }

    fn follow(&mut self, identity: &Identity) -> Result<Followed, NotFollowed> {
        let session = self.room.session_of(identity).ok_or(NotFollowed::NotThere)?;
        let home = self.media.home(session).ok_or(NotFollowed::NoMedia)?;
        let mirrored = self.room.mirrored(session).ok_or(NotFollowed::NotThere)?;
        self.followers.add(session, home, mirrored)
    }

    async fn call(&mut self, identity: &Identity, call: Call) -> Result<Answers, CallRefused> {
        let session = self.room.session_of(identity).ok_or(CallRefused::NotThere)?;
        let answers = self.calls.open(&call.id, session).ok_or(CallRefused::TooMany)?;
        self.media.command(MediaCommand::Call { session, id: call.id, packet: call.packet }).await;
        Ok(answers)
    }

    pub(super) async fn send_data(&mut self, message: DataMessage) {
        for session in self.receivers(&message) {
            let (reliable, packet) = (message.reliable, message.packet.clone());
            self.media.command(MediaCommand::SendData { session, reliable, packet }).await;
        }
    }

    /// Each once, also if named twice.
    fn receivers(&self, message: &DataMessage) -> Vec<SessionId> {
        if message.identities.is_empty() && message.sids.is_empty() {
            return self.room.sessions().collect();
        }
        let by_identity = message.identities.iter().filter_map(|identity| self.room.session_of(identity));
        let by_sid = message.sids.iter().filter_map(|sid| self.room.session_of_sid(sid));
        let mut sessions: Vec<_> = by_identity.chain(by_sid).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    pub(super) async fn handle(&mut self, input: RoomInput) {
        self.room.handle_input(now(), input);
        self.carry_out().await;
    }

    /// Effects in their order. A session that proves too slow leaves, which has effects of its own.
    pub(super) async fn carry_out(&mut self) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                RoomEffect::Send { to, event } => self.send(&to, event),
                RoomEffect::Media(command) => self.media.command(command).await,
                RoomEffect::HangUp { session } => self.hang_up(session),
                RoomEffect::Notice(notice @ Notice::RoomFinished(_)) => {
                    // What was said is heard before the end.
                    Box::pin(self.finish_all()).await;
                    self.notify(&notice);
                }
                RoomEffect::Notice(notice) => self.notify(&notice),
                RoomEffect::CloseSession { session } => {
                    self.media.give_back(session);
                    self.seats.remove(&session);
                    self.data_chat.forget(session);
                }
                RoomEffect::Ended => drop(self.registration.take()),
            }
        }
        self.followers.tell(&self.room);
        self.calls.keep(|session| self.room.sessions().any(|there| there == session));
        self.population.is_now(self.room.sessions().count());
    }

    /// Tells those outside.
    pub(super) fn notify(&mut self, notice: &Notice) {
        if self.watchers.is_empty() {
            return;
        }
        if notice.is_of_life() || self.known_as.is_none() {
            self.known_as = Some(self.room.info());
        }
        if let Some(room) = &self.known_as {
            self.watchers.tell(room, notice);
        }
    }

    fn send(&mut self, to: &Recipients, event: Arc<RoomEvent>) {
        let outgoing = Arc::new(Outgoing::new(event));
        for session in to {
            let Some(outbox) = self.seats.get(session).and_then(|seat| seat.outbox.as_ref()) else { continue };
            if outbox.put(outgoing.clone()) == Err(Overflow) {
                self.evict_slow(*session);
            }
        }
    }

    fn hang_up(&mut self, session: SessionId) {
        if let Some(seat) = self.seats.get_mut(&session) {
            seat.outbox = None;
        }
    }

    /// Its socket can't be told any more; the others see it go.
    fn evict_slow(&mut self, session: SessionId) {
        self.seats.remove(&session);
        metrics::counter!("odeon_slow_sessions_closed_total").increment(1);
        tracing::warn!(session = session.0, "a session's socket was too slow and has been closed");
        let reason = DisconnectReason::SignalClose;
        self.room.handle_input(now(), RoomInput::Leave { session, reason });
    }
}

/// Whoever asked may have gone meanwhile: then the answer is nobody's.
pub(super) fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    drop(reply.send(value));
}

/// This room's share of the participants gauge; given back when the task ends, however it ends.
#[derive(Default)]
struct Population(usize);

impl Population {
    fn is_now(&mut self, count: usize) {
        metrics::gauge!("odeon_participants").increment(count as f64 - self.0 as f64);
        self.0 = count;
    }
}

impl Drop for Population {
    fn drop(&mut self) {
        self.is_now(0);
    }
}

async fn sleep_until(at: Option<std::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
