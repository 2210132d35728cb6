//! What somebody may changes while they are there (L-67): what they publish or receive against it ends, what it allows
//! begins.

use super::Room;
use super::leave::farewell;
use crate::effect::RoomEvent;
use crate::id::{SessionId, TrackSid};
use crate::media::MediaCommand;
use crate::notice::Notice;
use crate::participant::DisconnectReason;
use crate::permission::Permission;

impl Room {
    pub(super) fn set_permission(&mut self, session: SessionId, permission: Permission) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        if member.info.permission == permission {
            return;
        }
        let (was_hidden, hidden) = (member.hidden(), permission.is_hidden());
        if hidden && !was_hidden {
            self.disappear(session);
        }
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        member.change(|info| info.permission = permission);
        self.sender_changed(session);
        self.announce(session);
        self.unpublish_forbidden(session);
        self.reconsider_publisher(session);
        self.reconsider_receiver(session);
        self.claims_changed(session);
        if hidden != was_hidden {
            self.counts_changed();
        }
    }

    /// What their shard knows of them is no longer so.
    pub(super) fn sender_changed(&mut self, session: SessionId) {
        if let Some(sender) = self.members.get(&session).map(|member| member.data_sender(&self.chat)) {
            self.command(MediaCommand::SetSender { session, sender });
        }
    }

    /// To the others it is as if they had left.
    fn disappear(&mut self, session: SessionId) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        let last = farewell(member, DisconnectReason::Unknown);
        // Newer than the farewell, should they come back into sight.
        member.change(|info| info.version = last.version);
        self.farewells.note(self.at, &last);
        self.tell_others(session, RoomEvent::ParticipantsUpdated(vec![last.clone()]));
        self.notice(Notice::Gone(last));
        self.speakers.forget_session(session);
    }

    /// Takes away what may no longer be published, announced tracks too; the client hears of each.
    fn unpublish_forbidden(&mut self, session: SessionId) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        let permission = &member.info.permission;
        let forbidden = member.publications.iter().filter(|(_, p)| !permission.may_publish(p.track.request.source));
        let tracks: Vec<_> = forbidden.map(|(sid, _)| sid.clone()).collect();
        for track in tracks {
            self.unpublish(session, &track);
        }
    }

    /// Ends a track from our side.
    fn unpublish(&mut self, session: SessionId, track: &TrackSid) {
        self.command(MediaCommand::EndTrack { session, track: track.clone() });
        self.on_track_ended(session, track);
        self.tell(session, RoomEvent::TrackUnpublished { sid: track.clone() });
    }

    /// Whoever comes back with a token should come back as they are now.
    pub(super) fn claims_changed(&mut self, session: SessionId) {
        if let Some(you) = self.members.get(&session).map(|member| member.info.clone()) {
            self.tell(session, RoomEvent::ClaimsChanged { you });
        }
    }
}
