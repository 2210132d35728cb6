//! How a participant wants to join: v1 in one compressed message, v0 in query parameters (livekit.md 2.1).

use super::info;
use super::proto;
use super::query::Query;
use super::sync_state;
use super::track;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::GzDecoder;
use prost::Message as _;
use room::input::SyncState;
use room::media::ConnectionMode;
use room::participant::ClientInfo;
use room::track::TrackRequest;
use std::collections::BTreeMap;
use std::io::Read as _;

/// Longest `join_request` parameter, in characters: real ones are 2 to 3 KB; an HTTP request line ends at 64 KiB.
pub const MAX_ENCODED_BYTES: usize = 64 * 1024;

/// Longest join request once unpacked (the reference's limit): 1 MiB, so that a gzip bomb stops there.
pub const MAX_JOIN_REQUEST_BYTES: usize = 1024 * 1024;

/// Most tracks announced with a join: as many as may be pending in a session (livekit.md 2.4).
pub const MAX_JOIN_TRACKS: usize = 20;

/// URL-safe base64, with padding as JavaScript writes it and without.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a join request can't be read. The texts go to the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JoinRequestError {
    /// `/rtc/v1` without it.
    #[error("join_request is required")]
    Missing,
    /// Over a limit, packed or unpacked.
    #[error("join_request is too large")]
    TooLarge,
    /// Not base64url.
    #[error("cannot base64 decode join_request")]
    Base64,
    /// Not gzip, though it says so; or compressed in a way that we don't know.
    #[error("cannot decompress join_request")]
    Compression,
    /// Not the protobuf message that it should be.
    #[error("cannot unmarshal join_request")]
    Protobuf,
    /// An announced track can't be one.
    #[error("invalid add_track_requests")]
    Track,
    /// The `attributes` parameter of v0 is no base64url of a JSON object of strings.
    #[error("cannot parse attributes")]
    Attributes,
}

/// A session that the client had and wants to go on with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resume {
    /// The sid it had.
    pub participant_sid: String,
    /// LiveKit's `ReconnectReason`.
    pub reason: i32,
    /// What the client holds to be so, where it says it at once and not in a message of its own.
    pub state: Option<SyncState>,
}

/// How a participant wants to join. Who it is and what it may says its token.
#[derive(Clone, PartialEq, Debug)]
pub struct JoinParams {
    /// One PeerConnection or two.
    pub mode: ConnectionMode,
    /// The client.
    pub client: ClientInfo,
    /// Receive everything that is published (L-21).
    pub auto_subscribe: bool,
    /// Receive every data track; else those that are asked for.
    pub auto_subscribe_data: bool,
    /// Tracks may be paused where bandwidth is short.
    pub may_pause: bool,
    /// Overrides the token's, if the token allows; empty: doesn't.
    pub metadata: String,
    /// Overrides the token's, key by key, if the token allows.
    pub attributes: BTreeMap<String, String>,
    /// Announced with the join.
    pub tracks: Vec<TrackRequest>,
    /// (id, SDP) of the client's first offer.
    pub offer: Option<(u32, String)>,
    /// A resume instead of a new session.
    pub resume: Option<Resume>,
}

impl JoinParams {
    /// Reads the parameters of `/rtc/v1`: `join_request` must be there.
    ///
    /// # Errors
    /// See [`JoinRequestError`].
    pub fn v1(query: &Query<'_>) -> Result<Self, JoinRequestError> {
        let text = query.get("join_request").ok_or(JoinRequestError::Missing)?;
        from_join_request(unwrap(text)?)
    }

    /// Reads the parameters of `/rtc`: a `join_request` where there is one, else one parameter a thing.
    ///
    /// # Errors
    /// See [`JoinRequestError`].
    pub fn v0(query: &Query<'_>) -> Result<Self, JoinRequestError> {
        if query.get("join_request").is_some() {
            return Self::v1(query);
        }
        let resume = query.flag("reconnect", false).then(|| Resume {
            participant_sid: query.get("sid").unwrap_or_default().to_owned(),
            reason: query.number("reconnect_reason"),
            state: None,
        });
        Ok(Self {
            mode: ConnectionMode::Dual,
            client: client_from_query(query),
            auto_subscribe: query.flag("auto_subscribe", true),
            auto_subscribe_data: query.flag("auto_subscribe_data_track", false),
            may_pause: query.flag("subscriber_allow_pause", false),
            metadata: String::new(),
            attributes: query.get("attributes").map_or(Ok(BTreeMap::new()), attributes)?,
            tracks: Vec::new(),
            offer: None,
            resume,
        })
    }
}

