//! Who is told. A session whose signalling broke has no outbox, so nothing is sent to it.

use super::Room;
use super::member::Member;
use crate::effect::{Recipients, RoomEffect, RoomEvent};
use crate::id::SessionId;
use crate::media::MediaCommand;
use crate::notice::Notice;
use crate::participant::Participant;
use std::sync::Arc;

impl Room {
    /// Tells one.
    pub(super) fn tell(&mut self, session: SessionId, event: RoomEvent) {
        if self.members.get(&session).is_some_and(Member::listens) {
            self.send(Recipients::from_slice(&[session]), event);
        }
    }

    /// Tells everybody but `except`.
    pub(super) fn tell_others(&mut self, except: SessionId, event: RoomEvent) {
        let to = self.listeners().filter(|session| *session != except).collect();
        self.send(to, event);
    }

    /// Tells everybody.
    pub(super) fn tell_all(&mut self, event: RoomEvent) {
        let to = self.listeners().collect();
        self.send(to, event);
    }

    /// Tells those in `to`, who must be in the room and listening.
    pub(super) fn send(&mut self, to: Recipients, event: RoomEvent) {
        if !to.is_empty() {
            self.effects.push_back(RoomEffect::Send { to, event: Arc::new(event) });
        }
    }

    /// Shows how somebody is now: to everybody, themselves included (clients wait for their own change); somebody
    /// hidden only to themselves.
    pub(super) fn announce(&mut self, session: SessionId) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        let (info, hidden) = (member.info.clone(), member.hidden());
        let event = RoomEvent::ParticipantsUpdated(vec![info.clone()]);
        if hidden {
            self.tell(session, event);
        } else {
            self.tell_all(event);
            self.notice(Notice::Present(info));
        }
    }

    /// Shows somebody to the others, unless hidden. They need not be in the room any more.
    pub(super) fn announce_to_others(&mut self, session: SessionId, info: Arc<Participant>) {
        if !info.permission.is_hidden() {
            self.tell_others(session, RoomEvent::ParticipantsUpdated(vec![info]));
        }
    }

    /// A command for the media graph; nothing where they have no part in it.
    pub(super) fn command(&mut self, command: MediaCommand) {
        if self.members.get(&command.session()).is_some_and(|member| !member.has_peer()) {
            return;
        }
        self.effects.push_back(RoomEffect::Media(command));
    }

    /// For those outside.
    pub(super) fn notice(&mut self, notice: Notice) {
        self.effects.push_back(RoomEffect::Notice(notice));
    }

    fn listeners(&self) -> impl Iterator<Item = SessionId> {
        self.members.iter().filter(|(_, member)| member.listens()).map(|(session, _)| *session)
    }
}
