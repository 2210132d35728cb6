//! What clients say.

use super::Bus;
use super::presence::{NAME, Room, Shown};
use crate::effect::{Complaint, Effect, Lane};
use crate::input::{Attribute, Said, SocketId, What, source};
use crate::world::World;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;

impl<W: World> Bus<W> {
    pub(super) fn on_said(&mut self, now: Instant, socket: SocketId, said: Said) {
        if matches!(said.what, What::Reset | What::Reload) {
            return self.on_command(socket, said);
        }
        if let Err(complaint) = self.check(socket, said.room.as_deref()) {
            return self.complain(socket, said.room, complaint);
        }
        if let Some(user) = &said.user
            && !self.recognise(now, socket, user)
        {
            self.complain(socket, said.room.clone(), Complaint::TooManyUsers);
        }
        self.act(now, socket, said);
    }

    fn check(&self, socket: SocketId, room: Option<&str>) -> Result<(), Complaint> {
        let socket = self.sockets.get(socket).ok_or(Complaint::NoSuchRoom)?;
        let Some(room) = room else { return Ok(()) };
        if socket.barred.contains(room) {
            return Err(Complaint::Banned);
        }
        let may = socket.view.may_send(room, self.world.is_open(room));
        if may { Ok(()) } else { Err(Complaint::NoSuchRoom) }
    }

    fn act(&mut self, now: Instant, socket: SocketId, said: Said) {
        let Said { room, user, name, frame, what } = said;
        let key = source(room.as_deref(), user.as_deref(), socket);
        let seat = room.as_ref().zip(user.as_ref());
        match what {
            What::Join(syncs) => {
                self.tell_joiner(socket, room.as_deref(), syncs);
                let joined = seat.map(|(room, user)| self.join(socket, room, user, name));
                self.relay(socket, room.as_ref(), frame, Lane::Ordered);
                self.report(socket, room.as_ref(), joined.unwrap_or(Ok(())));
            }
            What::Leave => {
                seat.into_iter().for_each(|(room, user)| self.take_out(room, user));
                self.relay(socket, room.as_ref(), frame, Lane::Ordered);
                room.iter().for_each(|room| self.touch(room));
            }
            What::UserUpdate(news) => {
                let merged = user.as_ref().map(|user| self.merge_everywhere(now, socket, user, &news));
                self.relay(socket, room.as_ref(), frame, Lane::Ordered);
                self.report(socket, room.as_ref(), merged.unwrap_or(Ok(())));
            }
            What::ChannelUserUpdate(news) => {
                let merged = seat.map(|(room, user)| self.upsert(now, socket, room, user, name, &news));
                self.relay(socket, room.as_ref(), frame, Lane::Move(key));
                self.report(socket, room.as_ref(), merged.unwrap_or(Ok(())));
            }
            What::Image => self.relay(socket, room.as_ref(), frame, Lane::Newest(key)),
            What::ImageLeave => self.relay(socket, room.as_ref(), frame, Lane::Last(key)),
            What::Other => self.relay(socket, room.as_ref(), frame, Lane::Ordered),
            What::Kept | What::Reset | What::Reload => {}
        }
    }

    fn report(&mut self, socket: SocketId, room: Option<&Arc<str>>, done: Result<(), Complaint>) {
        if let Err(complaint) = done {
            self.complain(socket, room.cloned(), complaint);
        }
    }

    /// E-02: what was said before, for whoever may hear it.
    fn tell_joiner(&mut self, socket: SocketId, room: Option<&str>, syncs: Vec<Bytes>) {
        let Some(room) = room else { return };
        let open = self.world.is_open(room);
        if self.sockets.get(socket).is_some_and(|socket| socket.view.may_see(room, open)) {
            let to: Arc<[SocketId]> = Arc::from([socket]);
            for frame in syncs {
                self.effects.push_back(Effect::Send {
                    to: [to.clone()].into_iter().collect(),
                    frame,
                    lane: Lane::Ordered,
                });
            }
        }
    }

    fn join(
        &mut self,
        socket: SocketId,
        room: &Arc<str>,
        user: &Arc<str>,
        name: Option<Box<str>>,
    ) -> Result<(), Complaint> {
        let inserted = self.insert(socket, room, user);
        let named = inserted.and_then(|_| self.presence.merge(room, user, &named(name)));
        if let Some(user) = self.presence.user_mut(room, user) {
            user.joined = true;
            // Perhaps there is a place now.
            user.shown = if user.shown == Shown::Refused { Shown::No } else { user.shown };
        }
        self.show(room, user);
        self.touch(room);
        named.map(|_| ())
    }

