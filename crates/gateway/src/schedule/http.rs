//! The schedule for everybody, of whatever origin.

use super::listing::listing;
use super::{Schedule, now};
use crate::Gateway;
use crate::client::{ClientAddress, household};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::SemaphorePermit;
use wire::calendar::{Event, Question};
use wire::ics;

/// What the calendars call themselves.
const NAME: &str = "Odeon";

/// Readers may keep an answer for so long: what is on changes by the minute.
const CACHE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "public, max-age=10")];

/// `GET /api/schedule`
pub(super) async fn schedule(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
) -> Result<Response, Response> {
    let schedule = &gateway.inner.schedule;
    let (events, _seat) = read(schedule, address).await?;
    Ok((CACHE, Json(listing(&events, now(), schedule.zone))).into_response())
}

/// `GET /calendar/v3/calendars/<any>/events`, hidden events too: elektron's pages leave them out of lists themselves, and
/// need them for the pages of those who have the address.
pub(super) async fn google(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let schedule = &gateway.inner.schedule;
    let (events, _seat) = read(schedule, address).await?;
    let question = Question::parse(&query.unwrap_or_default(), schedule.zone)
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &error.to_string()))?;
    let answer = question.answer(events.iter(), now(), schedule.zone);
    Ok((CACHE, Json(answer.to_json(NAME))).into_response())
}

/// `GET /schedule.ics`, without hidden events.
pub(super) async fn ics(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
) -> Result<Response, Response> {
    let schedule = &gateway.inner.schedule;
    let (events, _seat) = read(schedule, address).await?;
    let shown = events.iter().filter(|event| !event.details.options.hidden());
    let calendar = ics::write(NAME, shown, now(), schedule.zone);
    Ok((CACHE, [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], calendar).into_response())
}

async fn read(schedule: &Schedule, address: IpAddr) -> Result<(Arc<Vec<Event>>, SemaphorePermit<'_>), Response> {
    if !schedule.readers.spend(household(address), Instant::now()) {
        return Err(refused(StatusCode::TOO_MANY_REQUESTS, "too many requests from your address"));
    }
    let busy = |_| refused(StatusCode::SERVICE_UNAVAILABLE, "too many requests at a time");
    let seat = schedule.seats.try_acquire().map_err(busy)?;
    schedule.load().await.map_err(|error| {
        tracing::warn!(%error, "the schedule could not be read from the store");
        refused(StatusCode::SERVICE_UNAVAILABLE, "the schedule could not be read, try again")
    })?;
    Ok((schedule.programme.events(), seat))
}

/// As Google's errors are, so that its readers find the text.
fn refused(status: StatusCode, text: &str) -> Response {
    let body: Value = json!({ "error": { "code": status.as_u16(), "message": text } });
    (status, Json(body)).into_response()
}
