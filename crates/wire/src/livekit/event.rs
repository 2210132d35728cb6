//! What a session is told → the server's messages.

use super::join_response::ServerFacts;
use super::{data_track, info, proto};
use prost::Message as _;
use proto::signal_response::Message;
use room::RoomEvent;
use room::effect::{
    LeaveAction, ParticipantQuality, RequestOutcome, RequestSubject, Speaker, SubscriptionFailure, WantedCodec,
};
use room::media::{ConnectionMode, Target};
use room::participant::{DisconnectReason, Participant};
use room::settings::HIGHEST_LAYER;
use room::{ParticipantSid, TrackSid};
use smallvec::{SmallVec, smallvec};

/// How a session's frames are written: as the client wrote its first one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// Protobuf in binary frames.
    #[default]
    Binary,
    /// Protobuf's JSON in text frames.
    Json,
}

/// Messages that one event becomes: mostly one.
pub type Responses = SmallVec<[proto::SignalResponse; 1]>;

/// One message, as bytes. JSON is UTF-8.
pub fn encode(response: &proto::SignalResponse, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Binary => response.encode_to_vec(),
        // Our own types always have a JSON form: an error here would be a defect of the generated code.
        Encoding::Json => serde_json::to_vec(response).unwrap_or_default(),
    }
}

/// The messages for an event, in order. None for those that LiveKit has no word for.
pub fn responses(event: &RoomEvent, mode: ConnectionMode, server: &ServerFacts) -> Responses {
    let message = match event {
        RoomEvent::Joined { room, you, others, publish_codecs, .. } => {
            Message::Join(server.join_response(mode, room, you, others, publish_codecs))
        }
        RoomEvent::Resumed { last_message_seq, .. } => Message::Reconnect(server.reconnect_response(*last_message_seq)),
        RoomEvent::Candidates { target, candidates, .. } => return trickles(*target, candidates),
        RoomEvent::ParticipantsUpdated(who) => Message::Update(proto::ParticipantUpdate {
            participants: who.iter().map(|participant| info::participant(participant)).collect(),
        }),
        RoomEvent::RoomUpdated(room) => Message::RoomUpdate(proto::RoomUpdate { room: Some(info::room(room)) }),
        RoomEvent::Answer { id, sdp, tracks } => Message::Answer(description("answer", *id, sdp, tracks)),
        RoomEvent::Offer { id, sdp, tracks } => Message::Offer(description("offer", *id, sdp, tracks)),
        RoomEvent::SectionsNeeded { audio, video } => {
            Message::MediaSectionsRequirement(proto::MediaSectionsRequirement {
                num_audios: *audio,
                num_videos: *video,
            })
        }
        RoomEvent::SpeakersChanged(speakers) => Message::SpeakersChanged(speakers_changed(speakers)),
        RoomEvent::ConnectionQuality(updates) => Message::ConnectionQuality(quality(updates)),
        RoomEvent::RequestResponse { request_id, outcome, message, subject } => {
            Message::RequestResponse(request_response(*request_id, *outcome, message, subject))
        }
        RoomEvent::Leave { reason, action } => return smallvec![leave(*reason, *action)],
        // A fresh token is the gateway's to make: it has the keys.
        RoomEvent::ClaimsChanged { .. } | RoomEvent::Moved { .. } => return Responses::new(),
        track => match track_message(track) {
            Some(message) => message,
            None => return Responses::new(),
        },
    };
    smallvec![message.into_response()]
}

/// `leave`; the socket is closed after it. Clients older than protocol 13 read `can_reconnect`.
pub fn leave(reason: DisconnectReason, action: LeaveAction) -> proto::SignalResponse {
    Message::Leave(proto::LeaveRequest {
        can_reconnect: action != LeaveAction::Disconnect,
        reason: reason as i32,
        action: action as i32,
        regions: None,
    })
    .into_response()
}

/// `refresh_token` (L-52).
pub fn refresh_token(token: String) -> proto::SignalResponse {
    Message::RefreshToken(token).into_response()
}

/// `room_moved`: `token` is for the room of this name. `leave` follows, after which clients connect to it.
pub fn room_moved(room: &str, token: String, you: &Participant) -> proto::SignalResponse {
    Message::RoomMoved(proto::RoomMovedResponse {
        room: Some(proto::Room { name: room.to_owned(), ..Default::default() }),
        token,
        participant: Some(info::participant(you)),
        other_participants: Vec::new(),
    })
    .into_response()
}

