//! Coming back to a session whose connection broke (L-31, livekit.md 2.9). The order is what clients break on: `Resumed`
//! first, and nothing before it; then who left meanwhile; then everybody as they are now; and only then what the shard
//! offers. The media was never touched.

use super::Room;
use super::member::{Goodbye, MediaState, Signalling};
use crate::effect::{LeaveAction, RoomEvent};
use crate::id::{Identity, ParticipantSid, SessionId};
use crate::input::{Now, SyncState};
use crate::media::{ConnectionMode, MediaCommand};
use crate::participant::{DisconnectReason, Participant};
use std::sync::Arc;
use std::time::Instant;

impl Room {
    /// The session that a client may resume: it is there, its media has not ended, and what it missed is known. The shell
    /// asks before [`crate::RoomInput::Resume`]; without such a session the client is told to connect anew.
    pub fn check_resume(
        &self,
        now: Now,
        identity: &Identity,
        sid: &ParticipantSid,
    ) -> Option<(SessionId, ConnectionMode)> {
        let session = self.session_of(identity)?;
        let member = self.members.get(&session)?;
        let known = self.farewells.reach_back_to(member.signalling.heard(now.at));
        let alive = !matches!(member.media, MediaState::Ended | MediaState::Absent);
        (member.info.sid == *sid && alive && known).then_some((session, member.mode))
    }

    /// The new connection is there. Nothing is said on it before the shard has answered: what a client hears before
    /// `Resumed` it throws away.
    pub(super) fn on_resume(&mut self, now: Now, session: SessionId) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        member.signalling = Signalling::Resuming { heard: member.signalling.heard(now.at) };
        if member.media == MediaState::Ended {
            return self.refuse_resume(session);
        }
        if let Some((at, _)) = member.departure.take() {
            self.departures.remove(&(at, session));
        }
        if self.takes_resume_fault(now.at, session, true) {
            return self.hang_up(now, session);
        }
        self.command(MediaCommand::Resume { session });
    }

    /// The shard has answered.
    pub(super) fn on_resumed(&mut self, now: Now, session: SessionId, last_message_seq: u32) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        let Signalling::Resuming { heard } = member.signalling else {
            return; // A newer connection was answered first, or this one has broken too.
        };
        member.signalling = Signalling::Here;
        let transport = member.transport;
        self.tell(session, RoomEvent::Resumed { last_message_seq, transport });
        if self.takes_resume_fault(now.at, session, false) {
            return self.hang_up(now, session);
        }
        self.tell_missed(session, heard);
        self.tell(session, RoomEvent::ParticipantsUpdated(self.everybody_for(session)));
        self.tell(session, RoomEvent::RoomUpdated(self.info()));
        self.tell_announced(session);
    }

    /// Those who left. Whoever has come back since is in the snapshot: clients know people by their identity.
    fn tell_missed(&mut self, session: SessionId, since: Instant) {
        let here = |identity| self.member(identity).is_some_and(|member| !member.hidden());
        let gone = self.farewells.since(since).filter(|gone| !here(&gone.identity));
        let gone: Vec<_> = gone.cloned().collect();
        if !gone.is_empty() {
            self.tell(session, RoomEvent::ParticipantsUpdated(gone));
        }
    }

    /// Everybody whom they may see, themselves first. Rust's SDK removes whoever is missing.
    fn everybody_for(&self, session: SessionId) -> Vec<Arc<Participant>> {
        let own = self.members.get(&session).map(|member| member.info.clone());
        let others = self.members.iter().filter(|(other, member)| **other != session && !member.hidden());
        own.into_iter().chain(others.map(|(_, member)| member.info.clone())).collect()
    }

    /// Tracks that have a sid and no media yet: the client may still wait for the sid.
    fn tell_announced(&mut self, session: SessionId) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        let announced = member.publications.values().filter(|publication| !publication.live);
        let tracks: Vec<_> = announced.map(|publication| publication.track.clone()).collect();
        for track in tracks {
            self.tell(session, RoomEvent::TrackPublished { cid: track.request.cid.clone(), track });
        }
    }

    /// What the client holds to be so. A track of theirs that is none here can't be brought back by any message.
    pub(super) fn on_sync_state(&mut self, session: SessionId, state: SyncState) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        if state.published.iter().any(|track| !member.publications.contains_key(track)) {
            return self.refuse_resume(session);
        }
        self.on_update_subscription(session, state.tracks, state.subscribe);
        self.on_disabled(session, state.disabled);
        self.command(MediaCommand::ReplayData { session, known: state.received });
    }

    /// Both ends are in different states: only a new connection helps.
    pub(super) fn refuse_resume(&mut self, session: SessionId) {
        let reason = DisconnectReason::StateMismatch;
        self.depart(session, Goodbye { reason, action: Some(LeaveAction::Reconnect) });
    }
}
