//! The web page, and the tokens that it joins with (product.md, «Page token»).

mod files;
pub(crate) mod guests;
mod join;

use crate::Gateway;
use crate::not_found::not_found;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/assets/{*path}", get(asset))
        .route("/api/rooms/{room}/join", post(join::join))
        // A room called as a gateway's path (`rtc`…) has its page here.
        .route("/room/{name}", get(room_page))
        .route("/room/{name}/statistics", get(statistics_page))
        .route("/{room}/statistics", get(statistics_page))
        .route("/{room}", get(file_or_page))
}

/// The page for browsers, for others the health of the server (livekit.md 2.1).
pub(crate) async fn home(State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    if wants_html(&headers) {
        return files::index();
    }
    if gateway.registry().is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining").into_response();
    }
    "OK".into_response()
}

async fn asset(Path(path): Path<String>) -> Response {
    files::file(&format!("assets/{path}")).unwrap_or_else(not_found)
}

/// `websocket` and `longpoll` are Phoenix's under `/room`.
async fn room_page(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let page = wants_html(&headers) && !join::REFUSED_NAMES.contains(&name.as_str());
    if page { files::index() } else { not_found() }
}

/// A room's audience in numbers (E-37).
async fn statistics_page(headers: HeaderMap) -> Response {
    if wants_html(&headers) { files::index() } else { not_found() }
}

async fn file_or_page(Path(room): Path<String>, headers: HeaderMap) -> Response {
    match files::file(&room) {
        Some(file) => file,
        None if wants_html(&headers) => files::index(),
        None => not_found(),
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.into_iter().any(|value| value.contains("text/html"))
}
