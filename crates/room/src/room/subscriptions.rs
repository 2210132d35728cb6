//! Who receives what (livekit.md 2.7): everything by default (L-21), or what was chosen (L-22), if it may be.

use super::Room;
use super::member::Member;
use crate::effect::RoomEvent;
use crate::id::{SessionId, TrackSid};
use crate::limits::MAX_SUBSCRIPTION_CHOICES;
use crate::media::MediaCommand;

impl Room {
    /// A client chose (L-22, L-35).
    pub(super) fn on_update_subscription(&mut self, session: SessionId, tracks: Vec<TrackSid>, subscribe: bool) {
        // A longer list is no client's; what it names beyond is left as it is.
        for track in tracks.into_iter().take(MAX_SUBSCRIPTION_CHOICES) {
            if subscribe {
                self.choose(session, track);
            } else {
                self.refuse(session, track);
            }
        }
    }

    fn choose(&mut self, session: SessionId, track: TrackSid) {
        let Some(publisher) = self.visible_publisher(session, &track) else {
            return self.tell(session, RoomEvent::SubscriptionFailed { track });
        };
        let Some(member) = self.members.get(&session) else {
            return;
        };
        if !member.info.permission.can_subscribe {
            return self.tell_permission(session, publisher, track, false);
        }
        if !self.remember_choice(session, &track, true) {
            return self.tell(session, RoomEvent::SubscriptionFailed { track });
        }
        self.subscribe(session, publisher, &track);
    }

    fn refuse(&mut self, session: SessionId, track: TrackSid) {
        let Some(publisher) = self.visible_publisher(session, &track) else {
            return;
        };
        if !self.remember_choice(session, &track, false) {
            return;
        }
        let publication = self.members.get_mut(&publisher).and_then(|member| member.publications.get_mut(&track));
        if publication.is_some_and(|publication| publication.subscribers.remove(&session)) {
            self.command(MediaCommand::Unsubscribe { session, track });
        }
    }

    /// Who publishes this live track, if `session` may see it. Their own is none that they could receive.
    pub(super) fn visible_publisher(&self, session: SessionId, track: &TrackSid) -> Option<SessionId> {
        let publisher = *self.owners.get(track)?;
        let member = self.members.get(&publisher)?;
        let live = member.publications.get(track)?.live;
        (live && publisher != session && !member.hidden()).then_some(publisher)
    }

    fn remember_choice(&mut self, session: SessionId, track: &TrackSid, wanted: bool) -> bool {
        let Some(member) = self.members.get_mut(&session) else {
            return false;
        };
        let room = member.choices.len() < MAX_SUBSCRIPTION_CHOICES || member.choices.contains_key(track);
        if room {
            member.choices.insert(track.clone(), wanted);
        }
        room
    }

    /// A newcomer, and all that is published already.
    pub(super) fn subscribe_to_existing(&mut self, session: SessionId) {
        let publishers = self.members.iter().filter(|(publisher, member)| **publisher != session && !member.hidden());
        let tracks: Vec<_> = publishers
            .flat_map(|(publisher, member)| live_tracks(member).map(move |track| (*publisher, track.clone())))
            .collect();
        for (publisher, track) in tracks {
            self.subscribe_by_default(session, publisher, &track);
        }
    }

    /// A new track, and all who want it.
    pub(super) fn subscribe_everybody_to(&mut self, publisher: SessionId, track: &TrackSid) {
        if self.members.get(&publisher).is_none_or(Member::hidden) {
            return;
        }
        let sessions: Vec<_> = self.members.keys().copied().filter(|session| *session != publisher).collect();
        for session in sessions {
            self.subscribe_by_default(session, publisher, track);
        }
    }

    fn subscribe_by_default(&mut self, session: SessionId, publisher: SessionId, track: &TrackSid) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        if member.info.permission.can_subscribe && member.wants(track) {
            self.tell_permission(session, publisher, track.clone(), true);
            self.subscribe(session, publisher, track);
        }
    }

    fn subscribe(&mut self, session: SessionId, publisher: SessionId, track: &TrackSid) {
        let settings = self.receive_settings(session, publisher, track);
        let Some(member) = self.members.get_mut(&publisher) else {
            return;
        };
        let publisher_sid = member.info.sid.clone();
        let Some(publication) = member.publications.get_mut(track) else {
            return;
        };
        let (kind, may_make_red) = (publication.track.request.kind, publication.may_make_red());
        let codecs = publication.codec_names().collect();
        if publication.subscribers.insert(session) {
            let track = track.clone();
            self.command(MediaCommand::Subscribe {
                session,
                track,
                kind,
                publisher,
                publisher_sid,
                may_make_red,
                codecs,
                settings,
            });
        }
    }

    fn tell_permission(&mut self, session: SessionId, publisher: SessionId, track: TrackSid, allowed: bool) {
        if let Some(participant) = self.members.get(&publisher).map(|member| member.info.sid.clone()) {
            self.tell(session, RoomEvent::SubscriptionPermission { participant, track, allowed });
        }
    }

    /// A subscription is being served. The publisher learns of the first one (pre-connect buffers wait for it), unless
    /// whoever receives it is hidden.
    pub(super) fn on_subscribed(&mut self, session: SessionId, sid: &TrackSid) {
        if self.members.get(&session).is_none_or(Member::hidden) {
            return;
        }
        let Some(&publisher) = self.owners.get(sid) else { return };
        let publication = self.members.get_mut(&publisher).and_then(|member| member.publications.get_mut(sid));
        let Some(publication) = publication else { return };
        if publication.subscribers.contains(&session) && !std::mem::replace(&mut publication.subscription_told, true) {
            self.tell(publisher, RoomEvent::TrackSubscribed { sid: sid.clone() });
        }
    }

    /// Somebody has left: nobody receives their tracks, they receive nobody's. Their own peer's subscriptions end with
    /// the peer.
    pub(super) fn unsubscribe_from_all(&mut self, session: SessionId, left: &Member) {
        for (track, publication) in &left.publications {
            for &subscriber in &publication.subscribers {
                self.command(MediaCommand::Unsubscribe { session: subscriber, track: track.clone() });
            }
            self.forget_choices(track);
            self.forget_demand(track, &publication.demand);
        }
        for publication in self.members.values_mut().flat_map(|member| member.publications.values_mut()) {
            publication.subscribers.remove(&session);
        }
    }

    /// Nobody needs a choice, or settings, for a track that is gone.
    pub(super) fn forget_choices(&mut self, track: &TrackSid) {
        for member in self.members.values_mut() {
            member.choices.remove(track);
            member.settings.remove(track);
        }
    }
}

fn live_tracks(member: &Member) -> impl Iterator<Item = &TrackSid> {
    member.publications.iter().filter(|(_, publication)| publication.live).map(|(sid, _)| sid)
}
