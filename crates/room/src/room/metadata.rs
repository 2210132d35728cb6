//! Names, metadata and attributes. What a participant says of itself is always answered, or the client's call fails by
//! timeout (livekit.md 2.9); the server API may say it too (L-43).

use super::Room;
use super::join::attributes_bytes;
use super::member::Member;
use crate::admin::{ProfileChange, TooLong};
use crate::effect::{RequestOutcome, RequestSubject, RoomEvent};
use crate::id::SessionId;
use crate::limits::RoomLimits;
use std::collections::BTreeMap;

impl Room {
    pub(super) fn on_update_metadata(&mut self, session: SessionId, request_id: u32, change: ProfileChange) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        // Whoever has no token is spoken for by their gateway, which knows what they may.
        let may = member.info.permission.can_update_metadata || !member.has_peer();
        let (outcome, message) = if !may {
            (RequestOutcome::NotAllowed, "not allowed: this token may not change its own metadata".to_owned())
        } else if let Err(too_long) = self.change_profile(session, change) {
            (RequestOutcome::LimitExceeded, too_long.to_string())
        } else {
            (RequestOutcome::Ok, String::new())
        };
        let subject = RequestSubject::Metadata;
        self.tell(session, RoomEvent::RequestResponse { request_id, outcome, message, subject });
    }

    /// Everybody sees it before the request is answered: whoever awaits the answer may look at the new value.
    pub(super) fn change_profile(&mut self, session: SessionId, change: ProfileChange) -> Result<(), TooLong> {
        if let Some(member) = self.members.get_mut(&session) {
            let change = checked(&self.config.limits, member, change)?;
            apply(member, change);
            self.announce(session);
            self.claims_changed(session);
        }
        Ok(())
    }
}

/// The change, its attributes merged with those that are there.
fn checked(limits: &RoomLimits, member: &Member, mut change: ProfileChange) -> Result<ProfileChange, TooLong> {
    if change.name.as_ref().is_some_and(|name| name.len() > limits.name_bytes) {
        return Err(TooLong::Name);
    }
    if change.metadata.as_ref().is_some_and(|metadata| metadata.len() > limits.metadata_bytes) {
        return Err(TooLong::Metadata);
    }
    change.attributes = merged(&member.info.attributes, change.attributes);
    if attributes_bytes(&change.attributes) > limits.attributes_bytes {
        return Err(TooLong::Attributes);
    }
    Ok(change)
}

fn merged(old: &BTreeMap<String, String>, new: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = old.clone();
    all.extend(new);
    all.retain(|_, value| !value.is_empty());
    all
}

fn apply(member: &mut Member, change: ProfileChange) {
    member.change(|info| {
        if let Some(name) = change.name {
            info.name = name;
        }
        if let Some(metadata) = change.metadata {
            info.metadata = metadata;
        }
        info.attributes = change.attributes;
    });
}
