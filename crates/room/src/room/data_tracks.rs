//! Data tracks: published, unpublished, subscribed to (livekit.md 2.6). Nobody receives one without asking.

use super::Room;
use super::member::Member;
use crate::data_track::{DataTrack, DataTrackRequest, ReceivedDataTrack};
use crate::effect::{RequestOutcome, RequestSubject, RoomEvent};
use crate::id::{SessionId, TrackSid};
use crate::limits::{MAX_DATA_FORMAT_BYTES, MAX_DATA_SUBSCRIPTIONS, MAX_DATA_TRACKS, MAX_NAME_BYTES};
use crate::media::MediaCommand;
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A member's part in data tracks.
#[derive(Debug, Default)]
pub(super) struct MemberData {
    /// Subscribe to every data track (`auto_subscribe_data_track`).
    pub(super) auto_subscribe: bool,
    /// What they publish, oldest first.
    published: IndexMap<TrackSid, DataPublication>,
    /// What they receive, under which number.
    received: BTreeMap<u16, TrackSid>,
    last_handle: u16,
}

#[derive(Debug)]
struct DataPublication {
    track: Arc<DataTrack>,
    subscribers: BTreeSet<SessionId>,
}

impl MemberData {
    pub(super) fn new(auto_subscribe: bool) -> Self {
        Self { auto_subscribe, ..Self::default() }
    }

    fn by_handle(&self, handle: u32) -> Option<&Arc<DataTrack>> {
        self.tracks().find(|track| u32::from(track.handle) == handle)
    }

    fn tracks(&self) -> impl Iterator<Item = &Arc<DataTrack>> {
        self.published.values().map(|publication| &publication.track)
    }

    fn number_of(&self, sid: &TrackSid) -> Option<u16> {
        self.received.iter().find(|(_, track)| *track == sid).map(|(handle, _)| *handle)
    }

    /// The number under which they receive a track: the one they have, or the next free one after the last given: packets
    /// of an earlier track may still be on their way.
    fn receive(&mut self, sid: &TrackSid) -> Option<u16> {
        if let Some(handle) = self.number_of(sid) {
            return Some(handle);
        }
        if self.received.len() >= MAX_DATA_SUBSCRIPTIONS {
            return None;
        }
        loop {
            self.last_handle = self.last_handle.wrapping_add(1).max(1);
            if !self.received.contains_key(&self.last_handle) {
                self.received.insert(self.last_handle, sid.clone());
                return Some(self.last_handle);
            }
        }
    }
}

impl Room {
    pub(super) fn on_publish_data_track(&mut self, session: SessionId, request: DataTrackRequest) {
        let Some(member) = self.members.get(&session) else { return };
        match check(member, &request) {
            Ok(handle) => self.begin_data_track(session, handle, request),
            Err((outcome, message)) => {
                let subject = RequestSubject::PublishDataTrack { handle: request.handle, name: request.name };
                let message = message.to_owned();
                self.tell(session, RoomEvent::RequestResponse { request_id: 0, outcome, message, subject });
            }
        }
    }

    fn begin_data_track(&mut self, session: SessionId, handle: u16, request: DataTrackRequest) {
        let sid = TrackSid::new(self.sids.draw("DTR_"));
        let track = Arc::new(DataTrack { sid: sid.clone(), handle, request });
        let Some(member) = self.members.get_mut(&session) else { return };
        let publication = DataPublication { track: track.clone(), subscribers: BTreeSet::new() };
        member.data.published.insert(sid.clone(), publication);
        self.owners.insert(sid.clone(), session);
        self.command(MediaCommand::PublishDataTrack { session, track: sid.clone(), handle });
        self.tell(session, RoomEvent::DataTrackPublished { track });
        self.data_tracks_changed(session);
        self.subscribe_everybody_to_data(session, &sid);
    }

    pub(super) fn on_unpublish_data_track(&mut self, session: SessionId, handle: u32) {
        let Some(member) = self.members.get(&session) else { return };
        let Some(sid) = member.data.by_handle(handle).map(|track| track.sid.clone()) else {
            let (outcome, message) = (RequestOutcome::NotFound, "no data track has this handle".to_owned());
            let subject = RequestSubject::UnpublishDataTrack { handle };
            return self.tell(session, RoomEvent::RequestResponse { request_id: 0, outcome, message, subject });
        };
        self.end_data_track(session, &sid);
        self.data_tracks_changed(session);
    }

    fn end_data_track(&mut self, session: SessionId, sid: &TrackSid) {
        let Some(member) = self.members.get_mut(&session) else { return };
        let Some(publication) = member.data.published.shift_remove(sid) else { return };
        self.owners.remove(sid);
        self.command(MediaCommand::UnpublishDataTrack { session, track: sid.clone() });
        self.release_data_subscribers(sid, publication.subscribers);
        self.tell(session, RoomEvent::DataTrackUnpublished { track: publication.track });
    }

    fn release_data_subscribers(&mut self, sid: &TrackSid, subscribers: BTreeSet<SessionId>) {
        for session in subscribers {
            if let Some(member) = self.members.get_mut(&session) {
                member.data.received.retain(|_, track| track != sid);
            }
            self.command(MediaCommand::UnsubscribeDataTrack { session, track: sid.clone() });
        }
    }

    fn data_tracks_changed(&mut self, session: SessionId) {
        let Some(member) = self.members.get_mut(&session) else { return };
        let tracks: Vec<_> = member.data.tracks().cloned().collect();
        member.change(|info| {
            info.is_publisher |= !tracks.is_empty();
            info.data_tracks = tracks;
        });
        self.announce(session);
    }

