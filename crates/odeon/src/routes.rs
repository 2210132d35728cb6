//! Every address that HTTP answers: the gateways' and the operators'.

use crate::client_addr::Client;
use crate::ops::{self, Ops};
use crate::request_log;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use gateway::{ClientAddress, Gateway, Secure};

/// All of them.
pub fn all(gateway: Gateway, ops: Ops) -> Router {
    gateway::router(gateway).merge(ops::router(ops)).layer(from_fn(request_log::log)).layer(from_fn(introduce))
}

/// The same on the port that is Castaway's own, where `/` says so (C-23).
pub fn castaway(all: Router) -> Router {
    Router::new().route("/", get(gateway::castaway::front)).fallback_service(all)
}

// What the server found out about the client, in the gateways' words.
async fn introduce(mut request: Request, next: Next) -> Response {
    if let Some(client) = request.extensions().get::<Client>().copied() {
        request.extensions_mut().insert(ClientAddress(client.address));
        request.extensions_mut().insert(Secure(client.secure));
    }
    next.run(request).await
}
