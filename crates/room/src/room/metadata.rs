//! Names, metadata and attributes: what a participant says of itself. Every request is answered, or the client's call
//! fails by timeout (livekit.md 2.9).

use super::Room;
use super::join::attributes_bytes;
use super::member::Member;
use crate::effect::{RequestOutcome, RequestSubject, RoomEvent};
use crate::id::SessionId;
use crate::limits::{MAX_ATTRIBUTES_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES};
use std::collections::BTreeMap;

/// What should change; `None` leaves as it is, an empty attribute is removed.
pub(super) struct Change {
    pub(super) name: Option<String>,
    pub(super) metadata: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
}

impl Room {
    pub(super) fn on_update_metadata(&mut self, session: SessionId, request_id: u32, change: Change) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        let checked = check(member, change);
        let (outcome, message) = match checked {
            Ok(change) => {
                apply(member, change);
                // The update first: whoever awaits the answer may look at the new value.
                self.announce(session);
                (RequestOutcome::Ok, "")
            }
            Err(refusal) => refusal,
        };
        let (message, subject) = (message.to_owned(), RequestSubject::Metadata);
        self.tell(session, RoomEvent::RequestResponse { request_id, outcome, message, subject });
    }
}

/// The change, its attributes merged with those that are there.
fn check(member: &Member, mut change: Change) -> Result<Change, (RequestOutcome, &'static str)> {
    if !member.info.permission.can_update_metadata {
        return Err((RequestOutcome::NotAllowed, "not allowed: this token may not change its own metadata"));
    }
    if change.name.as_ref().is_some_and(|name| name.len() > MAX_NAME_BYTES) {
        return Err((RequestOutcome::LimitExceeded, "the name is longer than 256 bytes"));
    }
    if change.metadata.as_ref().is_some_and(|metadata| metadata.len() > MAX_METADATA_BYTES) {
        return Err((RequestOutcome::LimitExceeded, "the metadata is longer than 512 KiB"));
    }
    change.attributes = merged(&member.info.attributes, change.attributes);
    if attributes_bytes(&change.attributes) > MAX_ATTRIBUTES_BYTES {
        return Err((RequestOutcome::LimitExceeded, "the attributes are longer than 64 KiB in all"));
    }
    Ok(change)
}

fn merged(old: &BTreeMap<String, String>, new: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = old.clone();
    all.extend(new);
    all.retain(|_, value| !value.is_empty());
    all
}

fn apply(member: &mut Member, change: Change) {
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
