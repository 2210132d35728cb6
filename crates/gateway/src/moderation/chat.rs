//! The chat's log: read by whoever may read the room, tidied by operators.

use super::Refusal;
use super::orders::order;
use crate::Gateway;
use crate::client::{ClientAddress, household};
use crate::operator::Operator;
use crate::reading::may_read;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use room::{ChatMessage, Moderation, Origin};
use serde_json::{Value, json};
use std::time::Instant;
use wire::livekit::query::Query;

/// Messages in an answer, if no other number is asked for.
const DEFAULT_MESSAGES: usize = 100;

/// Most messages in an answer.
const MAX_MESSAGES: usize = 500;

/// `GET /api/rooms/:room/chat[?limit=N]` → `[{"id","at","identity","name","text"}]`, oldest first. `at`: Unix milliseconds.
/// For a token room with a token for it, or an operator's, in `Authorization`; to others there is no such room.
pub(super) async fn read(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    Path(room): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !gateway.inner.readers.0.spend(household(address), Instant::now()) {
        return Err(Refusal::TooOften);
    }
    if !may_read(&gateway, &room, &headers) {
        return Err(Refusal::NoSuchRoom);
    }
    let limit = limit(&query.unwrap_or_default());
    let said = gateway.registry().chat_history(&room, limit).await.map_err(|error| {
        tracing::warn!(%error, "a room's chat could not be read");
        Refusal::NotReadable
    })?;
    let messages: Vec<_> = said.iter().map(|message| shown(message)).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(messages)).into_response())
}

fn limit(query: &str) -> usize {
    let asked = Query::parse(query).get("limit").and_then(|number| number.parse().ok());
    asked.unwrap_or(DEFAULT_MESSAGES).min(MAX_MESSAGES)
}

fn shown(message: &ChatMessage) -> Value {
    json!({
        "id": &*message.id,
        "at": message.at_ms,
        "identity": &*message.author.seen_from(Origin::Token),
        "name": message.name,
        "text": message.text,
    })
}

/// `DELETE /api/rooms/:room/chat/:id`
pub(super) async fn remove(
    _: Operator,
    State(gateway): State<Gateway>,
    Path((room, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    order(&gateway, &room, Moderation::DeleteMessage { id }).await
}

/// `DELETE /api/rooms/:room/chat`
pub(super) async fn clear(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(room): Path<String>,
) -> Result<Response, Refusal> {
    order(&gateway, &room, Moderation::ClearChat).await
}
