//! One room's task: it owns the model and the room's way into the media plane, takes requests and media events in turn,
//! and carries out the effects in their order. Nothing here decides what a room does.

use super::access::{AccessCell, Credential};
use super::calls::{Answers, Call, Calls};
use super::handle::{CallRefused, DataMessage, FIRST_SOCKET, JoinTicket, ResumeTicket, Resumption, SessionHandle};
use super::outbox::{Outbox, Overflow};
use super::outgoing::Outgoing;
use super::registry::{JoinError, Registration};
use super::watch::Watchers;
use crate::clock::now;
use net::pool::RoomMedia;
use room::effect::{Recipients, RoomInfo};
use room::media::{MediaCommand, MediaEvent};
use room::participant::{DisconnectReason, Participant};
use room::{Identity, Room, RoomEffect, RoomEvent, RoomInput, SessionId};
use std::collections::HashMap;
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
    /// A packet by the server.
    SendData { message: DataMessage, reply: oneshot::Sender<()> },
    /// A call by the server.
    Call { identity: Identity, call: Call, reply: oneshot::Sender<Result<Answers, CallRefused>> },
    /// From now on for those with a token only.
    Close(oneshot::Sender<()>),
    /// The end, by `Delete` or `Shutdown`.
    End { input: RoomInput, reply: oneshot::Sender<()> },
}

/// Everything that a room's task owns.
pub(super) struct RoomTask {
    room: Room,
    media: RoomMedia,
    access: AccessCell,
    seats: HashMap<SessionId, Seat>,
    calls: Calls,
    /// Its name in the registry; given up the moment the room ends.
    registration: Option<Registration>,
    watchers: Watchers,
    population: Population,
}

/// What the shell knows of a session.
struct Seat {
    /// `None` while its signalling is lost.
    outbox: Option<Outbox>,
    credential: Credential,
    /// The socket that is heard.
    socket: u32,
}

impl RoomTask {
    pub(super) fn new(
        room: Room,
        media: RoomMedia,
        access: AccessCell,
        registration: Registration,
        watchers: Watchers,
    ) -> Self {
        let (seats, calls, population) = (HashMap::new(), Calls::default(), Population::default());
        Self { room, media, access, seats, calls, registration: Some(registration), watchers, population }
    }

    /// Runs until the room ends.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut events: mpsc::Receiver<MediaEvent>) {
        self.carry_out().await;
        while !self.room.has_ended() {
            let timeout = self.room.poll_timeout();
            tokio::select! {
                Some(request) = requests.recv() => self.serve(request).await,
                Some(event) = events.recv() => self.hear(event).await,
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
            Request::SendData { message, reply } => {
                self.send_data(message).await;
                answer(reply, ());
            }
            Request::Call { identity, call, reply } => answer(reply, self.call(&identity, call).await),
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
        let JoinTicket { join, credential } = ticket;
        if !self.access.admits(credential) {
            return Err(JoinError::NoSuchRoom);
        }
        // A full room may have places once those without a token are gone.
        self.room.check_join(&join).or_else(|error| match error {
            room::JoinError::RoomFull => Ok(()),
            other => Err(other),
        })?;
        if self.access.claimed_by(credential) {
            self.remove_the_public().await;
        }
        self.room.check_join(&join)?;
        self.seats.insert(join.session, Seat { outbox: Some(outbox), credential, socket: FIRST_SOCKET });
        self.handle(RoomInput::Join(Box::new(join))).await;
        Ok(())
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

    async fn close(&mut self) {
        if self.access.close() {
            self.remove_the_public().await;
        }
    }

    /// Token wins: those who are there without one are told and removed.
    async fn remove_the_public(&mut self) {
        let public = self.seats.iter().filter(|(_, seat)| seat.credential == Credential::Public);
        let public: Vec<_> = public.map(|(session, _)| *session).collect();
        for session in public {
            self.handle(RoomInput::Leave { session, reason: DisconnectReason::ParticipantRemoved }).await;
        }
    }

    /// What the shards report: for the room, but for answers to calls.
    async fn hear(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::CallAnswered { session, id, packet } => self.calls.answered(&id, session, packet),
            event => self.handle(RoomInput::Media(event)).await,
        }
    }

    async fn call(&mut self, identity: &Identity, call: Call) -> Result<Answers, CallRefused> {
        let session = self.room.session_of(identity).ok_or(CallRefused::NotThere)?;
        let answers = self.calls.open(&call.id, session).ok_or(CallRefused::TooMany)?;
        self.media.command(MediaCommand::Call { session, id: call.id, packet: call.packet }).await;
        Ok(answers)
    }

    async fn send_data(&mut self, message: DataMessage) {
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

    async fn handle(&mut self, input: RoomInput) {
        self.room.handle_input(now(), input);
        self.carry_out().await;
    }

    /// Effects in their order. A session that proves too slow leaves, which has effects of its own.
    async fn carry_out(&mut self) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                RoomEffect::Send { to, event } => self.send(&to, event),
                RoomEffect::Media(command) => self.media.command(command).await,
                RoomEffect::HangUp { session } => self.hang_up(session),
                RoomEffect::Notice(notice) => self.watchers.tell(|| self.room.info(), &notice),
                RoomEffect::CloseSession { session } => drop(self.seats.remove(&session)),
                RoomEffect::Ended => drop(self.registration.take()),
            }
        }
        self.calls.keep(|session| self.room.sessions().any(|there| there == session));
        self.population.is_now(self.room.sessions().count());
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
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
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