/// base64url → WrappedJoinRequest → (gunzip) → JoinRequest.
fn unwrap(text: &str) -> Result<proto::JoinRequest, JoinRequestError> {
    if text.len() > MAX_ENCODED_BYTES {
        return Err(JoinRequestError::TooLarge);
    }
    let bytes = BASE64URL.decode(text).map_err(|_| JoinRequestError::Base64)?;
    let wrapped = proto::WrappedJoinRequest::decode(&*bytes).map_err(|_| JoinRequestError::Protobuf)?;
    let inner = match proto::wrapped_join_request::Compression::try_from(wrapped.compression) {
        Ok(proto::wrapped_join_request::Compression::None) => wrapped.join_request,
        Ok(proto::wrapped_join_request::Compression::Gzip) => gunzip(&wrapped.join_request)?,
        Err(_) => return Err(JoinRequestError::Compression),
    };
    proto::JoinRequest::decode(&*inner).map_err(|_| JoinRequestError::Protobuf)
}

fn gunzip(packed: &[u8]) -> Result<Vec<u8>, JoinRequestError> {
    let mut inner = Vec::new();
    // One byte more than allowed tells "full" from "over".
    let mut limited = GzDecoder::new(packed).take(MAX_JOIN_REQUEST_BYTES as u64 + 1);
    limited.read_to_end(&mut inner).map_err(|_| JoinRequestError::Compression)?;
    if inner.len() > MAX_JOIN_REQUEST_BYTES { Err(JoinRequestError::TooLarge) } else { Ok(inner) }
}

fn from_join_request(request: proto::JoinRequest) -> Result<JoinParams, JoinRequestError> {
    if request.add_track_requests.len() > MAX_JOIN_TRACKS {
        return Err(JoinRequestError::TooLarge);
    }
    let tracks = request.add_track_requests.into_iter().map(track::request).collect::<Result<_, _>>();
    let state = request.sync_state.map(sync_state::read).transpose().map_err(|_| JoinRequestError::TooLarge)?;
    let resume = Resume { participant_sid: request.participant_sid, reason: request.reconnect_reason, state };
    let settings = request.connection_settings.as_ref();
    Ok(JoinParams {
        mode: ConnectionMode::Single,
        client: request.client_info.map(info::client).unwrap_or_default(),
        auto_subscribe: settings.is_none_or(|settings| settings.auto_subscribe),
        auto_subscribe_data: settings.is_some_and(|settings| settings.auto_subscribe_data_track()),
        may_pause: settings.and_then(|settings| settings.subscriber_allow_pause).unwrap_or_default(),
        metadata: request.metadata,
        attributes: request.participant_attributes.into_iter().collect(),
        tracks: tracks.map_err(|_| JoinRequestError::Track)?,
        offer: request.publisher_offer.filter(|offer| !offer.sdp.is_empty()).map(|offer| (offer.id, offer.sdp)),
        resume: request.reconnect.then_some(resume),
    })
}

fn client_from_query(query: &Query<'_>) -> ClientInfo {
    let text = |name| query.get(name).unwrap_or_default().to_owned();
    ClientInfo {
        protocol: query.number("protocol"),
        client_protocol: query.number("client_protocol"),
        capabilities: query.get("capabilities").map(capabilities).unwrap_or_default(),
        sdk: text("sdk").to_ascii_lowercase(),
        version: text("version"),
        browser: text("browser").to_ascii_lowercase(),
        browser_version: text("browser_version"),
        os: text("os").to_ascii_lowercase(),
    }
}

/// `CAP_PACKET_TRAILER,CAP_COMPRESSION_DEFLATE_RAW`; those that we don't know are left out.
fn capabilities(names: &str) -> Vec<i32> {
    let known = |name: &str| proto::client_info::Capability::from_str_name(name.trim());
    names.split(',').filter_map(known).map(|capability| capability as i32).collect()
}

fn attributes(text: &str) -> Result<BTreeMap<String, String>, JoinRequestError> {
    let json = BASE64URL.decode(text).map_err(|_| JoinRequestError::Attributes)?;
    serde_json::from_slice(&json).map_err(|_| JoinRequestError::Attributes)
}
