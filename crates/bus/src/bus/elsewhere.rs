//! The bus's users as other gateways' clients see them: after their CHANNEL_JOIN, the first of each room, and not every step
//! that they take (E-03).

use super::Bus;
use super::presence::{Shown, User};
use crate::effect::Effect;
use crate::input::SocketId;
use crate::limits::PROFILE_INTERVAL;
use crate::world::World;
use indexmap::IndexSet;
use std::sync::Arc;
use std::time::Instant;

/// Who has changed since others were told.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    changed: IndexSet<(Arc<str>, Arc<str>)>,
    /// When they are told.
    at: Option<Instant>,
}

impl Elsewhere {
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.at
    }
}

impl<W: World> Bus<W> {
    /// Shows a user to the others, if they have joined and there is a place.
    pub(super) fn show(&mut self, room: &Arc<str>, id: &Arc<str>) {
        let limit = self.limits.visible_users;
        let Some(here) = self.presence.room_mut(room).filter(|here| here.visible < limit) else { return };
        let Some(user) = here.users.get_mut(id).filter(|user| user.joined && user.shown == Shown::No) else { return };
        user.shown = Shown::Yes;
        let profile = user.known.attributes();
        here.visible += 1;
        let socket = self.socket_for(room, id);
        self.effects.push_back(Effect::Enter { room: room.clone(), user: id.clone(), profile, socket });
    }

    /// One that speaks for a user in a room, better one with a token.
    fn socket_for(&self, room: &str, user: &str) -> Option<SocketId> {
        let sockets = self.sockets_of(room, user, self.world.is_open(room));
        let with_token = sockets.iter().find(|socket| self.has_token(**socket, room));
        with_token.or(sockets.first()).copied()
    }

    /// A user has been taken out of a room: the others don't see them any more, and whoever has waited longest comes next.
    pub(super) fn hide(&mut self, room: &Arc<str>, id: &Arc<str>, gone: &User) {
        if self.hide_for_good(room, id, gone) {
            self.show_next(room);
        }
    }

    /// The same when all go.
    pub(super) fn hide_for_good(&mut self, room: &Arc<str>, id: &Arc<str>, gone: &User) -> bool {
        if gone.shown != Shown::Yes {
            return false;
        }
        self.elsewhere.changed.swap_remove(&(room.clone(), id.clone()));
        if let Some(here) = self.presence.room_mut(room) {
            here.visible -= 1;
        }
        self.effects.push_back(Effect::Exit { room: room.clone(), user: id.clone() });
        true
    }

    /// They are not shown any more, whoever did that.
    pub(super) fn forget_shown(&mut self, room: &Arc<str>, id: &Arc<str>) {
        self.elsewhere.changed.swap_remove(&(room.clone(), id.clone()));
        let Some(here) = self.presence.room_mut(room) else { return };
        let Some(user) = here.users.get_mut(id) else { return };
        let was_shown = std::mem::replace(&mut user.shown, Shown::Refused) == Shown::Yes;
        if was_shown {
            here.visible -= 1;
        }
    }

    pub(super) fn show_next(&mut self, room: &Arc<str>) {
        let Some(here) = self.presence.room(room) else { return };
        let waiting = here.users.iter().find(|(_, user)| user.joined && user.shown == Shown::No);
        if let Some(id) = waiting.map(|(id, _)| id.clone()) {
            self.show(room, &id);
        }
    }

    pub(super) fn changed_elsewhere(&mut self, now: Instant, room: &Arc<str>, id: &Arc<str>) {
        if self.presence.user(room, id).is_some_and(|user| user.shown == Shown::Yes) {
            self.elsewhere.changed.insert((room.clone(), id.clone()));
            self.elsewhere.at.get_or_insert(now + PROFILE_INTERVAL);
        }
    }

    pub(super) fn tell_profiles(&mut self, now: Instant) {
        if self.elsewhere.at.is_none_or(|at| at > now) {
            return;
        }
        self.elsewhere.at = None;
        for (room, id) in std::mem::take(&mut self.elsewhere.changed) {
            if let Some(user) = self.presence.user(&room, &id) {
                let profile = user.known.attributes();
                self.effects.push_back(Effect::Profile { room, user: id, profile });
            }
        }
    }
}
