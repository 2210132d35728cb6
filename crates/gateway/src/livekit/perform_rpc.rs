//! RoomService.PerformRpc: a backend calls a participant's method (L-65, livekit.md 2.6).

use super::room_service::{Answer, RoomService, allow_admin, identity, no_participant, no_room};
use crate::draw;
use crate::livekit::api;
use crate::rooms::{Answers, Call, CallRefused};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use wire::livekit::json_names::PERFORM_RPC;
use wire::livekit::proto;
use wire::livekit::rpc::{self, MAX_RPC_PAYLOAD_BYTES, RpcError};
use wire::livekit::twirp::{Code, TwirpError};

/// How long a client may take to acknowledge: a round trip over the worst network, as the SDKs have it.
const ACKNOWLEDGED_IN: Duration = Duration::from_secs(7);

/// How long the method may take where the backend doesn't say. The reference's.
const DEFAULT_TIMEOUT_MS: u32 = 10_000;

/// The longest that a backend may ask for: HTTP clients and proxies have given up by then.
const MAX_TIMEOUT_MS: u32 = 300_000;

/// Longest method name, in bytes; as for other names.
const MAX_METHOD_BYTES: usize = 256;

impl RoomService<'_> {
    /// Waits for the participant's method.
    pub(super) async fn perform_rpc(&self, call: &api::Call) -> Answer {
        let request: proto::PerformRpcRequest = call.read()?;
        allow_admin(&call.claims, &request.room)?;
        check(&request)?;
        let timeout_ms =
            if request.response_timeout_ms == 0 { DEFAULT_TIMEOUT_MS } else { request.response_timeout_ms };
        let timeout_ms = timeout_ms.min(MAX_TIMEOUT_MS);
        let begin = Instant::now();
        let answers = self.begin(&request, timeout_ms).await?;
        let deadline = begin + Duration::from_millis(timeout_ms.into());
        let payload = outcome(answers, begin + ACKNOWLEDGED_IN, deadline).await.map_err(|error| refusal(&error))?;
        call.write(&proto::PerformRpcResponse { payload }, &PERFORM_RPC)
    }

    async fn begin(&self, request: &proto::PerformRpcRequest, timeout_ms: u32) -> Result<Answers, TwirpError> {
        let called = identity(&request.destination_identity)?;
        let room = self.room(&request.room)?;
        let id = draw::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let packet = rpc::request(&id, &request.method, &request.payload, timeout_ms).into();
        room.call(called, Call { id, packet }).await.map_err(|_| no_room())?.map_err(|refused| match refused {
            CallRefused::NotThere => no_participant(),
            CallRefused::TooMany => TwirpError::new(Code::ResourceExhausted, "too many calls are open in this room"),
        })
    }
}

fn check(request: &proto::PerformRpcRequest) -> Result<(), TwirpError> {
    if request.payload.len() > MAX_RPC_PAYLOAD_BYTES {
        return Err(refusal(&RpcError::built_in(RpcError::REQUEST_PAYLOAD_TOO_LARGE)));
    }
    if request.method.is_empty() || request.method.len() > MAX_METHOD_BYTES {
        return Err(TwirpError::new(Code::InvalidArgument, "method is empty or longer than 256 bytes"));
    }
    Ok(())
}

/// The acknowledgement within its time, then the response within its own.
async fn outcome(mut answers: Answers, acknowledged: Instant, deadline: Instant) -> Result<String, RpcError> {
    let (mut until, mut late) = (acknowledged.min(deadline), RpcError::CONNECTION_TIMEOUT);
    loop {
        let packet = match timeout_at(until, answers.recv()).await {
            Ok(Some(packet)) => packet,
            Ok(None) => return Err(RpcError::built_in(RpcError::RECIPIENT_DISCONNECTED)),
            Err(_) => return Err(RpcError::built_in(late)),
        };
        match rpc::answer(&packet) {
            Some((_, rpc::Answer::Done(outcome))) => return outcome,
            Some((_, rpc::Answer::Acknowledged)) => (until, late) = (deadline, RpcError::RESPONSE_TIMEOUT),
            None => {}
        }
    }
}

/// As the reference says it.
fn refusal(error: &RpcError) -> TwirpError {
    let code = match error.code {
        RpcError::UNSUPPORTED_METHOD => Code::InvalidArgument,
        RpcError::RECIPIENT_NOT_FOUND => Code::NotFound,
        RpcError::REQUEST_PAYLOAD_TOO_LARGE => Code::Malformed,
        RpcError::CONNECTION_TIMEOUT | RpcError::RESPONSE_TIMEOUT => Code::Canceled,
        RpcError::RECIPIENT_DISCONNECTED => Code::Unavailable,
        _ => Code::Internal,
    };
    TwirpError::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;
    use proto::data_packet::Value;
    use std::sync::Arc;
    use tokio::sync::mpsc;

    fn packet(value: Value) -> Arc<[u8]> {
        proto::DataPacket { value: Some(value), ..Default::default() }.encode_to_vec().into()
    }

    fn ack() -> Arc<[u8]> {
        packet(Value::RpcAck(proto::RpcAck { request_id: "1".into() }))
    }

    fn response(value: proto::rpc_response::Value) -> Arc<[u8]> {
        packet(Value::RpcResponse(proto::RpcResponse { request_id: "1".into(), value: Some(value) }))
    }

    async fn outcome_of(answers: Vec<(u64, Arc<[u8]>)>, stays: bool) -> Result<String, u32> {
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            for (after_s, answer) in answers {
                tokio::time::sleep(Duration::from_secs(after_s)).await;
                drop(sender.send(answer).await);
            }
            if stays {
                sender.closed().await;
            }
        });
        let now = Instant::now();
        let outcome = outcome(receiver, now + ACKNOWLEDGED_IN, now + Duration::from_secs(10)).await;
        outcome.map_err(|error| error.code)
    }

    #[tokio::test(start_paused = true)]
    async fn l_65_a_call_ends_with_its_response_or_says_what_was_missing() {
        // L-65
        use proto::rpc_response::Value::{Error, Payload};
        let done = response(Payload("done".into()));
        let failed = response(Error(proto::RpcError { code: 42, ..Default::default() }));
        let cases = [
            (vec![(1, ack()), (8, done.clone())], true, Ok("done".to_owned())),
            (vec![(1, done.clone())], true, Ok("done".to_owned())),
            (vec![(1, ack()), (1, failed)], true, Err(42)),
            (vec![(8, ack()), (1, done.clone())], true, Err(RpcError::CONNECTION_TIMEOUT)),
            (vec![(1, ack()), (10, done)], true, Err(RpcError::RESPONSE_TIMEOUT)),
            (vec![(1, ack())], false, Err(RpcError::RECIPIENT_DISCONNECTED)),
        ];
        for (answers, stays, expected) in cases {
            assert_eq!(outcome_of(answers, stays).await, expected);
        }
    }
}
