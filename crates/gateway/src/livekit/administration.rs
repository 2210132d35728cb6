//! `livekit.RoomService`, the methods that change what goes on in a room (L-06, L-36, L-43, L-55).

use super::api::Call;
use super::room_service::{
    Answer, RoomService, allow, allow_admin, identity, no_participant, no_room, refusal as unenterable,
};
use crate::rooms::{Credential, ForwardError};
use room::participant::Participant;
use room::{AdminError, AdminRequest, Identity, ProfileChange, TrackSid};
use std::sync::Arc;
use wire::livekit::json_names::{EMPTY, MUTE_TRACK, PARTICIPANT, ROOM};
use wire::livekit::signal::MAX_SUBSCRIPTION_TRACKS;
use wire::livekit::twirp::{Code, TwirpError};
use wire::livekit::{info, proto};

impl RoomService<'_> {
    pub(super) async fn mute_published_track(&self, call: &Call) -> Answer {
        let request: proto::MuteRoomTrackRequest = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        let identity = identity(&request.identity)?;
        let track = TrackSid::new(request.track_sid);
        let muting = AdminRequest::Mute { identity: identity.clone(), track: track.clone(), muted: request.muted };
        self.administer(&request.room, muting).await?;
        let participant = self.participant(&request.room, identity).await?;
        let track = participant.tracks.iter().find(|published| published.sid == track);
        call.write(&proto::MuteRoomTrackResponse { track: track.map(|track| info::track(track)) }, &MUTE_TRACK)
    }

    /// Empty text is "as it is", as in the reference.
    pub(super) async fn update_participant(&self, call: &Call) -> Answer {
        let request: proto::UpdateParticipantRequest = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        let identity = identity(&request.identity)?;
        let permission = match &request.permission {
            Some(said) => {
                let before = self.participant(&request.room, identity.clone()).await?;
                Some(info::granted(said, &before.permission))
            }
            None => None,
        };
        let said = |text: String| (!text.is_empty()).then_some(text);
        let profile = ProfileChange {
            name: said(request.name),
            metadata: said(request.metadata),
            attributes: request.attributes.into_iter().collect(),
        };
        let update = AdminRequest::UpdateParticipant { identity: identity.clone(), profile, permission };
        self.administer(&request.room, update).await?;
        call.write(&info::participant(&*self.participant(&request.room, identity).await?), &PARTICIPANT)
    }

    pub(super) async fn update_subscriptions(&self, call: &Call) -> Answer {
        let request: proto::UpdateSubscriptionsRequest = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        let by_participant = request.participant_tracks.into_iter().flat_map(|tracks| tracks.track_sids);
        let tracks: Vec<_> = request.track_sids.into_iter().chain(by_participant).map(TrackSid::new).collect();
        if tracks.len() > MAX_SUBSCRIPTION_TRACKS {
            return Err(TwirpError::new(Code::InvalidArgument, "more than 10000 tracks"));
        }
        let (identity, subscribe) = (identity(&request.identity)?, request.subscribe);
        let update = AdminRequest::UpdateSubscriptions { identity, tracks, subscribe };
        self.administer(&request.room, update).await?;
        call.write(&proto::UpdateSubscriptionsResponse {}, &EMPTY)
    }

    /// The client is told where to go, and connects there: a full reconnect, with everything that it publishes.
    pub(super) async fn move_participant(&self, call: &Call) -> Answer {
        let request: proto::MoveParticipantRequest = call.read()?;
        let (room, destination) = (&request.room, request.destination_room);
        allow(call.claims.may_send(room, &destination))?;
        if *room == destination {
            return Err(TwirpError::new(Code::InvalidArgument, "the participant is in this room already"));
        }
        let identity = identity(&request.identity)?;
        self.gateway
            .registry()
            .check(&destination, Credential::Token, Some(&identity), None)
            .await
            .map_err(unenterable)?;
        self.administer(room, AdminRequest::Move { identity, room: destination }).await?;
        call.write(&proto::MoveParticipantResponse {}, &EMPTY)
    }

    /// They stay where they are, and are seen and heard in the other room too.
    pub(super) async fn forward_participant(&self, call: &Call) -> Answer {
        let request: proto::ForwardParticipantRequest = call.read()?;
        let (room, destination) = (&request.room, &request.destination_room);
        allow(call.claims.may_send(room, destination))?;
        if room == destination {
            return Err(TwirpError::new(Code::InvalidArgument, "the participant is in this room already"));
        }
        let identity = identity(&request.identity)?;
        self.gateway.registry().forward(room, identity, destination).await.map_err(not_forwarded)?;
        call.write(&proto::ForwardParticipantResponse {}, &EMPTY)
    }

    pub(super) async fn update_room_metadata(&self, call: &Call) -> Answer {
        let request: proto::UpdateRoomMetadataRequest = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        let update = AdminRequest::UpdateRoomMetadata { metadata: request.metadata };
        self.administer(&request.room, update).await?;
        let room = self.room(&request.room)?.info().await.map_err(|_| no_room())?;
        call.write(&info::room(&room), &ROOM)
    }

    async fn administer(&self, room: &str, request: AdminRequest) -> Result<(), TwirpError> {
        self.room(room)?.administer(request).await.map_err(|_| no_room())?.map_err(refusal)
    }

    async fn participant(&self, room: &str, identity: Identity) -> Result<Arc<Participant>, TwirpError> {
        self.room(room)?.participant(identity).await.map_err(|_| no_room())?.ok_or_else(no_participant)
    }
}

fn not_forwarded(error: ForwardError) -> TwirpError {
    let code = match error {
        ForwardError::NoRoom => return no_room(),
        ForwardError::NotThere => return no_participant(),
        ForwardError::Refused(error) => return unenterable(error),
        ForwardError::NoMedia => Code::FailedPrecondition,
        ForwardError::TooMany => Code::ResourceExhausted,
    };
    TwirpError::new(code, error.to_string())
}

fn refusal(error: AdminError) -> TwirpError {
    let code = match error {
        AdminError::NoParticipant | AdminError::NoTrack => Code::NotFound,
        AdminError::RemoteUnmuteDisabled | AdminError::Forwarded => Code::FailedPrecondition,
        AdminError::TooLong(_) => Code::InvalidArgument,
    };
    TwirpError::new(code, error.to_string())
}
