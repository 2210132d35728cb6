//! `POST /api/rooms/:room/join {"name"}` → a token to join with.
//!
//! For everybody where the room is open; where it isn't, for those who bring an invitation, and for the others there is
//! no such room.

use crate::client::{ClientAddress, Secure, bearer};
use crate::rooms::{Credential, JoinError};
use crate::{Gateway, clock, draw};
use auth::mint::{self, PAGE_TOKEN_TTL_S};
use auth::origin::{WebOrigin, is_allowed};
use auth::{Claims, TokenError, VideoGrant};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use room::limits::MAX_NAME_BYTES;
use serde::Deserialize;
use serde_json::json;
use std::net::IpAddr;

/// Longest body: a name, and room for whatever a later page adds.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// Phoenix's transports under `/room`: such a room's page would be unreachable.
pub(super) const REFUSED_NAMES: [&str; 4] = ["websocket", "longpoll", ".", ".."];

/// Why there is no token. The texts are for people.
enum Refusal {
    ForeignOrigin,
    TooOften,
    BadRoom,
    BadName,
    NoSuchRoom,
    Banned,
    BadInvitation,
    OtherRoom,
    Busy(&'static str),
    NoKey,
}

#[derive(Deserialize)]
struct Question {
    name: String,
}

/// A token and who it makes of one.
struct Pass {
    token: String,
    identity: String,
}

pub(super) async fn join(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    Secure(secure): Secure,
    Path(room): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // The cheapest refusals first; the body is read only when there is a use for it.
    if !from_own_page(&gateway, &headers, secure) {
        return Refusal::ForeignOrigin.into_response();
    }
    if !gateway.inner.guests.admit(address) {
        return Refusal::TooOften.into_response();
    }
    match answer(&gateway, &room, (&headers, address), body).await {
        Ok(pass) => {
            let body = Json(json!({ "token": pass.token, "identity": pass.identity, "room": room }));
            ([(header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// the endpoint asks for nothing but being on our page.
fn from_own_page(gateway: &Gateway, headers: &HeaderMap, secure: bool) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let own = text(header::HOST).and_then(|host| WebOrigin::from_host(host, secure));
    is_allowed(text(header::ORIGIN), own.as_ref(), &gateway.inner.origins)
}

async fn answer(
    gateway: &Gateway,
    room: &str,
    (headers, address): (&HeaderMap, IpAddr),
    body: Body,
) -> Result<Pass, Refusal> {
    check_room_name(room)?;
    let name = read_name(body).await?;
    match bearer(headers) {
        Some(invitation) => invited(gateway, room, (invitation, address), name).await,
        None => uninvited(gateway, room, address, &name).await,
    }
}

fn check_room_name(room: &str) -> Result<(), Refusal> {
    let fits = !room.is_empty() && room.len() <= MAX_NAME_BYTES && !room.chars().any(char::is_control);
    if fits && !REFUSED_NAMES.contains(&room) { Ok(()) } else { Err(Refusal::BadRoom) }
}

async fn read_name(body: Body) -> Result<String, Refusal> {
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Refusal::BadName)?;
    let question: Question = serde_json::from_slice(&body).map_err(|_| Refusal::BadName)?;
    let name = question.name.trim();
    let fits = !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(Refusal::BadName) }
}

async fn uninvited(gateway: &Gateway, room: &str, address: IpAddr, name: &str) -> Result<Pass, Refusal> {
    check_door(gateway, room, Credential::Public, address).await?;
    let identity = draw::name("guest-");
    let token = mint::page_token(&gateway.inner.keys, clock::unix_s(), room, &identity, name);
    Ok(Pass { token: token.map_err(|_| Refusal::NoKey)?, identity })
}

/// The invitation is a token for this room; what comes back is the same for ten minutes, under the name that was
/// typed, and never administers. It isn't one that anybody can get, so it counts as a token.
async fn invited(
    gateway: &Gateway,
    room: &str,
    (invitation, address): (&str, IpAddr),
    name: String,
) -> Result<Pass, Refusal> {
    let keys = &gateway.inner.keys;
    let now = clock::unix_s();
    let claims = auth::verify(invitation, keys, now).map_err(|_: TokenError| Refusal::BadInvitation)?;
    if claims.odeon_page || !claims.video.room_join {
        return Err(Refusal::BadInvitation);
    }
    if claims.video.room != room {
        return Err(Refusal::OtherRoom);
    }
    check_door(gateway, room, Credential::Token, address).await?;
    let claims = narrowed(claims, name, now);
    let identity = claims.participant_identity().to_owned();
    let token = auth::sign(&claims, keys).map_err(|_| Refusal::NoKey)?;
    Ok(Pass { token, identity })
}

fn narrowed(invitation: Claims, name: String, now: u64) -> Claims {
    let identity = match invitation.participant_identity() {
        "" => draw::name("guest-"),
        fixed => fixed.to_owned(),
    };
    let video = VideoGrant {
        room_admin: false,
        room_create: false,
        room_list: false,
        room_record: false,
        ingress_admin: false,
        ..invitation.video
    };
    Claims { sub: identity, name, exp: invitation.exp.min(now.saturating_add(PAGE_TOKEN_TTL_S)), video, ..invitation }
}

async fn check_door(gateway: &Gateway, room: &str, credential: Credential, address: IpAddr) -> Result<(), Refusal> {
    let door = gateway.registry().check(room, credential, None, Some(address));
    door.await.map_err(|error| match error {
        JoinError::Banned => Refusal::Banned,
        JoinError::Draining => Refusal::Busy("the server is closing"),
        JoinError::TooManyRooms | JoinError::RoomFull | JoinError::Overloaded => Refusal::Busy("the server is full"),
        JoinError::BadName => Refusal::BadRoom,
        JoinError::NoSuchRoom | JoinError::Refused(_) | JoinError::Gone => Refusal::NoSuchRoom,
    })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "this page is not ours"),
            Self::TooOften => (StatusCode::TOO_MANY_REQUESTS, "too many requests from your address"),
            Self::BadRoom => (StatusCode::BAD_REQUEST, "a room cannot have this name"),
            Self::BadName => (StatusCode::BAD_REQUEST, "a name is needed, of 256 bytes at most"),
            Self::NoSuchRoom => (StatusCode::NOT_FOUND, "there is no such room"),
            Self::Banned => (StatusCode::FORBIDDEN, "you are banned from this room"),
            Self::BadInvitation => (StatusCode::UNAUTHORIZED, "the invitation is not valid"),
            Self::OtherRoom => (StatusCode::FORBIDDEN, "the invitation is for another room"),
            Self::Busy(text) => (StatusCode::SERVICE_UNAVAILABLE, text),
            Self::NoKey => (StatusCode::INTERNAL_SERVER_ERROR, "the server has no API key"),
        };
        let mut response = (status, Json(json!({ "error": text }))).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from_static("5"));
        }
        response
    }
}