    fn insert(&mut self, socket: SocketId, room: &Arc<str>, user: &Arc<str>) -> Result<bool, Complaint> {
        let spoken = self.sockets.get(socket).is_some_and(|socket| socket.said.contains(user));
        if !spoken {
            // Nobody would ever take them out again. They have been told.
            return Ok(false);
        }
        self.presence.insert(room, user, self.limits.users_in_room)
    }

    /// E-05: wherever the sender may say something, so that nobody changes a user of a room that they may not enter.
    fn merge_everywhere(
        &mut self,
        now: Instant,
        socket: SocketId,
        user: &Arc<str>,
        news: &[Attribute],
    ) -> Result<(), Complaint> {
        let mut done = Ok(());
        for room in self.presence.places(user) {
            if self.check(socket, Some(&room)).is_ok() {
                done = done.and(self.merge(now, &room, user, news));
            }
        }
        done
    }

    /// E-06
    fn upsert(
        &mut self,
        now: Instant,
        socket: SocketId,
        room: &Arc<str>,
        user: &Arc<str>,
        name: Option<Box<str>>,
        news: &[Attribute],
    ) -> Result<(), Complaint> {
        if self.insert(socket, room, user)? {
            self.presence.merge(room, user, &named(name))?;
            self.touch(room);
        }
        self.merge(now, room, user, news)
    }

    fn merge(&mut self, now: Instant, room: &Arc<str>, user: &Arc<str>, news: &[Attribute]) -> Result<(), Complaint> {
        if self.presence.merge(room, user, news)? {
            self.changed_elsewhere(now, room, user);
            self.touch(room);
        }
        Ok(())
    }

    /// Passes a message on to all who may see its room, the sender too: chat and sound clients show only what comes back.
    fn relay(&mut self, socket: SocketId, room: Option<&Arc<str>>, frame: Bytes, lane: Lane) {
        let open = room.is_none_or(|room| self.world.is_open(room));
        let mut to = self.views.audience(room.map(|room| &**room), open);
        if self.hears_only_itself(socket, room.map(|room| &**room), open) {
            to.push(Arc::from([socket]));
        }
        self.effects.push_back(Effect::Send { to, frame, lane });
    }

    /// It has narrowed itself to other rooms.
    fn hears_only_itself(&self, socket: SocketId, room: Option<&str>, open: bool) -> bool {
        let Some(socket) = self.sockets.get(socket) else { return false };
        match room {
            Some(room) => !socket.view.wants(room) && socket.view.may_see(room, open),
            None => socket.view.narrowed.is_some(),
        }
    }

    pub(super) fn post(&mut self, room: Option<&Arc<str>>, frame: Bytes) {
        let open = room.is_none_or(|room| self.world.is_open(room));
        let to = self.views.audience(room.map(|room| &**room), open);
        self.effects.push_back(Effect::Send { to, frame, lane: Lane::Ordered });
    }

    /// E-13: operators only; to all, whatever they see.
    fn on_command(&mut self, socket: SocketId, said: Said) {
        if !self.sockets.get(socket).is_some_and(|socket| socket.operator) {
            return self.complain(socket, said.room, Complaint::NotAnOperator);
        }
        let (to, frame) = (self.views.everybody(), said.frame);
        self.effects.push_back(Effect::Send { to, frame, lane: Lane::Ordered });
        if let What::Reset = said.what {
            self.reset();
        }
    }

    /// Presence of the bus and chat are cleared. Those of other gateways are where they are: it isn't for the bus to say.
    fn reset(&mut self) {
        self.forget_visits();
        let seats = |(room, here): (&Arc<str>, &Room)| {
            here.users.keys().map(|user| (room.clone(), user.clone())).collect::<Vec<_>>()
        };
        let seats: Vec<_> = self.presence.rooms().flat_map(seats).collect();
        for (room, user) in seats {
            if let Some(gone) = self.presence.remove(&room, &user) {
                self.hide_for_good(&room, &user, &gone);
            }
        }
        self.effects.push_back(Effect::ClearChats);
        self.views.touch_all();
    }
}

fn named(name: Option<Box<str>>) -> Vec<Attribute> {
    name.map(|name| (NAME.to_owned(), name)).into_iter().collect()
}
