//! The REST of the phone app (C-15 to C-22), under `/api` and `/app/api`. Success is always exactly 200: the app takes any other status
//! for failure.

mod auth;
mod draft;
mod files;
mod form;
mod livestreams;
mod podcasts;
mod uploads;
mod users;

use super::Castaway;
use super::accounts::AccountError;
use super::who::Who;
use crate::Gateway;
use axum::Json;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use store::StoreError;
use tokio::time::timeout;
use wire::castaway::fields::{self, Fields, MAX_BODY_BYTES};
use wire::castaway::validate::{self, Checks, Fault};

/// A body that takes longer is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/livestreams", get(livestreams::list).post(livestreams::create))
        .route("/livestreams/{id}", get(livestreams::one).delete(livestreams::remove))
        .route("/auth/signup", post(auth::sign_up))
        .route("/auth/login", post(auth::log_in))
        .route("/auth/refreshToken", post(auth::refresh))
        .route("/users/info", post(users::info))
        .route("/users/creations", post(users::creations))
        .route("/users/favorites", post(users::favourites).put(users::add_favourite).delete(users::remove_favourite))
        .route("/users/displayName", put(users::rename))
        .route("/podcasts", get(podcasts::list).post(podcasts::create))
        .route("/podcasts/{id}", put(podcasts::update))
        .route("/podcasts/{id}/info", post(podcasts::info))
        .route("/podcasts/{id}/stream", post(podcasts::stream))
        .route("/podcasts/{id}/podcast", put(podcasts::replace_sound))
        .route("/podcasts/{id}/image", put(podcasts::replace_picture))
        .route("/podcasts/{id}/delete", post(podcasts::remove))
        .route("/uploads/podcasts", post(uploads::sound))
        .route("/uploads/podcasts/{id}", put(uploads::update_sound))
        .route("/uploads/podcasts/{id}/delete", post(uploads::remove))
        .route("/uploads/images", post(uploads::picture))
        .route("/uploads/images/{id}", put(uploads::update_picture))
        .route("/uploads/images/{id}/delete", post(uploads::remove))
        .route("/files/{link}", get(files::get))
        // Each body has a limit of its own, which its reader knows.
        .layer(DefaultBodyLimit::disable())
}

/// Why there is no answer, as the app reads it.
#[derive(Debug)]
pub(super) enum Failure {
    /// C-16
    Invalid(Vec<Fault>),
    /// With words for people.
    Refused(StatusCode, String),
    Store(StoreError),
}

impl Failure {
    fn not_found(what: &str, id: &str) -> Self {
        Self::Refused(StatusCode::NOT_FOUND, format!("{what} {id} not found."))
    }

    fn not_yours(what: &str, id: &str) -> Self {
        Self::Refused(StatusCode::FORBIDDEN, format!("User does not have access to {what} {id}"))
    }

    fn bad(text: &str) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, text.to_owned())
    }

    fn too_many(text: &str) -> Self {
        Self::Refused(StatusCode::TOO_MANY_REQUESTS, text.to_owned())
    }

    fn busy() -> Self {
        Self::Refused(StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Try again later.".to_owned())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => {
                Self::Refused(StatusCode::CONFLICT, "It has been changed meanwhile. Try again.".to_owned())
            }
            StoreError::Overloaded => Self::busy(),
            other => Self::Store(other),
        }
    }
}

impl From<Vec<Fault>> for Failure {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(faults)
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Unknown => Self::Refused(StatusCode::NOT_FOUND, "User not found. Sign up now?".to_owned()),
            AccountError::Taken => {
                Self::Refused(StatusCode::CONFLICT, "The email address is already in use.".to_owned())
            }
            AccountError::TooOften => Self::too_many("Too many tries. Try again in a minute."),
            AccountError::Busy => Self::busy(),
            AccountError::Store(error) => error.into(),
        }
    }
}

/// As the app reads them, in the order of the original.
#[derive(Serialize)]
struct Errors {
    errors: Vec<Fault>,
}

#[derive(Serialize)]
struct Failed {
    status: &'static str,
    data: Reason,
}

#[derive(Serialize)]
struct Reason {
    error: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Invalid(errors) => return (StatusCode::BAD_REQUEST, Json(Errors { errors })).into_response(),
            Self::Refused(status, text) => (status, text),
            Self::Store(error) => {
                tracing::error!(%error, "Castaway's records could not be read or written");
                let text = "The server has a problem. Try again later.".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        };
        let mut response = (status, Json(Failed { status: "FAILED", data: Reason { error } })).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from_static("60"));
        }
        response
    }
}

type Answer = Result<Json<Value>, Failure>;

/// «Done.»
fn done(message: &str) -> Answer {
    Ok(Json(json!({ "status": "OK", "message": message })))
}

/// The body of a request.
async fn read(headers: &HeaderMap, body: Body) -> Result<Fields, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await;
    let body = body.ok().and_then(Result::ok).ok_or_else(|| Failure::bad("The body can not be read."))?;
    fields::parse(kind, &body).map_err(|error| Failure::bad(&error.to_string()))
}

impl Castaway {
    fn user_of(&self, token: &str) -> Result<Who, Failure> {
        let invalid = || Failure::Refused(StatusCode::UNAUTHORIZED, "Id token is invalid.".to_owned());
        self.who(token).ok_or_else(invalid)
    }

    /// By the `idToken` header.
    fn user_of_header(&self, headers: &HeaderMap) -> Result<Who, Failure> {
        let header = headers.get("idtoken").and_then(|value| value.to_str().ok());
        self.user_of(validate::token_header(header).map_err(|fault| vec![fault])?)
    }

    /// By the body's `idToken`, and nothing else in it is wrong.
    fn user_of_body<T>(&self, fields: &Fields, read: impl FnOnce(&mut Checks<'_>) -> T) -> Result<(Who, T), Failure> {
        let mut checks = Checks::of(fields);
        let token = checks.text(validate::ID_TOKEN);
        let said = read(&mut checks);
        let (token, said) = checks.done((token, said))?;
        Ok((self.user_of(&token)?, said))
    }
}
