//! `livekit.RoomService` (L-53 to L-55).

use super::api::Call;
use super::nonces::NONCE_BYTES;
use super::room_config;
use crate::Gateway;
use crate::rooms::{DataMessage, JoinError, RoomHandle};
use auth::Claims;
use prost::Message;
use room::limits::MAX_NAME_BYTES;
use room::{Identity, ParticipantSid};
use serde::de::DeserializeOwned;
use std::time::Instant;
use wire::livekit::json_names::{EMPTY, LIST_PARTICIPANTS, LIST_ROOMS, PARTICIPANT, ROOM, Shape};
use wire::livekit::twirp::{self, Code, TwirpError};
use wire::livekit::{data, info, proto, room_configuration};

/// Longest payload of SendData, in bytes (livekit.md 3, limits): it must fit one data channel message.
const MAX_PAYLOAD_BYTES: usize = 64_000;

pub(super) type Answer = Result<Vec<u8>, TwirpError>;

pub(super) struct RoomService<'a> {
    pub(super) gateway: &'a Gateway,
}

impl RoomService<'_> {
    pub(super) async fn call(&self, method: &str, call: Call) -> Answer {
        match method {
            "CreateRoom" => self.create_room(&call).await,
            "ListRooms" => self.list_rooms(&call).await,
            "DeleteRoom" => self.delete_room(&call).await,
            "ListParticipants" => self.list_participants(&call).await,
            "GetParticipant" => self.get_participant(&call).await,
            "RemoveParticipant" => self.remove_participant(&call).await,
            "MutePublishedTrack" => self.mute_published_track(&call).await,
            "UpdateParticipant" => self.update_participant(&call).await,
            "UpdateSubscriptions" => self.update_subscriptions(&call).await,
            "UpdateRoomMetadata" => self.update_room_metadata(&call).await,
            "ForwardParticipant" => self.forward_participant(&call).await,
            "MoveParticipant" => self.move_participant(&call).await,
            "SendData" => self.send_data(&call).await,
            "PerformRpc" => self.perform_rpc(&call).await,
            unknown => {
                let path = format!("/twirp/livekit.RoomService/{unknown}");
                Err(TwirpError::bad_route(format!("no handler for path \"{path}\""), "POST", &path))
            }
        }
    }

    /// L-13. A room that exists stays as it is.
    async fn create_room(&self, call: &Call) -> Answer {
        allow(call.claims.video.room_create && !call.claims.odeon_page)?;
        let request: proto::CreateRoomRequest = call.read()?;
        let registry = self.gateway.registry();
        let (name, preset) = (request.name.clone(), request.room_preset.clone());
        let config = room_config::said(self.gateway, &preset, room_configuration::of_request(request))
            .ok_or_else(|| TwirpError::new(Code::InvalidArgument, "unknown room preset"))?;
        let room = registry.create(&name, config).await.map_err(refusal)?;
        call.write(&info::room(&room), &ROOM)
    }

    async fn list_rooms(&self, call: &Call) -> Answer {
        allow(call.claims.video.room_list && !call.claims.odeon_page)?;
        let request: proto::ListRoomsRequest = call.read()?;
        let rooms = self.gateway.registry().list(&request.names).await;
        call.write(&proto::ListRoomsResponse { rooms: rooms.iter().map(info::room).collect() }, &LIST_ROOMS)
    }

    async fn delete_room(&self, call: &Call) -> Answer {
        allow(call.claims.video.room_create && !call.claims.odeon_page)?;
        let request: proto::DeleteRoomRequest = call.read()?;
        if !self.gateway.registry().delete(&request.room).await {
            return Err(no_room());
        }
        call.write(&proto::DeleteRoomResponse {}, &EMPTY)
    }

    /// A room that is not there has nobody in it, as in the reference.
    async fn list_participants(&self, call: &Call) -> Answer {
        let request: proto::ListParticipantsRequest = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        let participants = match self.gateway.registry().find(&request.room) {
            Some(room) => room.participants().await.unwrap_or_default(),
            None => Vec::new(),
        };
        let participants = participants.iter().map(|who| info::participant(who)).collect();
        call.write(&proto::ListParticipantsResponse { participants }, &LIST_PARTICIPANTS)
    }

    async fn get_participant(&self, call: &Call) -> Answer {
        let request: proto::RoomParticipantIdentity = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        let identity = identity(&request.identity)?;
        let found = self.room(&request.room)?.participant(identity).await.map_err(|_| no_room())?;
        call.write(&info::participant(&*found.ok_or_else(no_participant)?), &PARTICIPANT)
    }

    async fn remove_participant(&self, call: &Call) -> Answer {
        let request: proto::RoomParticipantIdentity = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        let identity = identity(&request.identity)?;
        if !self.room(&request.room)?.remove(identity).await.map_err(|_| no_room())? {
            return Err(no_participant());
        }
        call.write(&proto::RemoveParticipantResponse {}, &EMPTY)
    }

    /// L-45
    async fn send_data(&self, call: &Call) -> Answer {
        let request: proto::SendDataRequest = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        if request.data.len() > MAX_PAYLOAD_BYTES {
            return Err(TwirpError::new(Code::InvalidArgument, "data is longer than 64000 bytes"));
        }
        let room = self.room(&request.room)?;
        if self.is_first(&request)? {
            room.send_data(message(&request)?).await.map_err(|_| no_room())?;
        }
        call.write(&proto::SendDataResponse {}, &EMPTY)
    }

    /// Without a nonce every request counts.
    fn is_first(&self, request: &proto::SendDataRequest) -> Result<bool, TwirpError> {
        if request.nonce.is_empty() {
            return Ok(true);
        }
        let nonce = <[u8; NONCE_BYTES]>::try_from(&*request.nonce)
            .map_err(|_| TwirpError::new(Code::InvalidArgument, "nonce should be 16-bytes or empty"))?;
        Ok(self.gateway.inner.nonces.is_new(&request.room, nonce, Instant::now()))
    }

    pub(super) fn room(&self, name: &str) -> Result<RoomHandle, TwirpError> {
        self.gateway.registry().find(name).ok_or_else(no_room)
    }
}

