//! People: muted, banned, removed; in one room, or in the whole house. Somebody is named as the server API names them: `alice`
//! with a token, `bus:mako` of the bus. In a ban `address:203.0.113.7` names whoever comes from there.

use super::orders::{handle, name_of, order};
use super::{Refusal, done};
use crate::Gateway;
use crate::operator::Operator;
use crate::rooms::RoomGone;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use room::{Banned, Identity, Moderation};
use serde_json::{Value, json};

/// `PUT /api/rooms/:room/mutes/:identity`
pub(super) async fn mute(
    _: Operator,
    State(gateway): State<Gateway>,
    Path((room, identity)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let identity = Identity::named_by_token(&identity);
    order(&gateway, &room, Moderation::Mute { identity, muted: true }).await
}

/// `DELETE /api/rooms/:room/mutes/:identity`
pub(super) async fn unmute(
    _: Operator,
    State(gateway): State<Gateway>,
    Path((room, identity)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let identity = Identity::named_by_token(&identity);
    order(&gateway, &room, Moderation::Mute { identity, muted: false }).await
}

/// `PUT /api/rooms/:room/bans/:who`
pub(super) async fn ban(
    _: Operator,
    State(gateway): State<Gateway>,
    Path((room, who)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    order(&gateway, &room, Moderation::Ban(banned(&who)?)).await
}

/// `DELETE /api/rooms/:room/bans/:who`
pub(super) async fn unban(
    _: Operator,
    State(gateway): State<Gateway>,
    Path((room, who)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    order(&gateway, &room, Moderation::Unban(banned(&who)?)).await
}

/// `DELETE /api/rooms/:room/participants/:identity`: they may come again.
pub(super) async fn remove(
    _: Operator,
    State(gateway): State<Gateway>,
    Path((room, identity)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    tracing::info!(room, identity, "an operator removes somebody");
    let there = handle(&gateway, &room).await?.remove(Identity::named_by_token(&identity)).await;
    match there {
        Ok(true) => Ok(done()),
        Ok(false) => Err(Refusal::NoSuchPerson),
        Err(RoomGone) => Err(Refusal::NoSuchRoom),
    }
}

/// `GET /api/bans` → `["alice","bus:mako","address:203.0.113.7"]`
pub(super) async fn house_bans(_: Operator, State(gateway): State<Gateway>) -> Json<Value> {
    let bans = gateway.registry().bans().await;
    Json(json!(bans.iter().map(|banned| name_of(&banned)).collect::<Vec<_>>()))
}

/// `PUT /api/bans/:who`
pub(super) async fn house_ban(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(who): Path<String>,
) -> Result<Response, Refusal> {
    tracing::info!("an operator bans somebody from every room");
    gateway.registry().ban(banned(&who)?).await?;
    Ok(done())
}

/// `DELETE /api/bans/:who`
pub(super) async fn house_unban(
    _: Operator,
    State(gateway): State<Gateway>,
    Path(who): Path<String>,
) -> Result<Response, Refusal> {
    gateway.registry().unban(banned(&who)?).await?;
    Ok(done())
}

fn banned(who: &str) -> Result<Banned, Refusal> {
    match who.strip_prefix("address:") {
        Some(address) => {
            let address = address.parse().map_err(|_| Refusal::BadAddress)?;
            Ok(Banned::Address(address).normal())
        }
        None => Ok(Banned::Identity(Identity::named_by_token(who))),
    }
}
