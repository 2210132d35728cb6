//! A room's rules, and what is asked of it.

use super::{Refusal, done};
use crate::Gateway;
use crate::operator::Operator;
use crate::rooms::{Credential, JoinError, RoomGone, RoomHandle};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use room::{Banned, ChatRules, Moderation, Origin};
use serde::Deserialize;
use serde_json::{Value, json};

/// Rules as they are to be; what is left out stays as it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rules {
    closed: Option<bool>,
    slow_mode_s: Option<u32>,
}

/// `PUT /api/rooms/:room/chat-rules {"closed":bool,"slowModeS":seconds}`
pub(super) async fn set_rules(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(room): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let wanted: Rules = serde_json::from_slice(&body).map_err(|_| Refusal::BadBody)?;
    let now = rules(&gateway, &room).await?;
    let rules = ChatRules {
        closed: wanted.closed.unwrap_or(now.closed),
        slow_mode_s: wanted.slow_mode_s.unwrap_or(now.slow_mode_s),
    };
    order(&gateway, &room, Moderation::SetRules(rules)).await
}

async fn rules(gateway: &Gateway, room: &str) -> Result<ChatRules, Refusal> {
    let orders = handle(gateway, room).await?.orders().await;
    orders.map(|orders| orders.rules).map_err(|RoomGone| Refusal::NoSuchRoom)
}

/// `GET /api/rooms/:room/moderation` → the chat's rules, who is muted and who is banned here.
pub(super) async fn in_force(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(room): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let orders = handle(&gateway, &room).await?.orders().await.map_err(|RoomGone| Refusal::NoSuchRoom)?;
    let muted: Vec<_> = orders.muted.iter().map(|identity| identity.seen_from(Origin::Token).to_string()).collect();
    Ok(Json(json!({
        "closed": orders.rules.closed,
        "closedByEvent": orders.closed_by_event,
        "slowModeS": orders.rules.slow_mode_s,
        "muted": muted,
        "banned": orders.bans.iter().map(|banned| name_of(&banned)).collect::<Vec<_>>(),
    })))
}

/// As [`super::people`] reads it.
pub(super) fn name_of(banned: &Banned) -> String {
    match banned {
        Banned::Identity(identity) => identity.seen_from(Origin::Token).to_string(),
        Banned::Address(address) => format!("address:{address}"),
    }
}

/// Asks a room, which begins if it does not live: what holds there holds when somebody comes.
pub(super) async fn order(gateway: &Gateway, room: &str, request: Moderation) -> Result<Response, Refusal> {
    tracing::info!(room, what = kind_of(&request), "an operator moderates");
    match handle(gateway, room).await?.moderate(request).await {
        Ok(answer) => answer.map(|()| done()).map_err(Refusal::from),
        Err(RoomGone) => Err(Refusal::NoSuchRoom),
    }
}

/// For the log, where nobody's address belongs.
fn kind_of(request: &Moderation) -> &'static str {
    match request {
        Moderation::DeleteMessage { .. } => "delete a message",
        Moderation::ClearChat => "clear the chat",
        Moderation::SetRules(_) => "set the chat's rules",
        Moderation::Mute { muted: true, .. } => "mute",
        Moderation::Mute { muted: false, .. } => "unmute",
        Moderation::Ban(_) => "ban",
        Moderation::Unban(_) => "unban",
    }
}

/// A room's task, whoever may come into it.
pub(super) async fn handle(gateway: &Gateway, room: &str) -> Result<RoomHandle, Refusal> {
    let opened = gateway.registry().open(room, Credential::Invitation, None).await;
    opened.map_err(|_: JoinError| Refusal::NoSuchRoom)
}
