//! The bus.

mod elsewhere;
mod grace;
mod presence;
mod publish;
mod said;
mod sockets;
mod views;
mod visits;

use crate::effect::{CloseReason, Complaint, Effect};
use crate::input::{Attribute, Input, Removal, SocketId, View, Visitor};
use crate::limits::BusLimits;
use crate::world::World;
use elsewhere::Elsewhere;
use presence::Presence;
use sockets::{Socket, Sockets};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use views::Views;
use visits::Visits;

/// Everything that the bus knows.
#[derive(Debug)]
pub struct Bus<W> {
    world: W,
    limits: BusLimits,
    sockets: Sockets,
    views: Views,
    presence: Presence,
    visits: Visits,
    elsewhere: Elsewhere,
    effects: VecDeque<Effect>,
}

impl<W: World> Bus<W> {
    /// Nobody is there yet.
    pub fn new(limits: BusLimits, world: W) -> Self {
        Self {
            world,
            limits,
            sockets: Sockets::default(),
            views: Views::default(),
            presence: Presence::default(),
            visits: Visits::default(),
            elsewhere: Elsewhere::default(),
            effects: VecDeque::new(),
        }
    }

    /// Something happens.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { socket, visitor, view, operator } => self.open(now, socket, visitor, view, operator),
            Input::Closed { socket, heard_at } => self.close(now, socket, heard_at),
            Input::Said { socket, said } => self.on_said(now, socket, said),
            Input::Post { room, frame } => self.post(room.as_ref(), frame),
            Input::Present { room, id, attributes } => self.on_present(&room, &id, &attributes),
            Input::Gone { room, id } => self.on_gone(&room, &id),
            Input::BecameToken { room } => self.became_token(&room),
            Input::RoomEnded { room } => self.room_ended(&room),
            Input::Removed { room, user, by } => self.removed(&room, &user, by),
            Input::Refused { room, user, banned } => self.refused(&room, &user, banned),
        }
        self.publish_due(now);
    }

    /// Time has come to [`Bus::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        self.end_overdue_visits(now);
        self.tell_profiles(now);
        self.publish_due(now);
    }

    /// What is to be done next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Bus::handle_timeout`] is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timeouts = [self.visits.next_deadline(), self.elsewhere.next_at(), self.views.next_due()];
        timeouts.into_iter().flatten().min()
    }

    /// Those around it.
    pub fn world(&self) -> &W {
        &self.world
    }

    fn open(&mut self, now: Instant, id: SocketId, visitor: Visitor, view: View, operator: bool) {
        self.views.add(id, &view, now);
        self.visits.add_idle(id, visitor, &view, now);
        let missing = self.visits.missing_for(visitor, &view);
        let socket = Socket {
            view,
            visitor,
            operator,
            opened_at: now,
            said: Default::default(),
            stands_for: None,
            barred: Default::default(),
        };
        self.sockets.insert(id, socket);
        if let Some(visit) = missing {
            self.stand_in(visit, id);
        }
    }

    fn on_present(&mut self, room: &Arc<str>, id: &Arc<str>, attributes: &[Attribute]) {
        self.presence.put_other(room, id, attributes);
        self.touch(room);
    }

    fn on_gone(&mut self, room: &str, id: &str) {
        self.presence.remove_other(room, id);
        self.touch(room);
    }

    /// Token wins: who is there without one is told and removed.
    fn became_token(&mut self, room: &Arc<str>) {
        let users = self.presence.room(room).map(|room| room.users.keys().cloned().collect::<Vec<_>>());
        for user in users.unwrap_or_default() {
            let sockets = self.sockets_of(room, &user, true);
            if sockets.iter().any(|socket| self.has_token(*socket, room)) {
                continue;
            }
            self.take_out(room, &user);
            for socket in sockets {
                self.complain(socket, Some(room.clone()), Complaint::RoomTaken);
            }
        }
        self.views.touch_all();
    }

    fn room_ended(&mut self, room: &str) {
        self.presence.remove_others(room);
        self.views.touch_all();
    }

    fn removed(&mut self, room: &Arc<str>, user: &Arc<str>, by: Removal) {
        let sockets = self.sockets_of(room, user, self.world.is_open(room));
        self.forget_shown(room, user);
        self.take_out(room, user);
        // Nobody is shown in a room that has ended: that would make it anew.
        if by != Removal::RoomEnded {
            self.show_next(room);
        }
        if by == Removal::Operator {
            let close = |socket| Effect::Close { socket, reason: CloseReason::Removed };
            self.effects.extend(sockets.into_iter().map(close));
        }
    }

    fn refused(&mut self, room: &Arc<str>, user: &Arc<str>, banned: bool) {
        self.forget_shown(room, user);
        if !banned {
            return;
        }
        for socket in self.sockets_of(room, user, self.world.is_open(room)) {
            self.complain(socket, Some(room.clone()), Complaint::Banned);
            if let Some(socket) = self.sockets.get_mut(socket) {
                socket.barred.insert(room.clone());
            }
        }
        self.take_out(room, user);
    }

    /// The sockets by which somebody is in a room: those that speak for them, or one that is taken for their return.
    fn sockets_of(&self, room: &str, user: &str, open: bool) -> Vec<SocketId> {
        let speakers = self.sockets.speakers(user, room, open).map(|(id, _)| id);
        let lost = self.presence.user(room, user).and_then(|user| user.lost);
        let stand_in = lost.and_then(|visit| self.visits.get(visit)?.stand_in);
        speakers.chain(stand_in).collect()
    }

    fn has_token(&self, socket: SocketId, room: &str) -> bool {
        self.sockets.get(socket).is_some_and(|socket| socket.view.has_token_for(room))
    }

    /// Removes a user from a room, here and elsewhere.
    fn take_out(&mut self, room: &Arc<str>, user: &Arc<str>) {
        let Some(gone) = self.presence.remove(room, user) else { return };
        if let Some(visit) = gone.lost {
            self.unseat(visit, room, user);
        }
        self.hide(room, user, &gone);
        self.touch(room);
    }

    fn complain(&mut self, to: SocketId, room: Option<Arc<str>>, complaint: Complaint) {
        self.effects.push_back(Effect::Complain { to, room, complaint });
    }

    fn touch(&mut self, room: &str) {
        let open = self.world.is_open(room);
        self.views.touch(room, open);
    }
}
