//! Sounds and pictures by sealed links, which end after a time; parts of them for players (C-19, C-21).

use super::super::Castaway;
use super::super::limits::LINK_TTL_S;
use super::super::records::Kept;
use super::Failure;
use crate::not_found::not_found;
use crate::{Gateway, clock};
use ::auth::seal;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, StatusCode, header};
use std::sync::Arc;
use wire::castaway::range::{self, Wanted};

/// What links are sealed for.
const LINK: &str = "castaway.file";

/// Links end at whole hours, so that a picture has the same one for a while and is cached.
const HOUR_S: u64 = 3600;

/// A link to a file, without what comes before it.
pub(super) fn link(castaway: &Castaway, kept: &Kept) -> Option<String> {
    let content = serde_json::to_string(kept).ok()?;
    let expires = (clock::unix_s() + LINK_TTL_S) / HOUR_S * HOUR_S;
    seal::seal(&castaway.keys, LINK, &content, expires).ok()
}

/// `GET /files/:link`
pub(super) async fn get(
    State(gateway): State<Gateway>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let castaway = gateway.castaway();
    let content = seal::open(&castaway.keys, LINK, &link, clock::unix_s());
    let kept = content.and_then(|content| serde_json::from_str::<Kept>(&content).ok());
    let (Some(kept), Some(vault)) = (kept, &castaway.vault) else { return Ok(not_found()) };
    let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, first, length) = match range::parse(asked, kept.bytes) {
        Wanted::Whole => (StatusCode::OK, 0, kept.bytes),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, *part.start(), part.end() - part.start() + 1),
        Wanted::Nothing => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{}", kept.bytes))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    let place = Arc::clone(&castaway.downloads).try_acquire_owned().map_err(|_| Failure::busy())?;
    match vault.read(&kept.file, first, length, place).await {
        Ok(body) => Ok(answer(status, &kept, first, length, body)),
        Err(_) => Ok(not_found()),
    }
}

fn answer(status: StatusCode, kept: &Kept, first: u64, length: u64, body: Body) -> Response {
    let mut headers: Vec<(HeaderName, String)> = vec![
        (header::CONTENT_TYPE, kept.mime.clone()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    if status == StatusCode::PARTIAL_CONTENT {
        headers.push((header::CONTENT_RANGE, format!("bytes {first}-{}/{}", first + length - 1, kept.bytes)));
    }
    let mut response = (status, body).into_response();
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
