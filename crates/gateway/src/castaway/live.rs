//! A livestream that is on: its streamer, its listeners, and the sound between them (C-06 to C-14).

use super::Castaway;
use super::ear::{Ear, Piece, Role};
use super::engine::outbox::Outgoing;
use super::kept::recorder::Recorder;
use super::limits::{MAX_LISTENERS, VISIBLE_USERS};
use super::seats::{self, Guest, Seat};
use super::who::Who;
use crate::rooms::{Credential, JoinError};
use room::participant::DisconnectReason;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A socket's place in a livestream. When it is dropped, the network has lost the socket.
#[derive(Debug)]
pub(super) struct Stay {
    stage: Arc<Stage>,
    ear: Arc<Ear>,
    /// Of a listener.
    number: u64,
    uid: String,
}

impl Drop for Stay {
    fn drop(&mut self) {
        match self.ear.role() {
            Role::Streamer => self.stage.streamer_lost(&self.ear),
            Role::Listener => self.stage.listener_left(self.number),
        }
    }
}

impl Stay {
    /// On purpose.
    pub(super) fn leave(self) {
        self.ear.go();
        if self.ear.role() == Role::Streamer {
            self.stage.streamer_left(&self.ear);
        }
    }

    /// C-10
    pub(super) fn upload(&self, piece: &Piece) {
        if self.stage.upload(&self.ear, piece) {
            self.ear.succeed(&format!("Packet received from user {}", self.uid));
        }
    }
}

/// A livestream that is on.
#[derive(Debug)]
pub(super) struct Stage {
    castaway: Weak<Castaway>,
    livestream: Arc<str>,
    /// Held while somebody takes a seat: a user has one, whichever socket comes first.
    doors: tokio::sync::Mutex<()>,
    // Touched once a piece, never held across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    streamer: Option<Streamer>,
    listeners: HashMap<u64, Listener>,
    next: u64,
    newest: Option<Arc<[Outgoing]>>,
    seats: HashMap<Arc<str>, Weak<Seat>>,
    recorder: Option<Recorder>,
    ended: bool,
}

#[derive(Debug)]
struct Streamer {
    user: Arc<str>,
    /// `None`: lost, and waited for.
    ear: Option<Arc<Ear>>,
    _seat: Arc<Seat>,
    /// How often one has come.
    visit: u64,
}

#[derive(Debug)]
struct Listener {
    user: Arc<str>,
    ear: Arc<Ear>,
    _seat: Arc<Seat>,
}

/// What a newcomer is to hear in place of being let in.
pub(super) enum NotLetIn {
    /// The room does not take them.
    Room(JoinError),
    /// Somebody else streams.
    Taken,
    /// It has just ended.
    Ended,
    /// Too many listen.
    Full,
}

impl Stage {
    pub(super) fn new(castaway: &Arc<Castaway>, livestream: Arc<str>) -> Arc<Self> {
        let castaway = Arc::downgrade(castaway);
        Arc::new(Self { castaway, livestream, doors: Default::default(), state: Mutex::default() })
    }

    pub(super) fn livestream(&self) -> &str {
        &self.livestream
    }

    /// Is somebody streaming at this moment?
    pub(super) fn is_connected(&self) -> bool {
        self.state().streamer.as_ref().is_some_and(|streamer| streamer.ear.is_some())
    }

    /// Has it begun, and not ended?
    pub(super) fn is_on(&self) -> bool {
        let state = self.state();
        state.streamer.is_some() && !state.ended
    }

    /// C-06, C-14: a second socket of the same user takes over.
    pub(super) async fn stream(
        self: &Arc<Self>,
        who: &Who,
        credential: Credential,
        ear: &Arc<Ear>,
        address: IpAddr,
        recorder: impl FnOnce() -> Option<Recorder>,
    ) -> Result<Stay, NotLetIn> {
        let _door = self.doors.lock().await;
        if self.state().streamer.as_ref().is_some_and(|now| now.user != who.key) {
            return Err(NotLetIn::Taken);
        }
        let seat = self.seat(who, credential, address).await?;
        let mut state = self.state();
        if state.ended {
            return Err(NotLetIn::Ended);
        }
        let before = state.streamer.take();
        let visit = before.as_ref().map_or(0, |before| before.visit) + 1;
        if let Some(old) = before.and_then(|before| before.ear) {
            old.end(&format!("User {} streams to livestream {} by another connection.", who.uid, self.livestream));
        }
        state.streamer = Some(Streamer { user: who.key.clone(), ear: Some(Arc::clone(ear)), _seat: seat, visit });
        if state.recorder.is_none() {
            state.recorder = recorder();
        }
        ear.succeed(&format!("User {} connected as streamer to livestream {}.", who.uid, self.livestream));
        Ok(Stay { stage: Arc::clone(self), ear: Arc::clone(ear), number: 0, uid: who.uid.clone() })
    }

