//! What the server API changes (L-06, L-36, L-43, L-55).

use super::Room;
use super::member::{Goodbye, Member};
use crate::admin::{AdminError, AdminRequest, ProfileChange, TooLong};
use crate::effect::{LeaveAction, RoomEvent};
use crate::id::{Identity, SessionId, TrackSid};
use crate::input::Now;
use crate::participant::DisconnectReason;
use crate::permission::Permission;

impl Room {
    /// Carries out a request; drain the effects after it. A room that has ended has nobody in it.
    ///
    /// # Errors
    /// Says why not; then nothing has changed.
    pub fn administer(&mut self, now: Now, request: AdminRequest) -> Result<(), AdminError> {
        if self.lifecycle.ended() {
            return Err(AdminError::NoParticipant);
        }
        self.at = now.at;
        self.carry_out(now, request)?;
        self.settle(now);
        Ok(())
    }

    fn carry_out(&mut self, now: Now, request: AdminRequest) -> Result<(), AdminError> {
        match request {
            AdminRequest::Mute { identity, track, muted } => self.mute_by_admin(now, &identity, &track, muted),
            AdminRequest::UpdateParticipant { identity, profile, permission } => {
                let session = self.at_home(&identity)?;
                self.update_by_admin(session, profile, permission)
            }
            AdminRequest::UpdateSubscriptions { identity, tracks, subscribe } => {
                let session = self.named(&identity)?;
                self.on_update_subscription(session, tracks, subscribe);
                Ok(())
            }
            AdminRequest::Move { identity, room } => self.move_elsewhere(&identity, room),
            AdminRequest::UpdateRoomMetadata { metadata } => self.set_metadata(metadata),
        }
    }

    fn named(&self, identity: &Identity) -> Result<SessionId, AdminError> {
        self.session_of(identity).ok_or(AdminError::NoParticipant)
    }

    /// Of somebody whose own room this is.
    fn at_home(&self, identity: &Identity) -> Result<SessionId, AdminError> {
        let session = self.named(identity)?;
        let mirrored = self.members.get(&session).is_some_and(Member::is_mirrored);
        if mirrored { Err(AdminError::Forwarded) } else { Ok(session) }
    }

    /// The client is told in any case: it may think otherwise than we do.
    fn mute_by_admin(
        &mut self,
        now: Now,
        identity: &Identity,
        track: &TrackSid,
        muted: bool,
    ) -> Result<(), AdminError> {
        let session = self.at_home(identity)?;
        let publication = self.members.get(&session).and_then(|member| member.publications.get(track));
        if !publication.is_some_and(|publication| publication.live) {
            return Err(AdminError::NoTrack);
        }
        if !muted && !self.config.enable_remote_unmute {
            return Err(AdminError::RemoteUnmuteDisabled);
        }
        self.on_mute(now, session, track, muted);
        self.tell(session, RoomEvent::MuteRequested { track: track.clone(), muted });
        Ok(())
    }

    /// They connect anew over there, and publish again what they publish here.
    fn move_elsewhere(&mut self, identity: &Identity, room: String) -> Result<(), AdminError> {
        let session = self.at_home(identity)?;
        if let Some(you) = self.members.get(&session).map(|member| member.info.clone()) {
            self.tell(session, RoomEvent::Moved { room, you });
        }
        let (reason, action) = (DisconnectReason::Migration, Some(LeaveAction::Reconnect));
        self.depart(session, Goodbye { reason, action });
        Ok(())
    }

    fn update_by_admin(
        &mut self,
        session: SessionId,
        profile: ProfileChange,
        permission: Option<Permission>,
    ) -> Result<(), AdminError> {
        self.change_profile(session, profile)?;
        if let Some(permission) = permission {
            self.set_permission(session, permission);
        }
        Ok(())
    }

    /// Everybody is told at once: unlike the counts, the metadata is an app's own signal.
    fn set_metadata(&mut self, metadata: String) -> Result<(), AdminError> {
        if metadata.len() > self.config.limits.metadata_bytes {
            return Err(TooLong::Metadata.into());
        }
        if metadata != self.config.metadata {
            self.config.metadata = metadata;
            self.tell_all(RoomEvent::RoomUpdated(self.info()));
        }
        Ok(())
    }
}
