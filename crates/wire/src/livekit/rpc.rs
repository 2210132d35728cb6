//! Calls to a participant's methods that the server makes for a backend (RoomService.PerformRpc, livekit.md 2.6).
//!
//! The request goes out in the name of the call's own id. No participant has such an identity, so answers, which are
//! addressed to the caller, reach nobody else.

use super::proto;
use prost::Message as _;
use proto::data_packet::Value;
use proto::rpc_response::Value as Outcome;

/// Longest request and response, in bytes: what clients of every version take in one packet.
pub const MAX_RPC_PAYLOAD_BYTES: usize = 15 * 1024;

/// The version of the request that all clients understand: payloads in one packet.
const VERSION: u32 = 1;

/// How a call failed, as the SDKs number it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RpcError {
    /// See the constants here; below 1400 it is the application's own.
    pub code: u32,
    /// In plain words.
    pub message: String,
    /// The application's own.
    pub data: String,
}

impl RpcError {
    /// The participant has no such method.
    pub const UNSUPPORTED_METHOD: u32 = 1400;
    /// There is no such participant.
    pub const RECIPIENT_NOT_FOUND: u32 = 1401;
    /// The payload is longer than [`MAX_RPC_PAYLOAD_BYTES`].
    pub const REQUEST_PAYLOAD_TOO_LARGE: u32 = 1402;
    /// The method failed.
    pub const APPLICATION_ERROR: u32 = 1500;
    /// The participant did not acknowledge the request.
    pub const CONNECTION_TIMEOUT: u32 = 1501;
    /// The method took too long.
    pub const RESPONSE_TIMEOUT: u32 = 1502;
    /// The participant left meanwhile.
    pub const RECIPIENT_DISCONNECTED: u32 = 1503;

    /// One of those that are not the application's.
    pub fn built_in(code: u32) -> Self {
        let message = match code {
            Self::UNSUPPORTED_METHOD => "Method not supported at destination",
            Self::RECIPIENT_NOT_FOUND => "Recipient not found",
            Self::REQUEST_PAYLOAD_TOO_LARGE => "Request payload too large",
            Self::CONNECTION_TIMEOUT => "Connection timeout",
            Self::RESPONSE_TIMEOUT => "Response timeout",
            Self::RECIPIENT_DISCONNECTED => "Recipient disconnected",
            _ => "Application error in method handler",
        };
        Self { code, message: message.to_owned(), data: String::new() }
    }
}

impl std::fmt::Display for RpcError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RpcError {}: {}", self.code, self.message)?;
        if self.data.is_empty() { Ok(()) } else { write!(f, ": {}", self.data) }
    }
}

/// What a client says to a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It has the request.
    Acknowledged,
    /// The method is done.
    Done(Result<String, RpcError>),
}

/// The packet that calls. `timeout_ms`: how long the method may take.
pub fn request(id: &str, method: &str, payload: &str, timeout_ms: u32) -> Vec<u8> {
    let request = proto::RpcRequest {
        id: id.to_owned(),
        method: method.to_owned(),
        payload: payload.to_owned(),
        response_timeout_ms: timeout_ms,
        version: VERSION,
        ..Default::default()
    };
    let value = Some(Value::RpcRequest(request));
    proto::DataPacket { participant_identity: id.to_owned(), value, ..Default::default() }.encode_to_vec()
}

/// A client's answer, with the id of the call. `None`: it is none.
pub fn answer(packet: &[u8]) -> Option<(String, Answer)> {
    match proto::DataPacket::decode(packet).ok()?.value? {
        Value::RpcAck(ack) => Some((ack.request_id, Answer::Acknowledged)),
        Value::RpcResponse(response) => Some((response.request_id, Answer::Done(outcome(response.value)))),
        _ => None,
    }
}

/// Compressed payloads answer requests of version 2, which we don't make.
fn outcome(value: Option<Outcome>) -> Result<String, RpcError> {
    match value {
        Some(Outcome::Payload(payload)) => Ok(payload),
        Some(Outcome::Error(error)) => Err(RpcError { code: error.code, message: error.message, data: error.data }),
        None => Ok(String::new()),
        Some(_) => Err(RpcError::built_in(RpcError::APPLICATION_ERROR)),
    }
}
