//! `GET /api/rooms/:room/statistics[?format=csv][&limit=N]`: as readable as the room (E-37).

use super::STATISTICS;
use super::series::POINT_MS;
use crate::Gateway;
use crate::client::{ClientAddress, household};
use crate::reading::may_read;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Instant;
use store::limits::MAX_PAGE;
use store::{Log, Span};
use wire::livekit::query::Query;

/// Points in an answer, if no other number is asked for: an hour.
const DEFAULT_POINTS: usize = 360;

pub(super) async fn read(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    Path(room): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let audience = &gateway.inner.audience;
    if !audience.readers.spend(household(address), Instant::now()) {
        return refused(StatusCode::TOO_MANY_REQUESTS, "too many requests from your address");
    }
    if !may_read(&gateway, &room, &headers) {
        return refused(StatusCode::NOT_FOUND, "there is no such room");
    }
    let query = query.unwrap_or_default();
    let query = Query::parse(&query);
    let limit = query.get("limit").and_then(|number| number.parse().ok()).unwrap_or(DEFAULT_POINTS).min(MAX_PAGE);
    let records = match audience.store.read(&Log::new(STATISTICS, &*room), Span::newest(limit)).await {
        Ok(records) => records,
        Err(error) => {
            tracing::warn!(%error, "a room's statistics could not be read");
            return refused(StatusCode::SERVICE_UNAVAILABLE, "the statistics could not be read, try again");
        }
    };
    let points: Vec<Value> = records.iter().filter_map(|record| serde_json::from_slice(&record.value).ok()).collect();
    if query.get("format") == Some("csv") {
        let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
        return (kind, csv(&points)).into_response();
    }
    let body = Json(json!({ "intervalMs": POINT_MS, "points": points }));
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn csv(points: &[Value]) -> String {
    let mut text = "at,people,faces,brightness,motion,colour\n".to_owned();
    for point in points {
        let cell = |name: &str| match &point[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let cells = ["at", "people", "faces", "brightness", "motion", "colour"].map(cell);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", cells.join(","));
    }
    text
}

fn refused(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}
