//! Twirp (<https://twitchtv.github.io/twirp/docs/spec_v7.html>): one type, JSON and protobuf bodies, and errors.

use super::json_names::Shape;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Longest body of a request (the reference's limit): 10 MiB.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// How a body is written; the answer is written as the question was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `application/json`
    Json,
    /// `application/protobuf`
    Protobuf,
}

impl Format {
    /// By the request's Content-Type, whatever its parameters.
    pub fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "application/protobuf" => Some(Self::Protobuf),
            _ => None,
        }
    }

    /// Without parameters: server-sdk-js compares the whole value (livekit.md 2.10).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/protobuf",
        }
    }
}

/// Twirp's error codes, those of them that we use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// The body can't be read.
    Malformed,
    /// No such method, or a wrong verb or Content-Type.
    BadRoute,
    /// An argument makes no sense.
    InvalidArgument,
    /// No or a wrong token; in LiveKit also a right one without the grant.
    Unauthenticated,
    /// Not permitted, whoever asks.
    PermissionDenied,
    /// No such thing.
    NotFound,
    /// There is one already.
    AlreadyExists,
    /// Right, but not as things stand: a setting forbids it.
    FailedPrecondition,
    /// A limit is reached.
    ResourceExhausted,
    /// Known, but not built.
    Unimplemented,
    /// It took too long.
    Canceled,
    /// Not now.
    Unavailable,
    /// A defect of ours.
    Internal,
}

impl Code {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::BadRoute => "bad_route",
            Self::InvalidArgument => "invalid_argument",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::FailedPrecondition => "failed_precondition",
            Self::ResourceExhausted => "resource_exhausted",
            Self::Unimplemented => "unimplemented",
            Self::Canceled => "canceled",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// HTTP status, as the Twirp specification maps them.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::InvalidArgument => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::BadRoute | Self::NotFound => 404,
            Self::Canceled => 408,
            Self::AlreadyExists => 409,
            Self::FailedPrecondition => 412,
            Self::ResourceExhausted => 429,
            Self::Internal => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
        }
    }
}

/// An error, for the one who asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TwirpError {
    /// What sort.
    pub code: Code,
    /// In plain words.
    pub msg: String,
    /// (key, value).
    pub meta: Vec<(&'static str, String)>,
}

impl TwirpError {
    /// Without metadata.
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into(), meta: Vec::new() }
    }

    /// No such route, with the route in the metadata as the specification asks.
    pub fn bad_route(msg: impl Into<String>, method: &str, path: &str) -> Self {
        let meta = vec![("twirp_invalid_route", format!("{method} {path}"))];
        Self { code: Code::BadRoute, msg: msg.into(), meta }
    }

    /// Errors are JSON, whatever the request was: `{"code","msg","meta"}`.
    pub fn to_json(&self) -> Vec<u8> {
        let mut body = json!({ "code": self.code.as_str(), "msg": self.msg });
        if !self.meta.is_empty() {
            let entry = |(key, value): &(&str, String)| ((*key).to_owned(), Value::from(value.as_str()));
            body["meta"] = Value::Object(self.meta.iter().map(entry).collect());
        }
        body.to_string().into_bytes()
    }
}

/// Reads a request. JSON may be in snake_case or lowerCamelCase; unknown fields are left out.
///
/// # Errors
/// [`Code::Malformed`].
pub fn decode<T: Message + Default + DeserializeOwned>(format: Format, body: &[u8]) -> Result<T, TwirpError> {
    let malformed = |what: &str| TwirpError::new(Code::Malformed, format!("the {what} request could not be decoded"));
    match format {
        Format::Json => serde_json::from_slice(body).map_err(|_| malformed("json")),
        Format::Protobuf => T::decode(body).map_err(|_| malformed("protobuf")),
    }
}

/// Writes an answer; `shape` is the JSON form of `T`.
///
/// # Errors
/// [`Code::Internal`], if the generated type can't be written as JSON (an unknown enum value).
pub fn encode<T: Message + Serialize>(format: Format, answer: &T, shape: &Shape) -> Result<Vec<u8>, TwirpError> {
    match format {
        Format::Protobuf => Ok(answer.encode_to_vec()),
        Format::Json => serde_json::to_value(answer)
            .map(|value| shape.of(&value).to_string().into_bytes())
            .map_err(|_| TwirpError::new(Code::Internal, "the answer could not be encoded")),
    }
}
