//! The bus by HTTP: stored messages (E-14) and the video webhook (E-15). Pages of any origin may read all of it (E-19).

use super::limits::{MAX_HISTORY_BYTES, MAX_VIDEO_BYTES};
use super::log::Wanted;
use super::{Elektron, frames, log};
use crate::Gateway;
use crate::client::{ClientAddress, bearer, household};
use crate::clock;
use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use room::limits::MAX_NAME_BYTES;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::net::IpAddr;
use std::time::Instant;
use store::{Record, StoreError};
use wire::elektron::message;
use wire::livekit::query::Query;

/// The room of a video that names none.
const VIDEO_ROOM: &str = "elektron";

/// Why there is no answer. The texts are the original server's.
pub(super) enum Refusal {
    NoAccess,
    TooOften,
    NoSecret,
    NoPayload,
    NoSuchRoom,
    Busy,
    Store(StoreError),
}

/// `GET /messages?secret=S[&type=T][&channel=C]`
pub(super) async fn messages(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = query.unwrap_or_default();
    let query = Query::parse(&query);
    let elektron = gateway.elektron();
    check_secret(elektron, address, query.get("secret"))?;
    let own = token_room(&gateway, &headers);
    let may = |room: &str| room.is_empty() || elektron.registry.is_open(room) || own.as_deref() == Some(room);
    let _seat = elektron.readers.try_acquire().map_err(|_| Refusal::Busy)?;
    let records = log::messages(elektron, &wanted(&query), may).await.map_err(Refusal::Store)?;
    Ok(json_array(&records))
}

/// `GET /messages/clear?secret=S`
pub(super) async fn clear(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = query.unwrap_or_default();
    let elektron = gateway.elektron();
    check_secret(elektron, address, Query::parse(&query).get("secret"))?;
    let may = |room: &str| room.is_empty() || elektron.registry.is_open(room);
    let messages = log::clear(elektron, may).await.map_err(Refusal::Store)?;
    tracing::info!(messages, "the bus's stored messages were cleared by an operator");
    Ok(json_array(&[]))
}

/// `GET /history[?type=T][&channel=C]`: what everybody may know, the newest of it.
pub(super) async fn history(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let elektron = gateway.elektron();
    if !elektron.guests.spend(household(address), Instant::now()) {
        return Err(Refusal::TooOften);
    }
    let query = query.unwrap_or_default();
    let may = |room: &str| room.is_empty() || elektron.registry.is_open(room);
    let _seat = elektron.readers.try_acquire().map_err(|_| Refusal::Busy)?;
    let records = log::messages(elektron, &wanted(&Query::parse(&query)), may).await.map_err(Refusal::Store)?;
    Ok(json_array(newest(&records)))
}

/// `POST /webhooks/video?secret=S`, E-15.
pub(super) async fn video(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let elektron = gateway.elektron();
    if !is_json(&headers) {
        return Err(Refusal::NoPayload);
    }
    let query = query.unwrap_or_default();
    let query = Query::parse(&query);
    let secret = query.get("secret").ok_or(Refusal::NoSecret)?;
    check_secret(elektron, address, Some(secret))?;
    let body = to_bytes(body, MAX_VIDEO_BYTES).await.map_err(|_| Refusal::NoPayload)?;
    let received: &RawValue = serde_json::from_slice(&body).map_err(|_| Refusal::NoPayload)?;
    announce(elektron, received).await?;
    let answer = format!("{{\"status\":200,\"received\":{received}}}");
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

/// Stored and sent; what can't be stored is sent.
async fn announce(elektron: &Elektron, video: &RawValue) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Named {
        channel: String,
    }
    let named = serde_json::from_str(video.get()).map(|Named { channel }| channel);
    let fits = |name: &String| (1..=MAX_NAME_BYTES).contains(&name.len());
    let room = named.ok().filter(fits).unwrap_or_else(|| VIDEO_ROOM.to_owned());
    if !elektron.registry.is_open(&room) {
        return Err(Refusal::NoSuchRoom);
    }
    let message = message::stored(&frames::stamp(), "VIDEO", &room, video.get());
    if let Err(error) = log::keep(elektron, &room, "VIDEO", message.clone().into()).await {
        tracing::warn!(%error, "a video webhook's message could not be stored");
    }
    elektron.hub.post(Some(room.into()), frames::text(&message)).await;
    Ok(())
}

/// Only failures cost something; who has failed too often is not even heard.
fn check_secret(elektron: &Elektron, address: IpAddr, guess: Option<&str>) -> Result<(), Refusal> {
    let (address, now) = (household(address), Instant::now());
    if !elektron.failures.has(&address, now) {
        return Err(Refusal::TooOften);
    }
    let secret = elektron.config.secret.as_ref();
    if secret.zip(guess).is_some_and(|(secret, guess)| secret.is(guess)) {
        return Ok(());
    }
    elektron.failures.spend(address, now);
    Err(Refusal::NoAccess)
}

fn wanted(query: &Query<'_>) -> Wanted {
    Wanted { room: query.get("channel").map(str::to_owned), kind: query.get("type").map(str::to_owned) }
}

/// The room of a token that came along.
fn token_room(gateway: &Gateway, headers: &HeaderMap) -> Option<String> {
    let claims = auth::verify(bearer(headers)?, &gateway.inner.keys, clock::unix_s()).ok()?;
    let counts = claims.video.room_join && claims.video.may_subscribe() && !claims.odeon_page;
    counts.then_some(claims.video.room)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let empty = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    !empty && (kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json"))
}

fn newest(records: &[Record]) -> &[Record] {
    let mut bytes = 0;
    let fits = |record: &&Record| {
        bytes += record.value.len();
        bytes <= MAX_HISTORY_BYTES
    };
    let count = records.iter().rev().take_while(fits).count();
    &records[records.len() - count..]
}

fn json_array(records: &[Record]) -> Response {
    let mut body = Vec::with_capacity(records.iter().map(|record| record.value.len() + 1).sum::<usize>() + 2);
    message::array(&mut body, records.iter().map(|record| &*record.value));
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NoAccess => (StatusCode::FORBIDDEN, "No access"),
            Self::NoSecret => (StatusCode::FORBIDDEN, "No ?secret="),
            Self::NoPayload => (StatusCode::FORBIDDEN, "No application/json payload"),
            Self::NoSuchRoom => (StatusCode::NOT_FOUND, "there is no such room"),
            Self::TooOften => (StatusCode::TOO_MANY_REQUESTS, "too many requests from your address"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "too many requests at a time"),
            Self::Store(error) => {
                tracing::warn!(%error, "stored messages could not be read");
                (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
            }
        };
        let mut response = (status, text).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
