//! A client's message → what the room is told.

use super::event::{Encoding, IntoResponse as _};
use super::{data_track, proto, sync_state, track};
use prost::Message as _;
use proto::request_response::{Reason, Request};
use proto::signal_request::Message;
use room::media::{ConnectionMode, Target};
use room::participant::DisconnectReason;
use room::settings::{TrackSettings, WantedPicture};
use room::{RoomInput, SessionId, TrackSid};

/// Longest message, in bytes (livekit.md 2.1): an SDP offer of a large meeting has about 200 KB.
pub const MAX_SIGNAL_BYTES: usize = 2 * 1024 * 1024;

/// Most tracks in one subscription update or list of a resume: as many as a large room has; the rest comes in the next message.
pub const MAX_SUBSCRIPTION_TRACKS: usize = 10_000;

/// Longest candidate, in bytes: real ones have about 150.
pub const MAX_CANDIDATE_BYTES: usize = 4 * 1024;

/// Why a message can't be read. The session is closed: whoever sends this speaks something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignalError {
    /// Over a limit.
    #[error("message is too large")]
    TooLarge,
    /// No `SignalRequest`.
    #[error("message is malformed")]
    Malformed,
    /// A candidate that is no RTCIceCandidateInit.
    #[error("candidate is malformed")]
    Candidate,
}

/// What a message asks for.
#[derive(Clone, Debug)]
pub enum Signal {
    /// Something for the room.
    Room(Box<RoomInput>),
    /// To be answered with [`super::event::pong`].
    Ping,
    /// To be answered with [`super::event::pong_resp`].
    PingReq {
        /// Echoed.
        timestamp: i64,
    },
    /// What we don't do, with the answer that says so.
    Refused(Box<proto::SignalResponse>),
    /// What needs no answer and changes nothing here (yet): permissions, simulations.
    Ignored(&'static str),
}

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Goes into every input.
    pub session: SessionId,
    /// In single mode every candidate belongs to the only connection.
    pub mode: ConnectionMode,
}

/// Reads one frame.
///
/// # Errors
/// See [`SignalError`].
pub fn decode(sender: Sender, frame: &[u8], encoding: Encoding) -> Result<Signal, SignalError> {
    if frame.len() > MAX_SIGNAL_BYTES {
        return Err(SignalError::TooLarge);
    }
    let request: proto::SignalRequest = match encoding {
        Encoding::Binary => proto::SignalRequest::decode(frame).map_err(|_| SignalError::Malformed)?,
        Encoding::Json => serde_json::from_slice(frame).map_err(|_| SignalError::Malformed)?,
    };
    match request.message {
        Some(message) => sender.signal(message),
        // A message of a later protocol.
        None => Ok(Signal::Ignored("unknown")),
    }
}

impl Sender {
    fn signal(self, message: Message) -> Result<Signal, SignalError> {
        let session = self.session;
        #[allow(deprecated)] // UpdateLayers: very old clients still send it
        Ok(match message {
            Message::Offer(offer) => room(RoomInput::Offer { session, id: offer.id, sdp: offer.sdp }),
            Message::Answer(answer) => room(RoomInput::Answer { session, id: answer.id, sdp: answer.sdp }),
            Message::Trickle(trickle) => self.candidate(&trickle)?,
            Message::AddTrack(add) => self.add_track(add),
            Message::Mute(mute) => room(RoomInput::Mute { session, track: TrackSid::new(mute.sid), muted: mute.muted }),
            Message::Subscription(update) => self.subscription(update)?,
            Message::SyncState(state) => {
                room(RoomInput::SyncState { session, state: Box::new(sync_state::read(state)?) })
            }
            Message::TrackSetting(update) => self.track_settings(update)?,
            Message::UpdateMetadata(update) => self.metadata(update),
            Message::UpdateAudioTrack(update) => self.update_audio(update)?,
            Message::UpdateVideoTrack(update) => room(RoomInput::UpdateTrack {
                session,
                track: TrackSid::new(update.track_sid),
                audio_features: None,
                size: Some((update.width, update.height)),
            }),
            // Whatever reason the client gives, it is the client that leaves.
            Message::Leave(_) => room(RoomInput::Leave { session, reason: DisconnectReason::ClientInitiated }),
            Message::Ping(_) => Signal::Ping,
            Message::PingReq(ping) => Signal::PingReq { timestamp: ping.timestamp },
            Message::PublishDataTrackRequest(publish) => {
                room(RoomInput::PublishDataTrack { session, request: Box::new(data_track::request(publish)) })
            }
            Message::UnpublishDataTrackRequest(unpublish) => {
                room(RoomInput::UnpublishDataTrack { session, handle: unpublish.pub_handle })
            }
            Message::UpdateDataSubscription(update) => {
                room(data_track::subscription(session, update).ok_or(SignalError::TooLarge)?)
            }
            Message::StoreDataBlobRequest(store) => no_blobs(store.request_id),
            Message::GetDataBlobRequest(get) => no_blobs(get.request_id),
            Message::UpdateLayers(_) => Signal::Ignored("update_layers"),
            Message::SubscriptionPermission(_) => Signal::Ignored("subscription_permission"),
            Message::Simulate(_) => Signal::Ignored("simulate"),
        })
    }

