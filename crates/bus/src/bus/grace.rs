//! Sockets that close and come back (E-04).
//!
//! A socket's users stay for a while after it. A new socket is known as theirs by the userId in whatever it sends; while it
//! says nothing, it stands in for one that is missing with the same cookie, or else the same address and user agent. Of
//! several that are missing, as many stay as sockets came back; if it turns out that the wrong ones stayed, the right ones
//! are put back.

use super::Bus;
use super::visits::{Seat, Visit, VisitId};
use crate::input::SocketId;
use crate::limits::GRACE;
use crate::world::World;
use std::sync::Arc;
use std::time::Instant;

impl<W: World> Bus<W> {
    pub(super) fn close(&mut self, now: Instant, id: SocketId, heard_at: Instant) {
        let Some(socket) = self.sockets.remove(id) else { return };
        self.views.remove(id, &socket.view);
        self.visits.remove_idle(id, socket.visitor, &socket.view, socket.opened_at);
        if let Some(visit) = socket.stands_for {
            if let Some(visit) = self.visits.get_mut(visit) {
                visit.heard_at = heard_at;
            }
            self.wait_for(visit, now + GRACE);
        }
        let lost: Vec<Seat> = socket.said.iter().flat_map(|user| self.seats_without_speaker(user)).collect();
        if lost.is_empty() {
            return;
        }
        let visit = self.visits.begin(socket.visitor, &socket.view, heard_at, now + GRACE, lost.clone());
        for (room, user) in &lost {
            if let Some(user) = self.presence.user_mut(room, user) {
                user.lost = Some(visit);
            }
        }
        self.find_stand_in(visit);
    }

    /// Where a user is and nobody speaks for them any more.
    fn seats_without_speaker(&self, user: &Arc<str>) -> Vec<Seat> {
        let places = self.presence.places(user).into_iter();
        let silent = places.filter(|room| {
            let here = self.presence.user(room, user).is_some_and(|user| user.lost.is_none());
            here && self.sockets.speakers(user, room, self.world.is_open(room)).next().is_none()
        });
        silent.map(|room| (room, user.clone())).collect()
    }

    fn wait_for(&mut self, visit: VisitId, deadline: Instant) {
        self.visits.wait(visit, deadline);
        self.find_stand_in(visit);
    }

    fn find_stand_in(&mut self, visit: VisitId) {
        if let Some(socket) = self.visits.return_of(visit) {
            self.stand_in(visit, socket);
        }
    }

    pub(super) fn stand_in(&mut self, visit: VisitId, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.stands_for = Some(visit);
        self.visits.remove_idle(id, socket.visitor, &socket.view, socket.opened_at);
        self.visits.stand_in(visit, id);
    }

    /// A socket that stood in for somebody is free again; perhaps it is another's return.
    fn free(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.stands_for = None;
        if !socket.said.is_empty() {
            return;
        }
        self.visits.add_idle(id, socket.visitor, &socket.view, socket.opened_at);
        if let Some(visit) = self.visits.missing_for(socket.visitor, &socket.view) {
            self.stand_in(visit, id);
        }
    }

    /// A socket says who it is, or who it is too; false if it has said so of too many.
    pub(super) fn recognise(&mut self, now: Instant, id: SocketId, user: &Arc<str>) -> bool {
        let Some(socket) = self.sockets.get(id) else { return true };
        if socket.said.contains(user) {
            return true;
        }
        self.visits.remove_idle(id, socket.visitor, &socket.view, socket.opened_at);
        if !self.sockets.speak(id, user) {
            return false;
        }
        self.end_standing_in(now, id, user);
        self.come_back(id, user);
        self.recall(id, user);
        true
    }