/// The answer to `ping`: Unix milliseconds (nanoseconds overflow JavaScript's numbers).
pub fn pong(unix_ms: i64) -> proto::SignalResponse {
    Message::Pong(unix_ms).into_response()
}

/// The answer to `ping_req`.
pub fn pong_resp(last_ping_timestamp: i64, unix_ms: i64) -> proto::SignalResponse {
    Message::PongResp(proto::Pong { last_ping_timestamp, timestamp: unix_ms }).into_response()
}

/// Message → response.
pub(crate) trait IntoResponse {
    fn into_response(self) -> proto::SignalResponse;
}

impl IntoResponse for Message {
    fn into_response(self) -> proto::SignalResponse {
        proto::SignalResponse { message: Some(self) }
    }
}

fn track_message(event: &RoomEvent) -> Option<Message> {
    Some(match event {
        RoomEvent::TrackPublished { cid, track } => {
            Message::TrackPublished(proto::TrackPublishedResponse { cid: cid.clone(), track: Some(info::track(track)) })
        }
        RoomEvent::TrackUnpublished { sid } => {
            Message::TrackUnpublished(proto::TrackUnpublishedResponse { track_sid: sid.to_string() })
        }
        RoomEvent::TrackSubscribed { sid } => {
            Message::TrackSubscribed(proto::TrackSubscribed { track_sid: sid.to_string() })
        }
        RoomEvent::MuteRequested { track, muted } => {
            Message::Mute(proto::MuteTrackRequest { sid: track.to_string(), muted: *muted })
        }
        RoomEvent::LayersWanted { track, codecs } => {
            Message::SubscribedQualityUpdate(subscribed_quality(track, codecs))
        }
        RoomEvent::SubscriptionPermission { participant, track, allowed } => {
            Message::SubscriptionPermissionUpdate(subscription_permission(participant, track, *allowed))
        }
        RoomEvent::StreamPaused { participant, track, paused } => {
            Message::StreamStateUpdate(stream_state(participant, track, *paused))
        }
        RoomEvent::SubscriptionFailed { track, failure } => {
            Message::SubscriptionResponse(subscription_failed(track, *failure))
        }
        RoomEvent::DataTrackPublished { track } => {
            let info = Some(data_track::info(track));
            Message::PublishDataTrackResponse(proto::PublishDataTrackResponse { info })
        }
        RoomEvent::DataTrackUnpublished { track } => {
            let info = Some(data_track::info(track));
            Message::UnpublishDataTrackResponse(proto::UnpublishDataTrackResponse { info })
        }
        RoomEvent::DataTracksReceived(received) => Message::DataTrackSubscriberHandles(data_track::handles(received)),
        _ => return None,
    })
}

/// Dynacast: the first list is the primary codec's, for clients that know no others.
#[allow(deprecated)] // older clients read only the first list
fn subscribed_quality(track: &TrackSid, codecs: &[WantedCodec]) -> proto::SubscribedQualityUpdate {
    let qualities = |codec: &WantedCodec| -> Vec<_> {
        let quality = |quality: u8| proto::SubscribedQuality {
            quality: i32::from(quality),
            enabled: codec.highest.is_some_and(|highest| quality <= highest),
        };
        (0..=HIGHEST_LAYER).map(quality).collect()
    };
    let codec = |codec: &WantedCodec| proto::SubscribedCodec { codec: codec.name.clone(), qualities: qualities(codec) };
    proto::SubscribedQualityUpdate {
        track_sid: track.to_string(),
        subscribed_qualities: codecs.first().map(qualities).unwrap_or_default(),
        subscribed_codecs: codecs.iter().map(codec).collect(),
    }
}

fn subscription_permission(
    participant: &ParticipantSid,
    track: &TrackSid,
    allowed: bool,
) -> proto::SubscriptionPermissionUpdate {
    proto::SubscriptionPermissionUpdate {
        participant_sid: participant.to_string(),
        track_sid: track.to_string(),
        allowed,
    }
}

