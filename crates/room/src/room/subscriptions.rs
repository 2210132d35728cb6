//! Who receives what (livekit.md 2.7): everything by default (L-21), or what was chosen (L-22, L-35, L-36), if they may
//! receive at all, and its publisher lets them (L-67).
//!
//! There is one rule, [`Room::standing`], and one place that makes it so, [`Room::reconsider`]: whatever changes (a
//! track, a choice, a permission) asks it again.

use super::Room;
use super::member::Member;
use crate::effect::{RoomEvent, SubscriptionFailure};
use crate::id::{SessionId, TrackSid};
use crate::media::MediaCommand;

/// The last client protocol that knows a stream for each track only (livekit.md 2.2).
const SYNC_STREAMS_AFTER: i32 = 9;

/// How somebody stands to a track that they could see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// They receive it.
    Granted,
    /// They don't want it.
    Unwanted,
    /// Their token lets them receive nothing.
    NotPermitted,
    /// Its publisher doesn't let them.
    Denied,
    /// They receive as many as the operator allows.
    Full,
}

impl Room {
    fn standing(&self, session: SessionId, publisher: SessionId, track: &TrackSid) -> Standing {
        let (Some(receiver), Some(owner)) = (self.members.get(&session), self.members.get(&publisher)) else {
            return Standing::Unwanted;
        };
        if owner.hidden() || !receiver.has_peer() || !receiver.choices.wants(track, receiver.auto_subscribe) {
            Standing::Unwanted
        } else if !receiver.info.permission.can_subscribe {
            Standing::NotPermitted
        } else if !owner.guest_list.admits(&receiver.info.identity, track) {
            Standing::Denied
        } else if !self.has_place_for(session, publisher, track) {
            Standing::Full
        } else {
            Standing::Granted
        }
    }

    /// A track that is received has its place already.
    fn has_place_for(&self, session: SessionId, publisher: SessionId, track: &TrackSid) -> bool {
        let publication = self.members.get(&publisher).and_then(|member| member.publications.get(track));
        let (Some(receiver), Some(publication)) = (self.members.get(&session), publication) else {
            return false;
        };
        let kind = publication.track.request.kind;
        publication.subscribers.contains(&session) || !receiver.received.is_full(kind, &self.config.limits)
    }

    /// Makes it as it should be, and says so.
    pub(super) fn reconsider(&mut self, session: SessionId, publisher: SessionId, track: &TrackSid) {
        match self.standing(session, publisher, track) {
            Standing::Granted => self.subscribe(session, publisher, track),
            Standing::Denied => {
                self.unsubscribe(session, publisher, track);
                self.deny(session, publisher, track);
            }
            Standing::Unwanted | Standing::NotPermitted => self.unsubscribe(session, publisher, track),
            Standing::Full => {}
        }
    }

    /// They asked for it by name: if there is no place, they hear so.
    pub(super) fn reconsider_choice(&mut self, session: SessionId, publisher: SessionId, track: &TrackSid) {
        self.reconsider(session, publisher, track);
        if self.standing(session, publisher, track) == Standing::Full {
            self.tell_failure(session, track.clone(), SubscriptionFailure::Refused);
        }
    }

    /// All that one receiver might take: a newcomer, or somebody who may more or less than before.
    pub(super) fn reconsider_receiver(&mut self, session: SessionId) {
        let publishers = self.members.iter().filter(|(publisher, _)| **publisher != session);
        let tracks: Vec<_> = publishers
            .flat_map(|(publisher, member)| live_tracks(member).map(move |track| (*publisher, track.clone())))
            .collect();
        for (publisher, track) in tracks {
            self.reconsider(session, publisher, &track);
        }
    }

    /// A track, and all who might take it.
    pub(super) fn reconsider_track(&mut self, publisher: SessionId, track: &TrackSid) {
        let sessions: Vec<_> = self.members.keys().copied().filter(|session| *session != publisher).collect();
        for session in sessions {
            self.reconsider(session, publisher, track);
        }
    }

    /// All tracks of one publisher, and all who might take them.
    pub(super) fn reconsider_publisher(&mut self, publisher: SessionId) {
        let tracks: Vec<_> = self.members.get(&publisher).into_iter().flat_map(live_tracks).cloned().collect();
        for track in tracks {
            self.reconsider_track(publisher, &track);
        }
    }

