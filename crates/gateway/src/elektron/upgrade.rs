//! `/` with an Upgrade header: who comes, what they may see, and the handshake (RFC 6455, 4.2).
//!
//! Any page may open a socket: there is nothing in it that a browser brings along by itself. The cookie says only which
//! socket may be the return of which (E-04, Q-19).

use super::connection::Connection;
use super::hub::Newcomer;
use super::outbox::Outbox;
use super::socket::Socket;
use super::speaker::Speaker;
use super::{Elektron, MAX_COOKIE_BYTES};
use crate::client::{ClientAddress, Secure, bearer, household};
use crate::{Gateway, clock, draw};
use auth::Claims;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bus::limits::MAX_NARROWED_ROOMS;
use bus::{Grant, View, Visitor};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper_util::rt::TokioIo;
use room::limits::MAX_NAME_BYTES;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use wire::livekit::query::Query;

/// The cookie by which a browser is known again.
const COOKIE: &str = "odeon_visitor";

/// Is it for the bus?
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
}

/// Answers with a socket, or says why not.
pub(crate) async fn connect(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    Secure(secure): Secure,
    mut request: Request,
) -> Response {
    let elektron = gateway.elektron();
    if gateway.registry().is_draining() {
        let retry = [(header::RETRY_AFTER, "5")];
        return (StatusCode::SERVICE_UNAVAILABLE, retry, "the server is closing").into_response();
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let rights = match Rights::of(&gateway, &Query::parse(&query), request.headers()) {
        Ok(rights) => rights,
        Err(refusal) => return refusal.into_response(),
    };
    let key = match handshake(request.headers()) {
        Ok(key) => key,
        Err(refusal) => return refusal.into_response(),
    };
    let visitor = visitor(elektron, request.headers(), address);
    let upgrade = hyper::upgrade::on(&mut request);
    let elektron = Arc::clone(elektron);
    tokio::spawn(async move {
        // A client that goes before it is answered is nobody.
        if let Ok(stream) = upgrade.await {
            serve(elektron, TokioIo::new(stream), rights, visitor, address).await;
        }
    });
    switch(&key, visitor, secure)
}

async fn serve(
    elektron: Arc<Elektron>,
    stream: TokioIo<hyper::upgrade::Upgraded>,
    rights: Rights,
    visitor: Visitor,
    address: IpAddr,
) {
    let outbox = Arc::new(Outbox::default());
    let Rights { view, operator, hidden } = rights;
    let newcomer = Newcomer { outbox: Arc::clone(&outbox), visitor, view: view.clone(), operator, hidden, address };
    let Some(place) = elektron.hub.open(newcomer).await else { return };
    let socket = Socket::new(stream, elektron.config.frame_bytes).await;
    let speaker = Speaker::new(Arc::clone(&elektron), view, address, Instant::now());
    Connection { socket, outbox, place, speaker }.run().await;
}

/// What a socket may see and do.
struct Rights {
    view: View,
    operator: bool,
    hidden: bool,
}

impl Rights {
    fn of(gateway: &Gateway, query: &Query<'_>, headers: &HeaderMap) -> Result<Self, (StatusCode, String)> {
        let narrowed = query.get("channel").map(narrowed);
        let token = bearer(headers).or_else(|| query.get("access_token"));
        let Some(token) = token else {
            return Ok(Self { view: View { narrowed, grant: None }, operator: false, hidden: false });
        };
        let claims = auth::verify(token, &gateway.inner.keys, clock::unix_s())
            .map_err(|error| (StatusCode::UNAUTHORIZED, format!("invalid access token: {error}")))?;
        let grant = grant(&claims);
        Ok(Self { view: View { narrowed, grant }, operator: claims.is_operator(), hidden: claims.video.hidden })
    }
}

/// A page token, which anybody can get, counts as none.
fn grant(claims: &Claims) -> Option<Grant> {
    let video = &claims.video;
    let counts = video.room_join && !claims.odeon_page && (1..=MAX_NAME_BYTES).contains(&video.room.len());
    counts.then(|| Grant {
        room: video.room.as_str().into(),
        may_see: video.may_subscribe(),
        may_send: video.may_publish_data(),
    })
}

/// `a,b`: these rooms only.
fn narrowed(names: &str) -> Arc<std::collections::BTreeSet<Arc<str>>> {
    let names = names.split(',').map(str::trim).filter(|name| (1..=MAX_NAME_BYTES).contains(&name.len()));
    Arc::new(names.take(MAX_NARROWED_ROOMS).map(Arc::from).collect())
}

/// The cookie that it sent, or a new one; and what else may tell it from others, hashed with a key of this process.
fn visitor(elektron: &Elektron, headers: &HeaderMap, address: IpAddr) -> Visitor {
    let sent = cookie(headers);
    let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    Visitor {
        cookie: sent.unwrap_or_else(|| u128::from_le_bytes(draw::bytes())),
        sent_cookie: sent.is_some(),
        address: elektron.names.hash_one((household(address), agent)),
    }
}

fn cookie(headers: &HeaderMap) -> Option<u128> {
    let lines = headers.get_all(header::COOKIE).iter().filter(|line| line.len() <= MAX_COOKIE_BYTES);
    let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let value = pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE)?.1;
    let is_ours = value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| u128::from_str_radix(value, 16).ok())?
}

type VersionHeader = [(header::HeaderName, &'static str); 1];

/// The client's key, or why there is no socket.
fn handshake(headers: &HeaderMap) -> Result<HeaderValue, (StatusCode, VersionHeader, &'static str)> {
    let refuse = |status, text| (status, [(header::SEC_WEBSOCKET_VERSION, "13")], text);
    let has = |name, token: &str| {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
    };
    if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
        return Err(refuse(StatusCode::BAD_REQUEST, "only WebSockets are spoken here"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(refuse(StatusCode::UPGRADE_REQUIRED, "version 13 is spoken here"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    key.cloned().ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "the WebSocket has no key"))
}

fn switch(key: &HeaderValue, visitor: Visitor, secure: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let mut insert = |name, value: String| {
        // Base64 and hexadecimal are fit for a header.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    insert(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()));
    if !visitor.sent_cookie {
        let secure = if secure { "; Secure" } else { "" };
        insert(header::SET_COOKIE, format!("{COOKIE}={:032x}; Path=/; HttpOnly; SameSite=Lax{secure}", visitor.cookie));
    }
    response
}
