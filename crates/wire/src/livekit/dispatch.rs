//! Which agents a room asks for, as LiveKit writes it.

use super::proto;
use room::AgentRequest;

/// One of `CreateRoomRequest.agents` or of a token's `roomConfig.agents`. What only LiveKit's cloud does (restart
/// policies) is left out.
pub fn agent_request(asked: proto::RoomAgentDispatch) -> AgentRequest {
    AgentRequest {
        agent_name: asked.agent_name,
        metadata: asked.metadata,
        deployment: asked.deployment,
        attributes: asked.attributes.into_iter().collect(),
    }
}