impl Call {
    pub(super) fn read<T: Message + Default + DeserializeOwned>(&self) -> Result<T, TwirpError> {
        twirp::decode(self.format, &self.body)
    }

    pub(super) fn write<T: Message + serde::Serialize>(&self, answer: &T, shape: &Shape) -> Answer {
        twirp::encode(self.format, answer, shape)
    }
}

#[allow(deprecated)] // destination_sids: older backends
fn message(request: &proto::SendDataRequest) -> Result<DataMessage, TwirpError> {
    let identities = request.destination_identities.iter().map(|name| identity(name));
    Ok(DataMessage {
        reliable: request.kind == proto::data_packet::Kind::Reliable as i32,
        packet: data::from_server(request).into(),
        identities: identities.collect::<Result<_, _>>()?,
        sids: request.destination_sids.iter().map(|sid| ParticipantSid::new(sid.as_str())).collect(),
    })
}

/// `alice` is a token's, `bus:alice` somebody of another origin.
pub(super) fn identity(text: &str) -> Result<Identity, TwirpError> {
    if text.is_empty() || text.len() > MAX_NAME_BYTES {
        return Err(TwirpError::new(Code::InvalidArgument, "identity is empty or longer than 256 bytes"));
    }
    Ok(Identity::named_by_token(text))
}

pub(super) fn allow(granted: bool) -> Result<(), TwirpError> {
    // What LiveKit's server says, and its SDKs' users look for.
    if granted { Ok(()) } else { Err(TwirpError::new(Code::Unauthenticated, "permissions denied")) }
}

pub(super) fn allow_admin(claims: &Claims, room: &str) -> Result<(), TwirpError> {
    allow(claims.may_administer(room))
}

pub(super) fn no_room() -> TwirpError {
    TwirpError::new(Code::NotFound, "requested room does not exist")
}

pub(super) fn no_participant() -> TwirpError {
    TwirpError::new(Code::NotFound, "participant does not exist")
}

pub(super) fn refusal(error: JoinError) -> TwirpError {
    let code = match error {
        JoinError::NoSuchRoom => Code::NotFound,
        JoinError::Banned => Code::PermissionDenied,
        JoinError::Refused(room::JoinError::IdentityTaken) => Code::AlreadyExists,
        JoinError::BadName | JoinError::Refused(_) => Code::InvalidArgument,
        JoinError::TooManyRooms | JoinError::RoomFull | JoinError::Overloaded => Code::ResourceExhausted,
        JoinError::Draining | JoinError::Gone => Code::Unavailable,
    };
    TwirpError::new(code, error.to_string())
}
