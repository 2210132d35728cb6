//! Read-only: what the API shows.

use super::Room;
use super::member::Member;
use crate::effect::RoomInfo;
use crate::id::{Identity, ParticipantSid, RoomSid, SessionId};
use crate::input::Mirrored;
use crate::participant::Participant;
use std::sync::Arc;

impl Room {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its sid.
    pub fn sid(&self) -> &RoomSid {
        &self.sid
    }

    /// It has ended: every input is ignored.
    pub fn has_ended(&self) -> bool {
        self.lifecycle.ended()
    }

    /// The room, with its counts. Hidden participants are not counted.
    pub fn info(&self) -> RoomInfo {
        let visible = || self.members.values().filter(|member| !member.hidden());
        RoomInfo {
            sid: self.sid.clone(),
            name: self.name.clone(),
            empty_timeout_s: self.config.empty_timeout_s,
            departure_timeout_s: self.config.departure_timeout_s,
            max_participants: self.config.max_participants,
            created_at_ms: self.created_at_ms,
            metadata: self.config.metadata.clone(),
            enabled_codecs: self.config.enabled_codecs.clone(),
            num_participants: count(visible()),
            num_publishers: count(visible().filter(|member| member.publishes())),
            active_recording: self.members.values().any(|member| member.info.permission.recorder),
        }
    }

    /// Everybody, hidden ones too: the API's caller is an administrator. In order of joining.
    pub fn participants(&self) -> impl Iterator<Item = &Arc<Participant>> {
        self.members.values().map(|member| &member.info)
    }

    /// One of them.
    pub fn participant(&self, identity: &Identity) -> Option<&Arc<Participant>> {
        Some(&self.member(identity)?.info)
    }

    /// The session of an identity, for what is addressed to it.
    pub fn session_of(&self, identity: &Identity) -> Option<SessionId> {
        self.by_identity.get(identity).copied()
    }

    /// Whose session this is.
    pub fn identity_of(&self, session: SessionId) -> Option<&Identity> {
        Some(&self.members.get(&session)?.info.identity)
    }

    /// The session of a sid.
    pub fn session_of_sid(&self, sid: &ParticipantSid) -> Option<SessionId> {
        self.members.iter().find(|(_, member)| member.info.sid == *sid).map(|(session, _)| *session)
    }

    /// Somebody as another room would show them; `None`: they are not here.
    pub fn mirrored(&self, session: SessionId) -> Option<Mirrored> {
        let member = self.members.get(&session)?;
        Some(Mirrored { participant: member.info.clone(), guests: member.guest_list.clone() })
    }

    /// Every session, in order of joining.
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.members.keys().copied()
    }

    pub(super) fn member(&self, identity: &Identity) -> Option<&Member> {
        self.members.get(self.by_identity.get(identity)?)
    }
}

fn count<'a>(members: impl Iterator<Item = &'a Member>) -> u32 {
    u32::try_from(members.count()).unwrap_or(u32::MAX)
}