fn subscription_failed(track: &TrackSid, failure: SubscriptionFailure) -> proto::SubscriptionResponse {
    let err = match failure {
        SubscriptionFailure::NotFound => proto::SubscriptionError::SeTrackNotfound,
        // LiveKit has no word for it.
        SubscriptionFailure::Refused => proto::SubscriptionError::SeUnknown,
    };
    proto::SubscriptionResponse { track_sid: track.to_string(), err: err as i32 }
}

fn stream_state(participant: &ParticipantSid, track: &TrackSid, paused: bool) -> proto::StreamStateUpdate {
    let state = if paused { proto::StreamState::Paused } else { proto::StreamState::Active };
    let info = proto::StreamStateInfo {
        participant_sid: participant.to_string(),
        track_sid: track.to_string(),
        state: state as i32,
    };
    proto::StreamStateUpdate { stream_states: vec![info] }
}

fn description(kind: &str, id: u32, sdp: &str, tracks: &[(String, TrackSid)]) -> proto::SessionDescription {
    proto::SessionDescription {
        r#type: kind.to_owned(),
        sdp: sdp.to_owned(),
        id,
        mid_to_track_id: tracks.iter().map(|(mid, sid)| (mid.clone(), sid.to_string())).collect(),
    }
}

/// One message a candidate, `final` on the last real one: an end-of-candidates object, or a null where Rust expects
/// text, kills its clients (livekit.md 2.5).
fn trickles(target: Target, candidates: &[String]) -> Responses {
    let (target, mid) = match target {
        Target::Publisher => (proto::SignalTarget::Publisher, "0"),
        // Its sections are named by us, at random; without a name the index says which is meant.
        Target::Subscriber => (proto::SignalTarget::Subscriber, ""),
    };
    let last = candidates.len().saturating_sub(1);
    let trickle = |(index, candidate): (usize, &String)| {
        Message::Trickle(proto::TrickleRequest {
            candidate_init: candidate_init(candidate, mid),
            target: target as i32,
            r#final: index == last,
        })
        .into_response()
    };
    candidates.iter().enumerate().map(trickle).collect()
}

/// RTCIceCandidateInit. All media is bundled, so the first section stands for all.
fn candidate_init(candidate: &str, mid: &str) -> String {
    let candidate = serde_json::Value::from(candidate);
    format!(r#"{{"candidate":{candidate},"sdpMid":"{mid}","sdpMLineIndex":0,"usernameFragment":null}}"#)
}

fn speakers_changed(speakers: &[Speaker]) -> proto::SpeakersChanged {
    let speaker = |speaker: &Speaker| proto::SpeakerInfo {
        sid: speaker.sid.to_string(),
        level: speaker.level,
        active: speaker.active,
    };
    proto::SpeakersChanged { speakers: speakers.iter().map(speaker).collect() }
}

fn quality(updates: &[ParticipantQuality]) -> proto::ConnectionQualityUpdate {
    let update = |update: &ParticipantQuality| proto::ConnectionQualityInfo {
        participant_sid: update.sid.to_string(),
        quality: update.quality as i32,
        score: update.score,
    };
    proto::ConnectionQualityUpdate { updates: updates.iter().map(update).collect() }
}

/// Clients match it by `request_id`, or where there is none by what it was about.
fn request_response(
    request_id: u32,
    outcome: RequestOutcome,
    message: &str,
    subject: &RequestSubject,
) -> proto::RequestResponse {
    use proto::request_response::Request;
    let request = match subject {
        RequestSubject::Metadata => {
            Request::UpdateMetadata(proto::UpdateParticipantMetadata { request_id, ..Default::default() })
        }
        RequestSubject::AddTrack { cid } => {
            Request::AddTrack(proto::AddTrackRequest { cid: cid.clone(), ..Default::default() })
        }
        RequestSubject::PublishDataTrack { handle, name } => {
            Request::PublishDataTrack(proto::PublishDataTrackRequest {
                pub_handle: *handle,
                name: name.clone(),
                ..Default::default()
            })
        }
        RequestSubject::UnpublishDataTrack { handle } => {
            Request::UnpublishDataTrack(proto::UnpublishDataTrackRequest { pub_handle: *handle })
        }
    };
    proto::RequestResponse { request_id, reason: outcome as i32, message: message.to_owned(), request: Some(request) }
}
