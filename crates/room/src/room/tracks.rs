//! Tracks: announced, live, muted, ended (livekit.md 2.4).

use super::Room;
use super::member::Member;
use super::publication::{CodecOnWire, Publication, sid_prefix};
use crate::effect::{RequestOutcome, RequestSubject, RoomEvent};
use crate::id::{SessionId, TrackSid};
use crate::input::Now;
use crate::limits::{MAX_CODECS, MAX_FEATURES, MAX_LAYERS, MAX_LIVE_TRACKS, MAX_NAME_BYTES, MAX_PENDING_TRACKS};
use crate::media::MediaCommand;
use crate::notice::Notice;
use crate::track::{TrackCodec, TrackRequest};

impl Room {
    /// Announces a track: it gets its sid at once, before any media (clients wait 10 s for it).
    pub(super) fn on_add_track(&mut self, now: Now, session: SessionId, request: TrackRequest) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        if let Some(publication) = announced_before(member, &request) {
            let track = publication.track.clone();
            return self.tell(session, RoomEvent::TrackPublished { cid: request.cid, track });
        }
        if let Err((outcome, message)) = check_request(member, &request) {
            return self.refuse_track(session, request.cid, outcome, message);
        }
        self.announce_track(now, session, request);
    }

    fn announce_track(&mut self, now: Now, session: SessionId, request: TrackRequest) {
        let sid = TrackSid::new(self.sids.draw(sid_prefix(request.kind, request.source)));
        let cid = request.cid.clone();
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        let publication = Publication::announced(sid.clone(), request, now);
        let (track, expected) = (publication.track.clone(), publication.expected(&member.info.client));
        member.publications.insert(sid.clone(), publication);
        self.owners.insert(sid, session);
        self.command(MediaCommand::ExpectTrack { session, track: expected });
        self.tell(session, RoomEvent::TrackPublished { cid, track });
    }

    /// Announces a backup codec of a track that is there (L-63): it has a cid and an m-line of its own.
    pub(super) fn on_add_codec(&mut self, now: Now, session: SessionId, sid: &TrackSid, codec: TrackCodec) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        let client = member.info.client.clone();
        let cid = codec.cid.clone();
        let Some(publication) = member.publications.get_mut(sid) else {
            return self.refuse_track(session, cid, RequestOutcome::NotFound, "you publish no such track");
        };
        if !codec_fits(&codec) || !publication.add_codec(now, codec) {
            return self.refuse_track(session, cid, RequestOutcome::LimitExceeded, "no further codec for this track");
        }
        let (track, expected) = (publication.track.clone(), publication.expected_backup(&client, &cid));
        self.command(MediaCommand::ExpectTrack { session, track: expected });
        self.tell(session, RoomEvent::TrackPublished { cid, track });
    }

    fn refuse_track(&mut self, session: SessionId, cid: String, outcome: RequestOutcome, message: &str) {
        let subject = RequestSubject::AddTrack { cid };
        self.tell(session, RoomEvent::RequestResponse { request_id: 0, outcome, message: message.into(), subject });
    }

    /// Its media is there, or more of its layers. Others see it before anybody's shard is told to send it: a track that
    /// comes before its participant's update is dropped by clients (livekit.md 2.10).
    pub(super) fn on_track_live(&mut self, now: Now, session: SessionId, sid: &TrackSid, seen: CodecOnWire) {
        let Some(publication) = self.publication(session, sid) else {
            return;
        };
        let first = !publication.live;
        if !publication.on_wire(now, seen) {
            return; // A backup is no news before its track.
        }
        self.tracks_changed(session);
        if first {
            self.begin_demand(now.at, session, sid);
            self.fulfil_wishes(sid);
            self.reconsider_track(session, sid);
            self.counts_changed();
            self.notice_published(session, sid);
        }
    }

    pub(super) fn notice_published(&mut self, session: SessionId, sid: &TrackSid) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        if let Some(publication) = member.publications.get(sid) {
            let (participant, track) = (member.info.clone(), publication.track.clone());
            self.notice(Notice::TrackPublished { participant, track });
        }
    }

    /// The client stopped sending it (unpublish), or the announced m-line never came.
    pub(super) fn on_track_ended(&mut self, session: SessionId, sid: &TrackSid) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        let Some(publication) = member.publications.shift_remove(sid) else {
            return;
        };
        let kind = publication.track.request.kind;
        self.owners.remove(sid);
        self.speakers.forget_track(sid);
        if publication.live {
            let participant = member.info.clone();
            self.tracks_changed(session);
            self.counts_changed();
            self.notice(Notice::TrackUnpublished { participant, track: publication.track.clone() });
        }
        self.forget_demand(sid, &publication.demand);
        for subscriber in publication.subscribers {
            self.command(MediaCommand::Unsubscribe { session: subscriber, track: sid.clone() });
            self.received_ended(subscriber, kind);
        }
        self.forget_choices(sid);
    }

    /// Stores what the client says, whatever it is: JS asks again until the track shows what it said (2.4, loop trap).
    pub(super) fn on_mute(&mut self, now: Now, session: SessionId, sid: &TrackSid, muted: bool) {
        let Some(publication) = self.publication(session, sid) else {
            return;
        };
        if publication.track.muted == muted {
            return;
        }
        publication.change(now, |track| track.muted = muted);
        let live = publication.live;
        self.command(MediaCommand::SetMuted { session, track: sid.clone(), muted });
        if live {
            self.tracks_changed(session);
        }
        if muted {
            self.speakers.forget_track(sid);
        }
    }

    /// What an own track is has changed.
    pub(super) fn on_update_track(
        &mut self,
        now: Now,
        session: SessionId,
        sid: &TrackSid,
        audio_features: Option<Vec<i32>>,
        size: Option<(u32, u32)>,
    ) {
        let Some(publication) = self.publication(session, sid) else {
            return;
        };
        publication.change_request(now, |request| {
            if let Some(features) = audio_features.filter(|features| features.len() <= MAX_FEATURES) {
                request.audio_features = features;
            }
            if let Some((width, height)) = size {
                (request.width, request.height) = (width, height);
            }
        });
        if publication.live {
            self.tracks_changed(session);
        }
    }

    fn publication(&mut self, session: SessionId, sid: &TrackSid) -> Option<&mut Publication> {
        self.members.get_mut(&session)?.publications.get_mut(sid)
    }

    /// A new version of their participant, with their tracks as they are now.
    pub(super) fn tracks_changed(&mut self, session: SessionId) {
        if let Some(member) = self.members.get_mut(&session) {
            member.refresh_tracks();
            self.announce(session);
        }
    }
}