    /// It was taken for somebody's return: rightly, or not.
    fn end_standing_in(&mut self, now: Instant, id: SocketId, user: &Arc<str>) {
        let Some(visit) = self.sockets.get_mut(id).and_then(|socket| socket.stands_for.take()) else { return };
        let rightly = self.visits.get(visit).is_some_and(|visit| visit.users.iter().any(|(_, id)| id == user));
        if rightly {
            self.come_back_whole(id, visit);
        } else {
            let deadline = self.visits.deadline(visit).unwrap_or(now);
            self.wait_for(visit, deadline.max(now));
        }
    }

    /// Everybody whom the socket had left behind is back with it.
    fn come_back_whole(&mut self, id: SocketId, visit: VisitId) {
        let Some(visit) = self.visits.end(visit) else { return };
        for (room, user) in &visit.users {
            if let Some(user) = self.presence.user_mut(room, user) {
                user.lost = None;
            }
            self.sockets.speak(id, user);
        }
        if let Some(other) = visit.stand_in.filter(|other| *other != id) {
            self.free(other);
        }
    }

    /// The user may be missing without the socket having stood in for them.
    fn come_back(&mut self, id: SocketId, user: &Arc<str>) {
        for room in self.presence.places(user) {
            let Some(visit) = self.presence.user(&room, user).and_then(|user| user.lost) else { continue };
            let Some(socket) = self.sockets.get(id) else { return };
            if self.visits.matches(visit, socket.visitor, &socket.view) {
                self.come_back_whole(id, visit);
            } else if socket.view.may_send(&room, self.world.is_open(&room)) {
                if let Some(user) = self.presence.user_mut(&room, user) {
                    user.lost = None;
                }
                self.unseat(visit, &room, user);
            }
        }
    }

    /// A visit need not bring this user back any more.
    pub(super) fn unseat(&mut self, visit: VisitId, room: &str, user: &str) {
        let Some(missing) = self.visits.get_mut(visit) else { return };
        missing.users.retain(|(there, id)| (&**there, &**id) != (room, user));
        if missing.users.is_empty()
            && let Some(Visit { stand_in: Some(socket), .. }) = self.visits.end(visit)
        {
            self.free(socket);
        }
    }

    /// Fewer sockets came back than were missing, and the wrong ones left: they are put back.
    fn recall(&mut self, id: SocketId, user: &Arc<str>) {
        let Some(socket) = self.sockets.get(id) else { return };
        let (visitor, opened_at) = (socket.visitor, socket.opened_at);
        let Some(gone) = self.visits.recall(user, visitor, &socket.view, opened_at) else { return };
        for ((room, user), attributes, joined) in gone.users {
            let open = self.world.is_open(&room);
            let may = self.sockets.get(id).is_some_and(|socket| socket.view.may_send(&room, open));
            let spoken = may && self.sockets.speak(id, &user);
            if !spoken || self.presence.insert(&room, &user, self.limits.users_in_room) != Ok(true) {
                continue;
            }
            // It fitted before; if it does not fit now, they are there without it.
            let _ = self.presence.merge(&room, &user, &attributes);
            if let Some(user) = self.presence.user_mut(&room, &user) {
                user.joined = joined;
            }
            self.show(&room, &user);
            self.touch(&room);
        }
    }

    pub(super) fn end_overdue_visits(&mut self, now: Instant) {
        while let Some(visit) = self.visits.overdue(now) {
            let Some(gone) = self.visits.end(visit) else { continue };
            let mut left = Vec::new();
            for (room, id) in &gone.users {
                let missing = self.presence.user(room, id).is_some_and(|user| user.lost == Some(visit));
                if let Some(user) = missing.then(|| self.presence.remove(room, id)).flatten() {
                    self.hide(room, id, &user);
                    self.touch(room);
                    left.push(((room.clone(), id.clone()), user.known.attributes(), user.joined));
                }
            }
            self.visits.forget(&gone, now, left);
        }
    }

    /// Nobody has to come back.
    pub(super) fn forget_visits(&mut self) {
        for socket in self.visits.clear() {
            self.free(socket);
        }
    }
}