    /// C-09; a late listener gets the newest piece at once (C-14).
    pub(super) async fn listen(
        self: &Arc<Self>,
        who: &Who,
        credential: Credential,
        ear: &Arc<Ear>,
        address: IpAddr,
    ) -> Result<Stay, NotLetIn> {
        let _door = self.doors.lock().await;
        if self.state().listeners.len() >= MAX_LISTENERS {
            return Err(NotLetIn::Full);
        }
        let seat = self.seat(who, credential, address).await?;
        let mut state = self.state();
        if state.ended {
            return Err(NotLetIn::Ended);
        }
        state.next += 1;
        let number = state.next;
        let listener = Listener { user: who.key.clone(), ear: Arc::clone(ear), _seat: seat };
        state.listeners.insert(number, listener);
        ear.succeed(&format!("User {} connected as listener to livestream {}.", who.uid, self.livestream));
        if let Some(newest) = &state.newest {
            ear.hear(newest);
        }
        Ok(Stay { stage: Arc::clone(self), ear: Arc::clone(ear), number, uid: who.uid.clone() })
    }

    /// The one that the user has, or a new one.
    async fn seat(self: &Arc<Self>, who: &Who, credential: Credential, address: IpAddr) -> Result<Arc<Seat>, NotLetIn> {
        let (seat, hidden) = {
            let state = self.state();
            let seat = state.seats.get(&who.key).and_then(Weak::upgrade);
            (seat, state.seats.len() >= VISIBLE_USERS)
        };
        if let Some(seat) = seat {
            return Ok(seat);
        }
        let castaway = self.castaway.upgrade().ok_or(NotLetIn::Ended)?;
        let guest = Guest { user: who.key.clone(), name: who.name.clone(), credential, address, hidden };
        let seat = seats::take(&castaway.registry, self, guest).await.map_err(NotLetIn::Room)?;
        self.state().seats.insert(who.key.clone(), Arc::downgrade(&seat));
        Ok(seat)
    }

    /// To every listener, the same bytes. False: it is not this one who streams.
    fn upload(&self, ear: &Arc<Ear>, piece: &Piece) -> bool {
        let mut state = self.state();
        if !state.is_by(ear) {
            return false;
        }
        for listener in state.listeners.values() {
            listener.ear.hear(piece.packets());
        }
        state.newest = Some(Arc::clone(piece.packets()));
        if let Some(recorder) = &mut state.recorder {
            recorder.offer(piece.attachments());
        }
        metrics::counter!("odeon_castaway_pieces_total").increment(1);
        true
    }

    fn streamer_left(&self, ear: &Arc<Ear>) {
        if self.state().is_by(ear) {
            self.end(&self.ended_text());
        }
    }

    /// C-12
    fn streamer_lost(self: &Arc<Self>, ear: &Arc<Ear>) {
        let visit = {
            let mut state = self.state();
            if !state.is_by(ear) {
                return;
            }
            let Some(streamer) = &mut state.streamer else { return };
            streamer.ear = None;
            streamer.visit
        };
        let stage = Arc::downgrade(self);
        let grace = self.castaway.upgrade().map(|castaway| castaway.config.grace).unwrap_or_default();
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            if let Some(stage) = stage.upgrade() {
                stage.give_up_on(visit);
            }
        });
    }

    fn give_up_on(&self, visit: u64) {
        let waited = |streamer: &Streamer| streamer.visit == visit && streamer.ear.is_none();
        if self.state().streamer.as_ref().is_some_and(waited) {
            self.end(&self.ended_text());
        }
    }

    fn listener_left(&self, number: u64) {
        let mut state = self.state();
        if let Some(Listener { user, _seat: seat, .. }) = state.listeners.remove(&number) {
            drop(seat);
            state.forget_seat(&user);
        }
    }

    /// The room has let somebody go.
    pub(super) fn removed(&self, user: &str, reason: DisconnectReason) {
        let text = match reason {
            DisconnectReason::ParticipantRemoved => format!("You were removed from livestream {}.", self.livestream),
            _ => self.ended_text(),
        };
        let (gone, streamer) = {
            let mut state = self.state();
            let gone: Vec<_> = state.listeners.extract_if(|_, listener| *listener.user == *user).collect();
            let streamer = state.streamer.as_ref().filter(|streamer| *streamer.user == *user);
            (gone, streamer.map(|streamer| streamer.ear.clone()))
        };
        for (_, listener) in gone {
            listener.ear.end(&text);
        }
        if let Some(ear) = streamer {
            ear.iter().for_each(|ear| ear.end(&text));
            self.end(&self.ended_text());
        }
    }

    pub(super) fn ended_text(&self) -> String {
        format!("Livestream {} has ended.", self.livestream)
    }

    /// For everybody.
    pub(super) fn end(&self, text: &str) {
        let State { streamer, listeners, recorder, .. } = {
            let mut state = self.state();
            let ended = State { ended: true, ..State::default() };
            std::mem::replace(&mut *state, ended)
        };
        if let Some(castaway) = self.castaway.upgrade() {
            castaway.forget(self);
        }
        for listener in listeners.values() {
            listener.ear.end(text);
        }
        if let Some(ear) = streamer.and_then(|streamer| streamer.ear) {
            // One who left by themselves hears nothing of it.
            ear.end(text);
        }
        drop(recorder);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under it ends one livestream's bookkeeping, and no other.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Of somebody who has got up.
    fn forget_seat(&mut self, user: &str) {
        if self.seats.get(user).is_some_and(|seat| seat.strong_count() == 0) {
            self.seats.remove(user);
        }
    }

    fn is_by(&self, ear: &Arc<Ear>) -> bool {
        let now = self.streamer.as_ref().and_then(|streamer| streamer.ear.as_ref());
        now.is_some_and(|now| Arc::ptr_eq(now, ear))
    }
}