/// A client that waits for an answer asks again: the same pending track answers twice. A live track's cid may come
/// again for a new one: browsers publish the same source again before the old m-line's end has arrived.
fn announced_before<'a>(member: &'a Member, request: &TrackRequest) -> Option<&'a Publication> {
    let same = |publication: &&Publication| {
        let known = &publication.track.request;
        !publication.live && known.cid == request.cid && known.kind == request.kind && known.source == request.source
    };
    member.publications.values().find(same)
}

fn check_request(member: &Member, request: &TrackRequest) -> Result<(), (RequestOutcome, &'static str)> {
    if !member.has_peer() {
        return Err((RequestOutcome::NotAllowed, "this connection carries no media"));
    }
    if !member.info.permission.may_publish(request.source) {
        return Err((RequestOutcome::NotAllowed, "this source may not be published with this token"));
    }
    if !names_fit(request) {
        return Err((RequestOutcome::LimitExceeded, "cid, name or stream of the track is longer than 256 bytes"));
    }
    if !lists_fit(request) {
        return Err((RequestOutcome::LimitExceeded, "the track announces too many layers, codecs or features"));
    }
    if member.pending_tracks() >= MAX_PENDING_TRACKS {
        return Err((RequestOutcome::LimitExceeded, "20 tracks are announced and not yet sent"));
    }
    if member.publications.len() >= MAX_LIVE_TRACKS {
        return Err((RequestOutcome::LimitExceeded, "64 tracks are published already"));
    }
    Ok(())
}

fn codec_fits(codec: &TrackCodec) -> bool {
    let layers = codec.layers.len() <= MAX_LAYERS;
    layers && [&codec.cid, &codec.mime, &codec.mid].into_iter().all(|name| name.len() <= MAX_NAME_BYTES)
}

fn names_fit(request: &TrackRequest) -> bool {
    let codec_names = request.codecs.iter().flat_map(|codec| [&codec.cid, &codec.mime, &codec.mid]);
    let layers = request.layers.iter().chain(request.codecs.iter().flat_map(|codec| &codec.layers));
    let names = [&request.cid, &request.name, &request.stream].into_iter().chain(codec_names);
    names.chain(layers.map(|layer| &layer.rid)).all(|name| name.len() <= MAX_NAME_BYTES)
}

fn lists_fit(request: &TrackRequest) -> bool {
    request.layers.len() <= MAX_LAYERS
        && request.codecs.len() <= MAX_CODECS
        && request.codecs.iter().all(|codec| codec.layers.len() <= MAX_LAYERS)
        && request.audio_features.len() <= MAX_FEATURES
        && request.packet_trailer_features.len() <= MAX_FEATURES
}
