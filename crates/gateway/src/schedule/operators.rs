//! The operators' events by HTTP.

use super::draft::{BadDraft, Draft};
use super::limits::MAX_DRAFT_BYTES;
use super::own::{Kept, NotChanged};
use super::{Schedule, status_of};
use crate::operator::Operator;
use crate::{Gateway, clock, draw};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;
use std::sync::Arc;
use store::StoreError;

/// Why it was not done.
pub(super) enum Refusal {
    TooLong,
    BadDraft(BadDraft),
    NotChanged(NotChanged),
}

impl From<NotChanged> for Refusal {
    fn from(error: NotChanged) -> Self {
        Self::NotChanged(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::NotChanged(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, format!("an event has {MAX_DRAFT_BYTES} bytes at most")),
            Self::BadDraft(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::NotChanged(error) => (status_of_change(&error), error.to_string()),
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}

fn status_of_change(error: &NotChanged) -> StatusCode {
    match error {
        NotChanged::NoSuchEvent => StatusCode::NOT_FOUND,
        NotChanged::Full => StatusCode::CONFLICT,
        NotChanged::Store(error) => status_of(error),
    }
}

/// `GET /api/schedule/events` → `{"events":[…]}`, each as it was written, with `id` and `changed` (Unix milliseconds).
pub(super) async fn list(_: Operator, State(gateway): State<Gateway>) -> Result<Response, Refusal> {
    let schedule = loaded(&gateway).await?;
    let events: Vec<_> = schedule.own.all();
    let events: Vec<&Kept> = events.iter().map(|kept| &**kept).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({ "events": events }))).into_response())
}

/// `GET /api/schedule/events/:id`
pub(super) async fn read(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let kept = loaded(&gateway).await?.own.get(&id).ok_or(NotChanged::NoSuchEvent)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!(*kept))).into_response())
}

/// `POST /api/schedule/events` → 201, and the event with its id.
pub(super) async fn create(_: Operator, State(gateway): State<Gateway>, body: Body) -> Result<Response, Refusal> {
    let draft = read_draft(&gateway, body).await?;
    let kept = Kept { id: draw::name("ev"), changed: clock::unix_ms(), draft };
    put(&gateway, kept, true).await.map(|kept| (StatusCode::CREATED, Json(json!(*kept))).into_response())
}

/// `PUT /api/schedule/events/:id`: the whole event, anew.
pub(super) async fn update(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let draft = read_draft(&gateway, body).await?;
    let kept = Kept { id, changed: clock::unix_ms(), draft };
    put(&gateway, kept, false).await.map(|kept| Json(json!(*kept)).into_response())
}

/// `DELETE /api/schedule/events/:id` → 204
pub(super) async fn delete(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let schedule = loaded(&gateway).await?;
    schedule.own.delete(&id).await?;
    tracing::info!(id, "an operator deletes an event");
    schedule.own_changed().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn put(gateway: &Gateway, kept: Kept, is_new: bool) -> Result<Arc<Kept>, Refusal> {
    let schedule = loaded(gateway).await?;
    let kept = schedule.own.put(kept, is_new).await?;
    tracing::info!(id = kept.id, title = kept.draft.title, is_new, "an operator writes an event");
    schedule.own_changed().await;
    Ok(kept)
}

async fn loaded(gateway: &Gateway) -> Result<&Schedule, Refusal> {
    let schedule = &gateway.inner.schedule;
    schedule.load().await?;
    Ok(schedule)
}

async fn read_draft(gateway: &Gateway, body: Body) -> Result<Draft, Refusal> {
    let body = to_bytes(body, MAX_DRAFT_BYTES).await.map_err(|_| Refusal::TooLong)?;
    Draft::parse(&body, gateway.inner.schedule.zone).map_err(Refusal::BadDraft)
}
