//! What a room is made with, where a token (`roomPreset`, `roomConfig`) or CreateRoom says something of it.

use super::admission::Refusal;
use crate::Gateway;
use auth::Claims;
use room::RoomConfig;
use serde_json::Value;
use wire::livekit::proto::RoomConfiguration;
use wire::livekit::room_configuration::{configured, from_json};

/// `said` over the preset over the settings; none if no preset has that name.
pub(super) fn said(gateway: &Gateway, preset: &str, said: RoomConfiguration) -> Option<RoomConfig> {
    let defaults = gateway.registry().room_defaults();
    let base = match preset {
        "" => defaults.clone(),
        name => configured(gateway.inner.presets.get(name)?.clone(), defaults),
    };
    Some(configured(said, &base))
}

/// What the token says; none if it says nothing.
pub(super) fn of_token(gateway: &Gateway, claims: &Claims) -> Result<Option<RoomConfig>, Refusal> {
    let preset = claims.extra.get("roomPreset").and_then(Value::as_str).unwrap_or_default();
    let own = match claims.extra.get("roomConfig") {
        None | Some(Value::Null) if preset.is_empty() => return Ok(None),
        None | Some(Value::Null) => RoomConfiguration::default(),
        Some(value) => from_json(value.clone())
            .map_err(|error| Refusal::bad_request(format!("the token's roomConfig can't be read: {error}")))?,
    };
    said(gateway, preset, own).map(Some).ok_or_else(|| Refusal::bad_request("unknown room preset"))
}
