//! `/twirp/livekit.<Service>/<Method>`: the server API's transport (L-53). Methods are in [`super::room_service`].

use super::agents::DispatchService;
use super::room_service::RoomService;
use crate::client::bearer;
use crate::{Gateway, clock};
use auth::Claims;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use wire::livekit::twirp::{Code, Format, MAX_BODY_BYTES, TwirpError};

/// Services of LiveKit's API that this server has not (yet): known, so that a client hears "not built" and not "no such
/// address".
const OTHER_SERVICES: [&str; 4] = ["livekit.Egress", "livekit.Ingress", "livekit.SIP", "livekit.Connector"];

/// Which of the services.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Service {
    Room,
    AgentDispatch,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Room => "livekit.RoomService",
            Self::AgentDispatch => "livekit.AgentDispatchService",
        }
    }
}

/// A request, checked as far as that goes without knowing the method.
pub(super) struct Call {
    pub(super) claims: Claims,
    pub(super) format: Format,
    pub(super) body: bytes::Bytes,
}

/// Any verb, so that a wrong one is a Twirp error too.
pub(super) async fn call(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let outcome = match route(&parts.method, &path) {
        Ok((service, method)) => serve(&gateway, (service, &method), &parts.headers, body).await,
        Err(error) => Err(error),
    };
    count(&path, outcome.as_ref().err().map(|error| error.code));
    match outcome {
        Ok((format, body)) => answer(StatusCode::OK, format, body),
        Err(error) => refuse(&error),
    }
}

/// Methods that are counted by name: what somebody makes up is "none", lest they make a thousand counters.
const COUNTED: [&str; 17] = [
    "RoomService/CreateRoom",
    "RoomService/ListRooms",
    "RoomService/DeleteRoom",
    "RoomService/ListParticipants",
    "RoomService/GetParticipant",
    "RoomService/RemoveParticipant",
    "RoomService/MutePublishedTrack",
    "RoomService/UpdateParticipant",
    "RoomService/UpdateSubscriptions",
    "RoomService/UpdateRoomMetadata",
    "RoomService/ForwardParticipant",
    "RoomService/MoveParticipant",
    "RoomService/SendData",
    "RoomService/PerformRpc",
    "AgentDispatchService/CreateDispatch",
    "AgentDispatchService/DeleteDispatch",
    "AgentDispatchService/ListDispatch",
];

/// By method and outcome.
fn count(path: &str, refused: Option<Code>) {
    let asked = path.strip_prefix("/twirp/livekit.").unwrap_or_default();
    let method = COUNTED.into_iter().find(|method| *method == asked).unwrap_or("none");
    let code = refused.map_or("ok", Code::as_str);
    metrics::counter!("odeon_api_requests_total", "method" => method, "code" => code).increment(1);
}

/// A service, and a method of it by its name.
fn route(verb: &Method, path: &str) -> Result<(Service, String), TwirpError> {
    let bad = |msg: String| TwirpError::bad_route(msg, verb.as_str(), path);
    if verb != Method::POST {
        return Err(bad(format!("unsupported method \"{verb}\" (only POST is allowed)")));
    }
    let route = path.strip_prefix("/twirp/").and_then(|rest| rest.split_once('/'));
    match route {
        Some(("livekit.RoomService", method)) => Ok((Service::Room, method.to_owned())),
        Some(("livekit.AgentDispatchService", method)) => Ok((Service::AgentDispatch, method.to_owned())),
        Some((service, _)) if OTHER_SERVICES.contains(&service) => {
            Err(TwirpError::new(Code::Unimplemented, format!("{service} is not part of this server")))
        }
        _ => Err(bad(format!("no handler for path \"{path}\""))),
    }
}

/// Format and token before the body: nothing is read for those who may not ask.
async fn serve(
    gateway: &Gateway,
    (service, method): (Service, &str),
    headers: &HeaderMap,
    body: Body,
) -> Result<(Format, Vec<u8>), TwirpError> {
    let format = format_of(headers, service, method)?;
    let claims = verified(gateway, headers)?;
    let body = to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_| TwirpError::new(Code::Malformed, "the body is longer than 10 MiB, or broke off"))?;
    let call = Call { claims, format, body };
    let answer = match service {
        Service::Room => RoomService { gateway }.call(method, call).await?,
        Service::AgentDispatch => DispatchService { gateway }.call(method, call).await?,
    };
    Ok((format, answer))
}

fn format_of(headers: &HeaderMap, service: Service, method: &str) -> Result<Format, TwirpError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Format::of(content_type).ok_or_else(|| {
        let path = format!("/twirp/{}/{method}", service.name());
        TwirpError::bad_route(format!("unexpected Content-Type: \"{content_type}\""), "POST", &path)
    })
}

/// L-54
fn verified(gateway: &Gateway, headers: &HeaderMap) -> Result<Claims, TwirpError> {
    let denied = |msg: String| TwirpError::new(Code::Unauthenticated, msg);
    let token = bearer(headers).ok_or_else(|| denied("permissions denied".to_owned()))?;
    auth::verify(token, &gateway.inner.keys, clock::unix_s())
        .map_err(|error| denied(format!("invalid authorization token: {error}")))
}

fn refuse(error: &TwirpError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, Format::Json, error.to_json())
}

fn answer(status: StatusCode, format: Format, body: Vec<u8>) -> Response {
    let content_type = HeaderValue::from_static(format.content_type());
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
