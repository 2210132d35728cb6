//! Every way out. Whoever is put out is told why and what to do next; the others see them go, with the reason.

use super::Room;
use super::member::{Goodbye, MediaState, Member, Signalling};
use crate::effect::{LeaveAction, Recipients, RoomEffect, RoomEvent};
use crate::id::{Identity, SessionId};
use crate::input::Now;
use crate::limits::{MEDIA_LOST_GRACE, SIGNAL_LOST_GRACE};
use crate::media::{MediaCommand, MediaEnd};
use crate::notice::{EndReason, Notice};
use crate::participant::{DisconnectReason, Participant, ParticipantState};
use std::sync::Arc;
use std::time::Instant;

impl Room {
    /// They said goodbye (L-27), or the gateway ends them for a reason of its own, which they are told.
    pub(super) fn on_leave(&mut self, session: SessionId, reason: DisconnectReason) {
        let own = reason == DisconnectReason::ClientInitiated;
        let action = if own { None } else { Some(LeaveAction::Disconnect) };
        self.depart(session, Goodbye { reason, action });
    }

    /// L-28: whose socket breaks without a word stays while the media lives, or for a while without any.
    pub(super) fn on_signal_lost(&mut self, now: Now, session: SessionId) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        if matches!(member.signalling, Signalling::Lost { .. }) {
            return;
        }
        member.signalling = member.signalling.lost(now.at);
        let goodbye = Goodbye { reason: DisconnectReason::SignalClose, action: None };
        match member.media {
            MediaState::Connected => {}
            MediaState::Waiting => self.depart_at(now.at + SIGNAL_LOST_GRACE, session, goodbye),
            // Nothing keeps them; whether somebody without media comes back is their gateway's to know.
            MediaState::Ended | MediaState::Absent => self.depart(session, goodbye),
        }
    }

    /// An operator or the API removes somebody (L-06).
    pub(super) fn on_remove(&mut self, identity: &Identity) {
        if let Some(&session) = self.by_identity.get(identity) {
            let reason = DisconnectReason::ParticipantRemoved;
            self.depart(session, Goodbye { reason, action: Some(LeaveAction::Disconnect) });
        }
    }

    pub(super) fn on_delete(&mut self) {
        self.end(EndReason::Deleted);
    }

    pub(super) fn on_shutdown(&mut self) {
        self.end(EndReason::Shutdown);
    }

    /// Their media is gone for good. What they should do depends on why.
    pub(super) fn on_media_ended(&mut self, now: Now, session: SessionId, reason: MediaEnd) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        if matches!(member.media, MediaState::Ended | MediaState::Absent) {
            return;
        }
        member.media = MediaState::Ended;
        let goodbye = match member.signalling {
            Signalling::Here => goodbye_for(reason),
            Signalling::Lost { .. } => {
                return self.depart(session, Goodbye { reason: DisconnectReason::SignalClose, action: None });
            }
            Signalling::Resuming { .. } => return self.refuse_resume(session),
        };
        match reason {
            // The client may be about to say goodbye or to connect anew by itself.
            MediaEnd::Connectivity | MediaEnd::ClosedByPeer => {
                self.depart_at(now.at + MEDIA_LOST_GRACE, session, goodbye);
            }
            MediaEnd::SlowReader | MediaEnd::Panic | MediaEnd::Failed => self.depart(session, goodbye),
        }
    }

    /// An SDP that can't be taken leaves both ends in different states: only a new connection helps.
    pub(super) fn on_negotiation_failed(&mut self, session: SessionId) {
        let reason = DisconnectReason::MediaFailure;
        self.depart(session, Goodbye { reason, action: Some(LeaveAction::Reconnect) });
    }

    /// They leave then, unless they leave before.
    fn depart_at(&mut self, at: Instant, session: SessionId, goodbye: Goodbye) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        if let Some((planned, _)) = member.departure.replace((at, goodbye)) {
            self.departures.remove(&(planned, session));
        }
        self.departures.insert((at, session));
    }

    /// Those whose time has come.
    pub(super) fn depart_due(&mut self, now: Instant) {
        while let Some(&(at, session)) = self.departures.first() {
            if at > now {
                return;
            }
            self.departures.pop_first();
            let goodbye = self.members.get(&session).and_then(|member| member.departure);
            if let Some((_, goodbye)) = goodbye {
                self.depart(session, goodbye);
            }
        }
    }

    /// They leave now: they are told, their peer ends, nobody receives their tracks, the others see them go.
    pub(super) fn depart(&mut self, session: SessionId, goodbye: Goodbye) {
        self.part_with(session, goodbye);
        let Some(mut member) = self.forget(session) else { return };
        self.unsubscribe_from_all(session, &member);
        self.forget_data_tracks(session, &mut member);
        self.remove_peer(session, &member);
        let farewell = farewell(&member, goodbye.reason);
        self.farewells.note(self.at, &farewell);
        self.announce_to_others(session, farewell.clone());
        self.notice_departure(&member, farewell);
        self.speakers.forget_session(session);
        self.counts_changed();
    }

    /// Everybody leaves, the room with them. Nobody needs to see the others go.
    pub(super) fn end(&mut self, why: EndReason) {
        let reason = match why {
            EndReason::Deleted => DisconnectReason::RoomDeleted,
            EndReason::Idle => DisconnectReason::RoomClosed,
            EndReason::Shutdown => DisconnectReason::ServerShutdown,
        };
        let goodbye = Goodbye { reason, action: Some(LeaveAction::Disconnect) };
        let sessions: Vec<_> = self.members.keys().copied().collect();
        for session in &sessions {
            self.part_with(*session, goodbye);
        }
        for session in sessions {
            let Some(member) = self.forget(session) else { continue };
            self.remove_peer(session, &member);
            self.notice_departure(&member, farewell(&member, reason));
        }
        self.end_now(why);
    }

    /// Their tracks end with them, and whose media never connected has not been there for those outside.
    fn notice_departure(&mut self, member: &Member, farewell: Arc<Participant>) {
        for publication in member.publications.values().filter(|publication| publication.live) {
            let (participant, track) = (member.info.clone(), publication.track.clone());
            self.notice(Notice::TrackUnpublished { participant, track });
        }
        if !member.hidden() {
            self.notice(Notice::Gone(farewell.clone()));
        }
        self.notice(match member.info.state {
            ParticipantState::Active => Notice::ParticipantLeft(farewell),
            _ => Notice::ParticipantConnectionAborted(farewell),
        });
    }

    fn remove_peer(&mut self, session: SessionId, left: &Member) {
        if left.has_peer() {
            self.command(MediaCommand::RemovePeer { session });
        }
    }

    /// The last words to somebody who has a connection, then the end of it. To somebody who resumes they are the first
    /// words, which a `leave` may be (livekit.md 2.9).
    fn part_with(&mut self, session: SessionId, goodbye: Goodbye) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        let reachable = !matches!(member.signalling, Signalling::Lost { .. });
        if let Some(action) = goodbye.action.filter(|_| reachable) {
            self.send(Recipients::from_slice(&[session]), RoomEvent::Leave { reason: goodbye.reason, action });
        }
        self.effects.push_back(RoomEffect::CloseSession { session });
    }

    fn forget(&mut self, session: SessionId) -> Option<Member> {
        let member = self.members.shift_remove(&session)?;
        self.by_identity.remove(&member.info.identity);
        if let Some((at, _)) = member.departure {
            self.departures.remove(&(at, session));
        }
        self.forget_wishes(session, &member.choices);
        for track in member.publications.keys() {
            self.owners.remove(track);
        }
        Some(member)
    }
}

/// How the others see somebody go.
pub(super) fn farewell(member: &Member, reason: DisconnectReason) -> Arc<Participant> {
    let mut info = (*member.info).clone();
    info.state = ParticipantState::Disconnected;
    info.disconnect_reason = Some(reason);
    info.tracks.clear();
    info.data_tracks.clear();
    info.version = info.version.saturating_add(1);
    Arc::new(info)
}

/// What a client should do whose media ended (livekit.md 2.9).
fn goodbye_for(end: MediaEnd) -> Goodbye {
    let (reason, action) = match end {
        MediaEnd::Connectivity | MediaEnd::ClosedByPeer => {
            (DisconnectReason::ConnectionTimeout, LeaveAction::Reconnect)
        }
        MediaEnd::SlowReader => (DisconnectReason::MediaFailure, LeaveAction::Resume),
        MediaEnd::Panic | MediaEnd::Failed => (DisconnectReason::MediaFailure, LeaveAction::Reconnect),
    };
    Goodbye { reason, action: Some(action) }
}