    /// A client chose. Whoever subscribes again is told the number again: it may have lost the answer.
    pub(super) fn on_update_data_subscription(&mut self, session: SessionId, updates: Vec<(TrackSid, bool)>) {
        let (wanted, unwanted): (Vec<_>, Vec<_>) = updates.into_iter().partition(|(_, subscribe)| *subscribe);
        for (sid, _) in unwanted {
            self.unsubscribe_data(session, &sid);
        }
        let received: Vec<_> = wanted.iter().filter_map(|(sid, _)| self.subscribe_data(session, sid)).collect();
        if !received.is_empty() {
            self.tell(session, RoomEvent::DataTracksReceived(received));
        }
    }

    /// `None`: there is no such track for them, or they may not have it.
    fn subscribe_data(&mut self, session: SessionId, sid: &TrackSid) -> Option<ReceivedDataTrack> {
        let publisher = *self.owners.get(sid)?;
        let owner = self.members.get(&publisher)?;
        if publisher == session || owner.hidden() || !owner.data.published.contains_key(sid) {
            return None;
        }
        let (publisher_sid, identity) = (owner.info.sid.clone(), owner.info.identity.clone());
        let member = self
            .members
            .get_mut(&session)
            .filter(|member| member.info.permission.can_subscribe && member.has_peer())?;
        let handle = member.data.receive(sid)?;
        let publication = self.members.get_mut(&publisher)?.data.published.get_mut(sid)?;
        if publication.subscribers.insert(session) {
            let track = sid.clone();
            self.command(MediaCommand::SubscribeDataTrack { session, track, handle, publisher });
        }
        Some(ReceivedDataTrack { handle, track: sid.clone(), publisher: publisher_sid, identity })
    }

    fn unsubscribe_data(&mut self, session: SessionId, sid: &TrackSid) {
        let Some(publisher) = self.owners.get(sid) else { return };
        let publication = self.members.get_mut(publisher).and_then(|member| member.data.published.get_mut(sid));
        if !publication.is_some_and(|publication| publication.subscribers.remove(&session)) {
            return;
        }
        if let Some(member) = self.members.get_mut(&session) {
            member.data.received.retain(|_, track| track != sid);
        }
        self.command(MediaCommand::UnsubscribeDataTrack { session, track: sid.clone() });
    }

    fn subscribe_everybody_to_data(&mut self, publisher: SessionId, sid: &TrackSid) {
        let wanting = self.members.iter().filter(|(other, member)| **other != publisher && member.data.auto_subscribe);
        let wanting: Vec<_> = wanting.map(|(session, _)| *session).collect();
        for session in wanting {
            self.on_update_data_subscription(session, vec![(sid.clone(), true)]);
        }
    }

    /// A newcomer who wants every data track.
    pub(super) fn subscribe_to_existing_data(&mut self, session: SessionId) {
        if self.members.get(&session).is_some_and(|member| member.data.auto_subscribe) {
            let published = self.members.values().flat_map(|member| member.data.published.keys());
            let updates = published.map(|sid| (sid.clone(), true)).collect();
            self.on_update_data_subscription(session, updates);
        }
    }

    /// Somebody has left: nobody receives their data tracks, they receive nobody's. Their own peer forgets by itself.
    pub(super) fn forget_data_tracks(&mut self, session: SessionId, left: &mut Member) {
        for (sid, publication) in std::mem::take(&mut left.data.published) {
            self.owners.remove(&sid);
            self.release_data_subscribers(&sid, publication.subscribers);
        }
        for sid in left.data.received.values() {
            let publisher = self.owners.get(sid).and_then(|publisher| self.members.get_mut(publisher));
            if let Some(publication) = publisher.and_then(|member| member.data.published.get_mut(sid)) {
                publication.subscribers.remove(&session);
            }
        }
    }
}

fn check(member: &Member, request: &DataTrackRequest) -> Result<u16, (RequestOutcome, &'static str)> {
    if !member.info.permission.can_publish_data || !member.has_peer() {
        return Err((RequestOutcome::NotAllowed, "data may not be published with this token"));
    }
    let handle = u16::try_from(request.handle).ok().filter(|handle| *handle != 0);
    let handle = handle.ok_or((RequestOutcome::InvalidHandle, "the handle must be 1 to 65535"))?;
    if request.name.is_empty() || request.name.len() > MAX_NAME_BYTES {
        return Err((RequestOutcome::InvalidName, "the name is empty or longer than 256 bytes"));
    }
    let format = |format: &Option<Vec<u8>>| format.as_ref().map_or(0, Vec::len);
    if format(&request.frame_encoding).max(format(&request.schema)) > MAX_DATA_FORMAT_BYTES {
        return Err((RequestOutcome::LimitExceeded, "the frame encoding or schema is too long"));
    }
    check_unique(member, handle, &request.name)?;
    if member.data.published.len() >= MAX_DATA_TRACKS {
        return Err((RequestOutcome::LimitExceeded, "as many data tracks are published as may be"));
    }
    Ok(handle)
}

fn check_unique(member: &Member, handle: u16, name: &str) -> Result<(), (RequestOutcome, &'static str)> {
    if member.data.tracks().any(|track| track.handle == handle) {
        return Err((RequestOutcome::DuplicateHandle, "a data track has this handle already"));
    }
    if member.data.tracks().any(|track| track.request.name == name) {
        return Err((RequestOutcome::DuplicateName, "a data track has this name already"));
    }
    Ok(())
}