    fn candidate(self, trickle: &proto::TrickleRequest) -> Result<Signal, SignalError> {
        if trickle.candidate_init.len() > MAX_CANDIDATE_BYTES {
            return Err(SignalError::TooLarge);
        }
        let init: serde_json::Value =
            serde_json::from_str(&trickle.candidate_init).map_err(|_| SignalError::Candidate)?;
        let candidate = match init.get("candidate") {
            Some(serde_json::Value::String(candidate)) => candidate.clone(),
            // Browsers say "no more candidates" with an empty or a missing one.
            None | Some(serde_json::Value::Null) if init.is_object() => String::new(),
            _ => return Err(SignalError::Candidate),
        };
        if candidate.is_empty() {
            return Ok(Signal::Ignored("end of candidates"));
        }
        Ok(room(RoomInput::Candidate { session: self.session, target: self.target(trickle.target), candidate }))
    }

    fn target(self, number: i32) -> Target {
        let subscriber = number == proto::SignalTarget::Subscriber as i32;
        if subscriber && self.mode == ConnectionMode::Dual { Target::Subscriber } else { Target::Publisher }
    }

    fn add_track(self, mut add: proto::AddTrackRequest) -> Signal {
        let published = (!add.sid.is_empty()).then(|| TrackSid::new(std::mem::take(&mut add.sid)));
        let echo = proto::AddTrackRequest { cid: add.cid.clone(), ..Default::default() };
        match (track::request(add), published) {
            (Ok(request), Some(track)) => room(RoomInput::AddCodec {
                session: self.session,
                track,
                codec: Box::new(track::further_codec(request)),
            }),
            (Ok(request), None) => room(RoomInput::AddTrack { session: self.session, request: Box::new(request) }),
            (Err(_), _) => refused(Request::AddTrack(echo), "this kind of track"),
        }
    }

    fn subscription(self, update: proto::UpdateSubscription) -> Result<Signal, SignalError> {
        let (session, subscribe) = (self.session, update.subscribe);
        Ok(room(RoomInput::UpdateSubscription { session, tracks: subscribed_tracks(update)?, subscribe }))
    }

    /// A size, where there is one, says more than a quality (whose default in protobuf is LOW).
    fn track_settings(self, update: proto::UpdateTrackSettings) -> Result<Signal, SignalError> {
        if update.track_sids.len() > MAX_SUBSCRIPTION_TRACKS {
            return Err(SignalError::TooLarge);
        }
        let picture = match (update.width, update.height) {
            (0, _) | (_, 0) => WantedPicture::Quality(update.quality),
            (width, height) => WantedPicture::Size(width, height),
        };
        let settings = TrackSettings { disabled: update.disabled, picture, fps: update.fps, priority: update.priority };
        let tracks = update.track_sids.into_iter().map(TrackSid::new).collect();
        Ok(room(RoomInput::UpdateTrackSettings { session: self.session, tracks, settings }))
    }

    /// Clients send all three each time; empty means "as it is", as in the reference.
    fn metadata(self, update: proto::UpdateParticipantMetadata) -> Signal {
        let said = |text: String| (!text.is_empty()).then_some(text);
        room(RoomInput::UpdateMetadata {
            session: self.session,
            request_id: update.request_id,
            name: said(update.name),
            metadata: said(update.metadata),
            attributes: update.attributes.into_iter().collect(),
        })
    }

    fn update_audio(self, update: proto::UpdateLocalAudioTrack) -> Result<Signal, SignalError> {
        if update.features.len() > track::MAX_FEATURES {
            return Err(SignalError::TooLarge);
        }
        Ok(room(RoomInput::UpdateTrack {
            session: self.session,
            track: TrackSid::new(update.track_sid),
            audio_features: Some(update.features),
            size: None,
        }))
    }
}

/// The two lists that a client may fill say the same: tracks.
pub(super) fn subscribed_tracks(update: proto::UpdateSubscription) -> Result<Vec<TrackSid>, SignalError> {
    let by_participant = update.participant_tracks.into_iter().flat_map(|tracks| tracks.track_sids);
    track_sids(update.track_sids.into_iter().chain(by_participant))
}

/// As many as a client may name at a time.
pub(super) fn track_sids(names: impl Iterator<Item = String>) -> Result<Vec<TrackSid>, SignalError> {
    let sids: Vec<_> = names.take(MAX_SUBSCRIPTION_TRACKS + 1).map(TrackSid::new).collect();
    if sids.len() > MAX_SUBSCRIPTION_TRACKS { Err(SignalError::TooLarge) } else { Ok(sids) }
}

fn room(input: RoomInput) -> Signal {
    Signal::Room(Box::new(input))
}

/// Data blobs are off by default in the reference too.
fn no_blobs(request_id: u32) -> Signal {
    let response = proto::RequestResponse {
        request_id,
        reason: Reason::NotAllowed as i32,
        message: "data blobs are not kept by this server".to_owned(),
        request: None,
    };
    Signal::Refused(Box::new(proto::signal_response::Message::RequestResponse(response).into_response()))
}

/// `request_response{UNSUPPORTED_TYPE}` with the request echoed: clients wait for it, and time out without.
fn refused(request: Request, what: &str) -> Signal {
    let response = proto::RequestResponse {
        request_id: 0,
        reason: Reason::UnsupportedType as i32,
        message: format!("{what} is not supported by this server"),
        request: Some(request),
    };
    Signal::Refused(Box::new(proto::signal_response::Message::RequestResponse(response).into_response()))
}
