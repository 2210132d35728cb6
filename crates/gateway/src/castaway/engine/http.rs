//! `/socket.io/`: polls (GET), what clients say (POST), and the way to a WebSocket. Pages of any origin may come: there is
//! nothing in it that a browser brings along by itself.

use super::super::Castaway;
use super::super::limits::{NOOP_PAUSE, UPLOAD_PATIENCE};
use super::super::speaker::Speaker;
use super::outbox::{Outgoing, Reader, Taken};
use super::session::{self, Inbound, Session};
use super::socket;
use crate::Gateway;
use crate::client::ClientAddress;
use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::{sleep, timeout};
use wire::castaway::engine::{self, Payload};
use wire::castaway::handshake::{Claimed, ID_TOKEN, LIVESTREAM_ID};
use wire::livekit::query::Query;

/// Why not: Engine.IO's own numbers and words.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Refusal(StatusCode, u8, &'static str);

const UNKNOWN_TRANSPORT: Refusal = Refusal(StatusCode::BAD_REQUEST, 0, "Transport unknown");
const UNKNOWN_SESSION: Refusal = Refusal(StatusCode::BAD_REQUEST, 1, "Session ID unknown");
const BAD_REQUEST: Refusal = Refusal(StatusCode::BAD_REQUEST, 3, "Bad request");
const BAD_VERSION: Refusal = Refusal(StatusCode::BAD_REQUEST, 5, "Unsupported protocol version");
const TOO_LARGE: Refusal = Refusal(StatusCode::PAYLOAD_TOO_LARGE, 3, "Bad request");
const TOO_MANY: Refusal = Refusal(StatusCode::SERVICE_UNAVAILABLE, 4, "Forbidden");

/// `GET /socket.io/`
pub(in super::super) async fn get(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let query = query.unwrap_or_default();
    let query = Query::parse(&query);
    let castaway = gateway.castaway();
    let session = known(castaway, &query)?;
    let is_socket = match query.get("transport") {
        Some("websocket") => true,
        Some("polling") => false,
        _ => return Err(UNKNOWN_TRANSPORT),
    };
    match (is_socket, session) {
        (false, Some(session)) => Ok(poll(&session, castaway.sessions.body_bytes()).await),
        (false, None) => {
            let session = begin(castaway, address, &headers, Reader::Poll(0))?;
            Ok(text(castaway.sessions.open_packet(&session, true)))
        }
        (true, session) => {
            let upgrade = socket::limited(upgrade.map_err(|_| BAD_REQUEST)?, castaway.sessions.message_bytes());
            match session {
                Some(session) => Ok(upgrade.on_upgrade(|socket| socket::change(socket, session))),
                None => {
                    let session = begin(castaway, address, &headers, Reader::Socket)?;
                    let open = castaway.sessions.open_packet(&session, false);
                    Ok(upgrade.on_upgrade(|socket| socket::serve(socket, session, Some(open))))
                }
            }
        }
    }
}

/// `POST /socket.io/`
pub(in super::super) async fn post(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Refusal> {
    let query = query.unwrap_or_default();
    let castaway = gateway.castaway();
    let session = known(castaway, &Query::parse(&query))?.ok_or(UNKNOWN_SESSION)?;
    let _place = castaway.posts.try_acquire().map_err(|_| TOO_MANY)?;
    let read = timeout(UPLOAD_PATIENCE, to_bytes(body, castaway.sessions.body_bytes())).await;
    let packets = match read {
        Ok(Ok(body)) => engine::decode_payload(&body).map_err(|_| BAD_REQUEST),
        // Too long, broken off, or too slow.
        _ => Err(TOO_LARGE),
    };
    let packets = match packets {
        Ok(packets) => packets,
        Err(refusal) => {
            session.tell(Inbound::Lost).await;
            return Err(refusal);
        }
    };
    for packet in packets {
        if !session.tell(Inbound::Packet(packet)).await {
            return Err(UNKNOWN_SESSION);
        }
    }
    Ok(text("ok".to_owned()))
}

/// The session that is named; `Ok(None)` if none is.
fn known(castaway: &Castaway, query: &Query<'_>) -> Result<Option<Arc<Session>>, Refusal> {
    if query.get("EIO") != Some("4") {
        return Err(BAD_VERSION);
    }
    match query.get("sid") {
        Some(sid) => castaway.sessions.find(sid).map(Some).ok_or(UNKNOWN_SESSION),
        None => Ok(None),
    }
}

fn begin(
    castaway: &Arc<Castaway>,
    address: IpAddr,
    headers: &HeaderMap,
    reader: Reader,
) -> Result<Arc<Session>, Refusal> {
    if castaway.registry.is_draining() {
        return Err(TOO_MANY);
    }
    let (session, heard) = castaway.sessions.begin(address, reader).ok_or(TOO_MANY)?;
    let speaker = Speaker::new(Arc::clone(castaway), Arc::clone(&session.outbox), claimed(headers), address);
    tokio::spawn(session::run(Arc::clone(castaway), Arc::clone(&session), heard, speaker));
    Ok(session)
}

fn claimed(headers: &HeaderMap) -> Claimed {
    let said = |name| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    Claimed { id_token: said(ID_TOKEN).map(str::to_owned), livestream_id: said(LIVESTREAM_ID).map(str::to_owned) }
}

async fn poll(session: &Session, max_bytes: usize) -> Response {
    let number = session.next_poll();
    let reader = Reader::Poll(number);
    session.outbox.hand_over(reader, |now| matches!(now, Reader::Poll(before) if before < number));
    match session.outbox.take(reader, max_bytes).await {
        Taken::Packets(packets) => text(body(&packets)),
        Taken::NotYours => {
            sleep(NOOP_PAUSE).await;
            text("6".to_owned())
        }
        Taken::Closed => UNKNOWN_SESSION.into_response(),
    }
}

fn body(packets: &[Outgoing]) -> String {
    let mut payload = Payload::default();
    for packet in packets {
        match packet {
            Outgoing::Text(text) => payload.text(&String::from_utf8_lossy(text)),
            Outgoing::Binary(bytes) => payload.binary(bytes),
        }
    }
    payload.finish()
}

fn text(body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=UTF-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        (status, axum::Json(serde_json::json!({ "code": code, "message": message }))).into_response()
    }
}

/// CORS `*`, with the headers that a page asks for.
pub(in super::super) async fn with_cors(request: Request, next: Next) -> Response {
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    let any = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    let verbs = HeaderValue::from_static("GET, HEAD, PUT, PATCH, POST, DELETE");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, verbs);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Content-Range, Accept-Ranges"));
    if let Some(asked) = asked {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        headers.insert(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    }
    response
}
