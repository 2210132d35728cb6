//! Who joins what, by which right, and the status for those who don't (livekit.md 2.1).

use super::{grants, room_config};
use crate::client::bearer;
use crate::rooms::{Credential, JoinError, JoinTicket, ResumeTicket};
use crate::{Gateway, clock};
use auth::Claims;
use http::{HeaderMap, StatusCode};
use room::input::Join;
use room::limits::MAX_NAME_BYTES;
use room::participant::ParticipantKind;
use room::{Identity, ParticipantSid, RoomConfig};
use std::borrow::Cow;
use std::net::IpAddr;
use wire::livekit::join_request::{JoinParams, JoinRequestError, Resume};
use wire::livekit::query::Query;

/// Somebody who may join, so far as token and parameters tell.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) room: String,
    pub(super) claims: Claims,
    pub(super) params: JoinParams,
    /// What the room is made with, if this join makes it and the token says something.
    pub(super) config: Option<RoomConfig>,
}

/// A refusal: an HTTP status and a text that SDKs show or compare.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) text: Cow<'static, str>,
}

impl Refusal {
    fn new(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, text: text.into() }
    }

    fn unauthorized(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text)
    }

    pub(super) fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }
}

impl From<JoinRequestError> for Refusal {
    fn from(error: JoinRequestError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<JoinError> for Refusal {
    fn from(error: JoinError) -> Self {
        let status = match error {
            // The text is what JavaScript's SDK looks for in a 404.
            JoinError::NoSuchRoom => StatusCode::NOT_FOUND,
            JoinError::Banned => StatusCode::FORBIDDEN,
            JoinError::BadName | JoinError::Refused(_) => StatusCode::BAD_REQUEST,
            JoinError::RoomFull | JoinError::TooManyRooms | JoinError::Overloaded | JoinError::Draining => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            JoinError::Gone => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

/// Which parameters are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// `/rtc`
    V0,
    /// `/rtc/v1`
    V1,
}

/// Checks token and parameters, cheapest first: nothing of the parameters is unpacked for somebody without a token.
pub(super) fn admit(
    gateway: &Gateway,
    version: Version,
    query: &str,
    headers: &HeaderMap,
) -> Result<Admission, Refusal> {
    let query = Query::parse(query);
    let mut claims = verified(gateway, &query, headers)?;
    if version == Version::V0 {
        publish_only(&mut claims, &query)?;
    }
    let room = room_of(&claims, &query)?;
    check_identity(&claims)?;
    let params = match version {
        Version::V0 => JoinParams::v0(&query)?,
        Version::V1 => JoinParams::v1(&query)?,
    };
    check_params(&claims, &params)?;
    let config = room_config::of_token(gateway, &claims)?;
    Ok(Admission { room, claims, params, config })
}

impl Admission {
    /// A page token opens no door that is not open to everybody.
    pub(super) fn credential(&self) -> Credential {
        match grants::kind(&self.claims) {
            _ if self.claims.odeon_page => Credential::Public,
            // It comes for those who are there: nobody has to go because of it.
            ParticipantKind::Agent => Credential::Invitation,
            _ => Credential::Token,
        }
    }

    /// Who they are.
    pub(super) fn identity(&self) -> Identity {
        Identity::token(self.claims.participant_identity())
    }

    /// Which session they want to go on with. Its sid alone, which everybody in the room knows, opens nothing.
    pub(super) fn resume_ticket(&self, resume: &Resume) -> ResumeTicket {
        ResumeTicket {
            identity: self.identity(),
            sid: ParticipantSid::new(resume.participant_sid.as_str()),
            credential: self.credential(),
        }
    }

    /// What the room is told.
    pub(super) fn ticket(self, gateway: &Gateway, address: Option<IpAddr>) -> JoinTicket {
        let (credential, identity) = (self.credential(), self.identity());
        let Self { claims, params, config, .. } = self;
        let mut attributes = claims.attributes.clone();
        attributes.extend(params.attributes);
        let join = Join {
            session: gateway.registry().next_session(),
            identity,
            name: claims.name.clone(),
            metadata: if params.metadata.is_empty() { claims.metadata.clone() } else { params.metadata },
            attributes,
            permission: grants::permission(&claims),
            kind: grants::kind(&claims),
            client: params.client,
            mode: params.mode,
            transport: Default::default(),
            auto_subscribe: params.auto_subscribe,
            auto_subscribe_data: params.auto_subscribe_data,
            may_pause: params.may_pause,
            tracks: params.tracks,
            offer: params.offer,
        };
        JoinTicket { join, credential, address, config: config.map(Box::new) }
    }
}

/// Rust, Python and Node send the token in the header, browsers in the query.
fn verified(gateway: &Gateway, query: &Query<'_>, headers: &HeaderMap) -> Result<Claims, Refusal> {
    let token = bearer(headers).or_else(|| query.get("access_token"));
    let token = token.ok_or(Refusal::unauthorized("permissions denied"))?;
    let claims = auth::verify(token, &gateway.inner.keys, clock::unix_s())
        .map_err(|error| Refusal::unauthorized(format!("invalid authorization token: {error}")))?;
    if claims.video.room_join { Ok(claims) } else { Err(Refusal::unauthorized("permissions denied")) }
}

/// v0's second connection of somebody, which only publishes (livekit.md 2.1): a participant of its own.
fn publish_only(claims: &mut Claims, query: &Query<'_>) -> Result<(), Refusal> {
    let Some(name) = query.get("publish") else { return Ok(()) };
    if claims.video.can_publish == Some(false) {
        return Err(Refusal::unauthorized("permissions denied"));
    }
    // A token that we gave it says so already.
    let (own, suffix) = (claims.participant_identity(), format!("#{name}"));
    if !own.is_empty() && !own.ends_with(&suffix) {
        claims.sub = format!("{own}{suffix}");
    }
    claims.video.can_subscribe = Some(false);
    Ok(())
}

/// The token's room; a token for any room leaves it to the query.
fn room_of(claims: &Claims, query: &Query<'_>) -> Result<String, Refusal> {
    let room = if claims.video.room.is_empty() { query.get("room").unwrap_or_default() } else { &claims.video.room };
    match room.len() {
        0 => Err(Refusal::bad_request("no room name")),
        1..=MAX_NAME_BYTES => Ok(room.to_owned()),
        _ => Err(Refusal::bad_request("room name exceeds limits")),
    }
}

fn check_identity(claims: &Claims) -> Result<(), Refusal> {
    match claims.participant_identity().len() {
        0 => Err(Refusal::bad_request("identity cannot be empty")),
        1..=MAX_NAME_BYTES => Ok(()),
        _ => Err(Refusal::bad_request("identity exceeds limits")),
    }
}

fn check_params(claims: &Claims, params: &JoinParams) -> Result<(), Refusal> {
    let own_words = !params.metadata.is_empty() || !params.attributes.is_empty();
    if own_words && claims.video.can_update_own_metadata != Some(true) {
        return Err(Refusal::unauthorized("permissions denied: canUpdateOwnMetadata is needed"));
    }
    Ok(())
}
