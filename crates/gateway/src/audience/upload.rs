//! `POST /area51/_upload.php`: a picture in, the room's mosaic out (E-37).

use crate::Gateway;
use crate::client::{ClientAddress, household};
use crate::reading::may_read;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use room::limits::MAX_NAME_BYTES;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use worker::limits::MAX_DATA_URL_BYTES;
use worker::{PictureError, data_url};

/// Longest body: a picture to look at, a small one to show, and the names around them.
const MAX_BODY_BYTES: usize = MAX_DATA_URL_BYTES + 256 * 1024;

/// Longest name that a camera gives itself, in bytes: a UUID is 36.
const MAX_CAMERA_BYTES: usize = 128;

/// Bytes of a mosaic, the newest pictures.
const MAX_MOSAIC_BYTES: usize = 1024 * 1024;

/// As the original's page sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Upload {
    uuid: String,
    feed: String,
    img_scaled: String,
    #[serde(default)]
    img_full: Option<String>,
}

/// Why a picture is not taken.
enum Refusal {
    TooOften,
    TooLarge,
    Malformed,
    NoSuchRoom,
    NoAudience,
    Full,
    Picture(PictureError),
}

/// The body is JSON, whatever its content type says.
pub(super) async fn upload(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    body: Body,
) -> Response {
    let audience = &gateway.inner.audience;
    if !audience.uploaders.spend(household(address), Instant::now()) {
        return Refusal::TooOften.into_response();
    }
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else { return Refusal::TooLarge.into_response() };
    match take(&gateway, address, &body) {
        Ok(room) => Json(mosaic(&gateway, &room)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// `GET /api/rooms/:room/audience`: the mosaic for who only watches.
pub(super) async fn look(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    Path(room): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !gateway.inner.audience.uploaders.spend(household(address), Instant::now()) {
        return Refusal::TooOften.into_response();
    }
    match may_read(&gateway, &room, &headers) {
        true => ([(header::CACHE_CONTROL, "no-store")], Json(mosaic(&gateway, &room))).into_response(),
        false => Refusal::NoSuchRoom.into_response(),
    }
}

fn take(gateway: &Gateway, address: std::net::IpAddr, body: &Bytes) -> Result<Arc<str>, Refusal> {
    let upload: Upload = serde_json::from_slice(body).map_err(|_| Refusal::Malformed)?;
    let fits = |text: &str, most: usize| (1..=most).contains(&text.len()) && !text.chars().any(char::is_control);
    if !fits(&upload.uuid, MAX_CAMERA_BYTES) || !fits(&upload.feed, MAX_NAME_BYTES) {
        return Err(Refusal::Malformed);
    }
    let room: Arc<str> = upload.feed.into();
    let audience = &gateway.inner.audience;
    if !gateway.registry().is_open(&room) {
        return Err(Refusal::NoSuchRoom);
    }
    if !gateway.inner.schedule.has_audience(&room) {
        return Err(Refusal::NoAudience);
    }
    let shown = data_url(&upload.img_scaled).map_err(Refusal::Picture)?;
    let whole = upload.img_full.as_deref().map(data_url).transpose().map_err(Refusal::Picture)?;
    gateway.inner.founders.begin(&room, address, Instant::now()).map_err(|_| Refusal::Full)?;
    // No user of the bus has such a name: it is too long for one.
    let camera: Arc<str> = format!("upload:{}", upload.uuid).into();
    if !audience.show(&room, &camera, upload.img_scaled.into()) {
        return Err(Refusal::Full);
    }
    audience.look_at(&room, &camera, whole.unwrap_or(shown));
    Ok(room)
}

/// The room's newest pictures, as many as fit.
fn mosaic(gateway: &Gateway, room: &str) -> serde_json::Value {
    let mut bytes = 0;
    let mut tiles: Vec<_> = gateway.inner.audience.mosaic(room).into_iter().rev().collect();
    tiles.retain(|tile| {
        bytes += tile.len();
        bytes <= MAX_MOSAIC_BYTES
    });
    let images = tiles.iter().rev().map(|tile| json!({ "imgData": String::from_utf8_lossy(tile) }));
    json!({ "images": images.collect::<Vec<_>>() })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::TooOften => (StatusCode::TOO_MANY_REQUESTS, "too many pictures from your address".to_owned()),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large".to_owned()),
            Self::Malformed => {
                let shape = r#"JSON is expected: {"uuid","feed","imgScaled"[,"imgFull"]}"#;
                (StatusCode::BAD_REQUEST, shape.to_owned())
            }
            Self::NoSuchRoom => (StatusCode::NOT_FOUND, "there is no such room".to_owned()),
            Self::NoAudience => (StatusCode::FORBIDDEN, "the room has no live audience now".to_owned()),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, "there is no place for another picture".to_owned()),
            Self::Picture(PictureError::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, PictureError::TooLarge.to_string())
            }
            Self::Picture(error) => (StatusCode::BAD_REQUEST, error.to_string()),
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}
