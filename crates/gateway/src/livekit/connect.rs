//! `/rtc` and `/rtc/v1`: everything that is HTTP. The WebSocket opens only once the room has taken the participant, so
//! that every refusal is a status (livekit.md 2.1).

use super::admission::{Admission, Refusal, Version, admit};
use super::session::{self, Session};
use crate::rooms::Resumption;
use crate::{ClientAddress, Gateway};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::net::IpAddr;
use tokio::time::Instant;
use wire::livekit::join_request::Resume;
use wire::livekit::signal::MAX_SIGNAL_BYTES;

/// Read buffer of a socket, in bytes: the library's 128 KiB for each would be most of an idle session's memory.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Most that may wait in a socket's own write buffer, in bytes: one message of the largest size that we write (a join
/// of a full room), after which the session gives up on a socket that takes nothing.
const MAX_WRITE_BUFFER_BYTES: usize = 16 * 1024 * 1024;

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

pub(super) async fn rtc(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    address: ClientAddress,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    connect(gateway, Version::V0, (query, address), headers, upgrade).await
}

pub(super) async fn rtc_v1(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    address: ClientAddress,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    connect(gateway, Version::V1, (query, address), headers, upgrade).await
}

pub(super) async fn validate(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    address: ClientAddress,
    headers: HeaderMap,
) -> Response {
    checked(&gateway, Version::V0, (query, address), &headers).await
}

pub(super) async fn validate_v1(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    address: ClientAddress,
    headers: HeaderMap,
) -> Response {
    checked(&gateway, Version::V1, (query, address), &headers).await
}

/// What a join would be answered, without joining: browsers can't read why a WebSocket failed (L-25).
async fn checked(
    gateway: &Gateway,
    version: Version,
    (query, ClientAddress(address)): (Option<String>, ClientAddress),
    headers: &HeaderMap,
) -> Response {
    let admission = match admit(gateway, version, query.as_deref().unwrap_or_default(), headers) {
        Ok(admission) => admission,
        Err(refusal) => return refusal.into_response(),
    };
    let identity = admission.identity();
    let door = gateway.registry().check(&admission.room, admission.credential(), Some(&identity), Some(address));
    match door.await {
        Ok(()) => with_cors("success".into_response()),
        Err(error) => Refusal::from(error).into_response(),
    }
}

async fn connect(
    gateway: Gateway,
    version: Version,
    (query, ClientAddress(address)): (Option<String>, ClientAddress),
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return with_cors(crate::not_found::not_found());
    };
    match admit(&gateway, version, query.as_deref().unwrap_or_default(), &headers) {
        Ok(mut admission) => match admission.params.resume.take() {
            Some(resume) => go_on(gateway, admission, resume, upgrade).await,
            None => join(gateway, admission, address, upgrade).await.unwrap_or_else(Refusal::into_response),
        },
        Err(refusal) => refusal.into_response(),
    }
}

/// L-31: the session goes on, or the first message says that it can't (livekit.md 2.9).
async fn go_on(gateway: Gateway, admission: Admission, resume: Resume, upgrade: WebSocketUpgrade) -> Response {
    let ticket = admission.resume_ticket(&resume);
    match gateway.registry().resume(&admission.room, ticket).await {
        Some((Resumption { handle, mode }, outbox)) => {
            let session = Session::new(gateway, admission.claims, mode, handle, outbox);
            limited(upgrade).on_upgrade(|socket| session.go_on(socket, resume.state))
        }
        None => limited(upgrade).on_upgrade(session::refuse_resume),
    }
}

async fn join(
    gateway: Gateway,
    admission: Admission,
    address: IpAddr,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let (room, claims, mode) = (admission.room.clone(), admission.claims.clone(), admission.params.mode);
    let asked = Instant::now();
    let ticket = admission.ticket(&gateway, Some(address));
    let (handle, outbox) = gateway.registry().join(&room, ticket).await?;
    let session = Session::new(gateway, claims, mode, handle, outbox).asked_at(asked);
    Ok(limited(upgrade).on_upgrade(|socket| session.run(socket)))
}

fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(MAX_SIGNAL_BYTES)
        .max_frame_size(MAX_SIGNAL_BYTES)
}

/// Pages of any origin may read the answer: it says nothing that the token's bearer doesn't know.
fn with_cors(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.text).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        with_cors(response)
    }
}
