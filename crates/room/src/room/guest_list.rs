//! Whom a publisher lets receive its tracks (LiveKit's `subscription_permission`, L-67).

use super::Room;
use crate::id::{Identity, SessionId, TrackSid};
use crate::input::{Subscriber, TrackPermission};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Everybody, until the publisher says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GuestList(Option<Arc<HashMap<Identity, Tracks>>>);

#[derive(PartialEq, Eq, Debug)]
enum Tracks {
    All,
    These(HashSet<TrackSid>),
}

impl GuestList {
    pub(super) fn admits(&self, identity: &Identity, track: &TrackSid) -> bool {
        let Some(guests) = &self.0 else { return true };
        match guests.get(identity) {
            Some(Tracks::All) => true,
            Some(Tracks::These(tracks)) => tracks.contains(track),
            None => false,
        }
    }
}

impl Room {
    /// Each list replaces the one before. Whoever is let in now and wants the track receives it at once; whoever is
    /// not any more loses it.
    pub(super) fn on_subscription_permission(
        &mut self,
        session: SessionId,
        everybody: bool,
        permissions: Vec<TrackPermission>,
    ) {
        let guests = (!everybody).then(|| Arc::new(self.guests(permissions)));
        if let Some(member) = self.members.get_mut(&session) {
            member.guest_list = GuestList(guests);
            self.reconsider_publisher(session);
        }
    }

    /// A sid that nobody has lets nobody in.
    fn guests(&self, permissions: Vec<TrackPermission>) -> HashMap<Identity, Tracks> {
        let guest = |permission: TrackPermission| {
            let identity = match permission.subscriber {
                Subscriber::Identity(identity) => identity,
                Subscriber::Sid(sid) => {
                    let session = self.session_of_sid(&sid)?;
                    self.members.get(&session)?.info.identity.clone()
                }
            };
            let these = || Tracks::These(permission.tracks.into_iter().collect());
            Some((identity, if permission.all_tracks { Tracks::All } else { these() }))
        };
        permissions.into_iter().filter_map(guest).collect()
    }
}
