//! Text and people, moderated in one place for every gateway (docs/moderation.md): what operators ask by HTTP, and the chat's
//! log for whoever may read the room.

mod chat;
mod orders;
mod people;

use crate::Gateway;
use crate::budget::{Budgets, Rate};
use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, put};
use http::StatusCode;
use room::ModerationError;
use serde_json::json;
use std::net::IpAddr;

/// Readings of a chat at once from one address, and then a second: a class behind one router opens the page together.
const READING: Rate = Rate { burst: 60.0, per_s: 2.0 };

/// Addresses that are remembered: 65,536 of them are about 4 MiB.
const MAX_ADDRESSES: usize = 65_536;

/// Everybody's budget of readings.
#[derive(Debug)]
pub(crate) struct Readers(Budgets<IpAddr>);

impl Default for Readers {
    fn default() -> Self {
        Self(Budgets::new(READING, MAX_ADDRESSES))
    }
}

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/api/rooms/{room}/chat", get(chat::read).delete(chat::clear))
        .route("/api/rooms/{room}/chat/{id}", delete(chat::remove))
        .route("/api/rooms/{room}/chat-rules", put(orders::set_rules))
        .route("/api/rooms/{room}/moderation", get(orders::in_force))
        .route("/api/rooms/{room}/mutes/{identity}", put(people::mute).delete(people::unmute))
        .route("/api/rooms/{room}/bans/{who}", put(people::ban).delete(people::unban))
        .route("/api/rooms/{room}/participants/{identity}", delete(people::remove))
        .route("/api/bans", get(people::house_bans))
        .route("/api/bans/{who}", put(people::house_ban).delete(people::house_unban))
}

/// Why something was not done. The texts are for people.
#[derive(Debug)]
enum Refusal {
    TooOften,
    NoSuchRoom,
    NoSuchPerson,
    BadBody,
    BadAddress,
    NotReadable,
    Order(ModerationError),
}

impl From<ModerationError> for Refusal {
    fn from(error: ModerationError) -> Self {
        Self::Order(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::TooOften => (StatusCode::TOO_MANY_REQUESTS, "too many requests from your address".to_owned()),
            Self::NoSuchRoom => (StatusCode::NOT_FOUND, "there is no such room".to_owned()),
            Self::NoSuchPerson => (StatusCode::NOT_FOUND, "nobody of that identity is in the room".to_owned()),
            Self::BadBody => {
                (StatusCode::BAD_REQUEST, r#"the body must be JSON: {"closed":bool,"slowModeS":seconds}"#.to_owned())
            }
            Self::BadAddress => (StatusCode::BAD_REQUEST, "after address: an IP address is needed".to_owned()),
            Self::NotReadable => (StatusCode::SERVICE_UNAVAILABLE, "the chat could not be read, try again".to_owned()),
            Self::Order(error) => (status_of(error), error.to_string()),
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}

fn status_of(error: ModerationError) -> StatusCode {
    match error {
        ModerationError::NotFound => StatusCode::NOT_FOUND,
        ModerationError::Full => StatusCode::CONFLICT,
        ModerationError::TooSlow => StatusCode::BAD_REQUEST,
        ModerationError::NotKept => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Something was done.
fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
