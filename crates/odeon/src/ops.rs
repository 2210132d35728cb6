//! What those who run the server ask it: is it alive, does it take newcomers, how is it doing.

use crate::client_addr::Client;
use crate::state::{Phase, State};
use auth::KeyStore;
use axum::Router;
use axum::extract::{Extension, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

/// What the answers are made of.
#[derive(Clone)]
pub struct Ops {
    /// The phase.
    pub state: State,
    /// Checks operators' tokens.
    pub keys: Arc<KeyStore>,
    /// All counters.
    pub metrics: PrometheusHandle,
    /// Called before the counters are read: who counts elsewhere hands them over then.
    pub collect: Arc<dyn Fn() + Send + Sync>,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(ops: Ops) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "OK" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(ops)
}

async fn readyz(Shared(ops): Shared<Ops>) -> (StatusCode, &'static str) {
    match ops.state.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Phase::Ready => (StatusCode::OK, "ready"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    }
}

async fn metrics(Shared(ops): Shared<Ops>, client: Option<Extension<Client>>, headers: HeaderMap) -> Response {
    let local = client.is_some_and(|Extension(client)| client.is_local());
    if !local && !is_operator(&headers, &ops.keys, unix_now()) {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge, "on this machine, or with an operator's token").into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (ops.collect)();
    metrics::gauge!("odeon_tasks").set(Handle::current().metrics().num_alive_tasks() as f64);
    (kind, ops.metrics.render()).into_response()
}

fn is_operator(headers: &HeaderMap, keys: &KeyStore, now_unix: u64) -> bool {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    token.is_some_and(|token| auth::verify(token, keys, now_unix).is_ok_and(|claims| claims.is_operator()))
}

/// Wall clock, seconds since 1970: what tokens are checked against.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "ops_tests.rs"]
mod tests;