    /// Who publishes this live track, if `session` may see it. Their own is none that they could receive.
    pub(super) fn visible_publisher(&self, session: SessionId, track: &TrackSid) -> Option<SessionId> {
        let publisher = *self.owners.get(track)?;
        let member = self.members.get(&publisher)?;
        let live = member.publications.get(track)?.live;
        (live && publisher != session && !member.hidden()).then_some(publisher)
    }

    fn subscribe(&mut self, session: SessionId, publisher: SessionId, track: &TrackSid) {
        let settings = self.receive_settings(session, publisher, track);
        let Some(member) = self.members.get_mut(&publisher) else {
            return;
        };
        let Some(publication) = member.publications.get_mut(track) else {
            return;
        };
        let request = &publication.track.request;
        let (kind, stream, may_make_red) = (request.kind, request.stream.clone(), publication.may_make_red());
        let codecs = publication.codec_names().collect();
        if !publication.subscribers.insert(session) {
            return;
        }
        publication.denied.remove(&session);
        let stream_id = self.stream_id(session, publisher, track, &stream);
        if let Some(receiver) = self.members.get_mut(&session) {
            receiver.received.add(kind);
        }
        self.tell_permission(session, publisher, track.clone(), true);
        self.command(MediaCommand::Subscribe {
            session,
            track: track.clone(),
            kind,
            publisher,
            stream_id,
            may_make_red,
            codecs,
            settings,
        });
    }

    /// `a=msid`'s stream (livekit.md 2.5): one for each track, or where streams are to be in step one for each of the
    /// publisher's. Firefox takes one track of a kind in a stream, and older clients know the first form only.
    fn stream_id(&self, session: SessionId, publisher: SessionId, track: &TrackSid, stream: &str) -> String {
        let sid = self.members.get(&publisher).map_or("", |member| member.info.sid.as_str());
        let in_step = |member: &Member| {
            let client = &member.info.client;
            self.config.sync_streams && client.protocol > SYNC_STREAMS_AFTER && client.browser != "firefox"
        };
        if !stream.is_empty() && self.members.get(&session).is_some_and(in_step) {
            format!("{sid}|{stream}")
        } else {
            format!("{sid}|{track}")
        }
    }

    fn unsubscribe(&mut self, session: SessionId, publisher: SessionId, track: &TrackSid) {
        let publication = self.members.get_mut(&publisher).and_then(|member| member.publications.get_mut(track));
        let Some(publication) = publication else { return };
        if publication.subscribers.remove(&session) {
            let kind = publication.track.request.kind;
            self.command(MediaCommand::Unsubscribe { session, track: track.clone() });
            self.received_ended(session, kind);
        }
    }

    /// Said once, until they are let in.
    fn deny(&mut self, session: SessionId, publisher: SessionId, track: &TrackSid) {
        let publication = self.members.get_mut(&publisher).and_then(|member| member.publications.get_mut(track));
        if publication.is_some_and(|publication| publication.denied.insert(session)) {
            self.tell_permission(session, publisher, track.clone(), false);
        }
    }

    pub(super) fn tell_permission(&mut self, session: SessionId, publisher: SessionId, track: TrackSid, allowed: bool) {
        if let Some(participant) = self.members.get(&publisher).map(|member| member.info.sid.clone()) {
            self.tell(session, RoomEvent::SubscriptionPermission { participant, track, allowed });
        }
    }

    pub(super) fn tell_failure(&mut self, session: SessionId, track: TrackSid, failure: SubscriptionFailure) {
        self.tell(session, RoomEvent::SubscriptionFailed { track, failure });
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
                self.received_ended(subscriber, publication.track.request.kind);
            }
            self.forget_choices(track);
            self.forget_demand(track, &publication.demand);
        }
        for publication in self.members.values_mut().flat_map(|member| member.publications.values_mut()) {
            publication.subscribers.remove(&session);
            publication.denied.remove(&session);
        }
    }
}

fn live_tracks(member: &Member) -> impl Iterator<Item = &TrackSid> {
    member.publications.iter().filter(|(_, publication)| publication.live).map(|(sid, _)| sid)
}
