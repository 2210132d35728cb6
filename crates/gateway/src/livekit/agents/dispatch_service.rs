//! `livekit.AgentDispatchService` (L-68): which agents a room asks for.

use crate::Gateway;
use crate::livekit::api::Call;
use crate::livekit::room_service;
use room::AgentRequest;
use room::agents::Refusal;
use room::limits::MAX_NAME_BYTES;
use wire::livekit::agent::dispatch;
use wire::livekit::dispatch::agent_request;
use wire::livekit::json_names::{AGENT_DISPATCH, LIST_DISPATCH};
use wire::livekit::proto;
use wire::livekit::twirp::{Code, TwirpError};

type Answer = Result<Vec<u8>, TwirpError>;

pub(in crate::livekit) struct DispatchService<'a> {
    pub(in crate::livekit) gateway: &'a Gateway,
}

impl DispatchService<'_> {
    pub(in crate::livekit) async fn call(&self, method: &str, call: Call) -> Answer {
        match method {
            "CreateDispatch" => self.create(&call).await,
            "DeleteDispatch" => self.delete(&call),
            "ListDispatch" => self.list(&call),
            unknown => {
                let path = format!("/twirp/livekit.AgentDispatchService/{unknown}");
                Err(TwirpError::bad_route(format!("no handler for path \"{path}\""), "POST", &path))
            }
        }
    }

    /// A room that is not there is made, if rooms are made by joining, too.
    async fn create(&self, call: &Call) -> Answer {
        let request: proto::CreateAgentDispatchRequest = call.read()?;
        allow(call, &request.room)?;
        let asked = agent_request(proto::RoomAgentDispatch {
            agent_name: request.agent_name,
            metadata: request.metadata,
            deployment: request.deployment,
            attributes: request.attributes,
            ..proto::RoomAgentDispatch::default()
        });
        check(&request.room, &asked)?;
        self.find_or_make(&request.room).await?;
        let agents = &self.gateway.inner.agents;
        let made = agents.step(|pool, now| pool.create_dispatch(now, &request.room, asked)).map_err(refusal)?;
        call.write(&dispatch(&made, &request.room), &AGENT_DISPATCH)
    }

    async fn find_or_make(&self, room: &str) -> Result<(), TwirpError> {
        let registry = self.gateway.registry();
        if registry.find(room).is_some() || !registry.makes_rooms() {
            return Ok(());
        }
        let config = registry.room_defaults().clone();
        registry.create(room, config).await.map_err(room_service::refusal).map(drop)
    }

    fn delete(&self, call: &Call) -> Answer {
        let request: proto::DeleteAgentDispatchRequest = call.read()?;
        allow(call, &request.room)?;
        let agents = &self.gateway.inner.agents;
        let deleted = agents.step(|pool, now| pool.delete_dispatch(now, &request.room, &request.dispatch_id));
        call.write(&dispatch(&deleted.map_err(refusal)?, &request.room), &AGENT_DISPATCH)
    }

    fn list(&self, call: &Call) -> Answer {
        let request: proto::ListAgentDispatchRequest = call.read()?;
        allow(call, &request.room)?;
        let all = self.gateway.inner.agents.step(|pool, _| pool.dispatches(&request.room)).map_err(refusal)?;
        let wanted = all.iter().filter(|one| request.dispatch_id.is_empty() || *one.id == *request.dispatch_id);
        let agent_dispatches = wanted.map(|one| dispatch(one, &request.room)).collect();
        call.write(&proto::ListAgentDispatchResponse { agent_dispatches }, &LIST_DISPATCH)
    }
}

fn allow(call: &Call, room: &str) -> Result<(), TwirpError> {
    if call.claims.may_administer(room) {
        Ok(())
    } else {
        Err(TwirpError::new(Code::Unauthenticated, "permissions denied"))
    }
}

fn check(room: &str, asked: &AgentRequest) -> Result<(), TwirpError> {
    let invalid = |what: &str| Err(TwirpError::new(Code::InvalidArgument, what));
    if room.is_empty() || room.len() > MAX_NAME_BYTES {
        return invalid("room is empty or longer than 256 bytes");
    }
    asked.too_long().map_or(Ok(()), |field| invalid(&format!("{field} is too long")))
}

fn refusal(refusal: Refusal) -> TwirpError {
    let code = match refusal {
        Refusal::NoSuchRoom | Refusal::NoSuchDispatch => Code::NotFound,
        Refusal::TooManyDispatches | Refusal::TooManyWorkers => Code::ResourceExhausted,
    };
    TwirpError::new(code, refusal.to_string())
}
