//! Whoever runs the venue: an operator's token in `Authorization` (product.md, «Operator»).

use crate::client::bearer;
use crate::{Gateway, clock};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::json;

/// As an argument of a handler: requests of others are refused before it runs.
#[derive(Clone, Debug)]
pub(crate) struct Operator;

impl FromRequestParts<Gateway> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Response> {
        let token = bearer(&parts.headers);
        let verified = token.and_then(|token| auth::verify(token, &gateway.inner.keys, clock::unix_s()).ok());
        match verified {
            Some(claims) if claims.is_operator() => Ok(Self),
            _ => Err(refused()),
        }
    }
}

fn refused() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, Json(json!({ "error": "an operator's token is needed" }))).into_response()
}
