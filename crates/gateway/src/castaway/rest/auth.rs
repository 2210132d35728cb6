//! Accounts (C-18).

use super::super::accounts::Tokens;
use super::{Answer, Failure, read};
use crate::Gateway;
use crate::client::{ClientAddress, household};
use auth::mint::ACCOUNT_TTL_S;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use wire::castaway::validate::{Checks, DISPLAY_NAME, REFRESH_TOKEN};

/// `POST /auth/signup`
pub(super) async fn sign_up(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let fields = read(&headers, body).await?;
    let mut checks = Checks::of(&fields);
    let said = (checks.email(), checks.text(DISPLAY_NAME), checks.new_password());
    let (email, name, password) = checks.done(said)?;
    let accounts = &gateway.castaway().accounts;
    tokens(&accounts.sign_up(household(address), &email, &name, password).await?)
}

/// `POST /auth/login`
pub(super) async fn log_in(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let fields = read(&headers, body).await?;
    let mut checks = Checks::of(&fields);
    let said = (checks.email(), checks.password());
    let (email, password) = checks.done(said)?;
    tokens(&gateway.castaway().accounts.log_in(household(address), &email, password).await?)
}

/// `POST /auth/refreshToken`
pub(super) async fn refresh(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let fields = read(&headers, body).await?;
    let mut checks = Checks::of(&fields);
    let said = checks.text(REFRESH_TOKEN);
    let token = checks.done(said)?;
    let invalid = |error| match error {
        super::AccountError::Unknown => {
            Failure::Refused(StatusCode::UNAUTHORIZED, "Refresh token is invalid.".to_owned())
        }
        other => other.into(),
    };
    tokens(&gateway.castaway().accounts.refresh(&token).await.map_err(invalid)?)
}

fn tokens(tokens: &Tokens) -> Answer {
    Ok(Json(json!({
        "idToken": tokens.id_token,
        "refreshToken": tokens.refresh_token,
        // A text, as Firebase says it.
        "expiresIn": ACCOUNT_TTL_S.to_string(),
        "displayName": tokens.display_name,
    })))
}
