//! Which agents a room asks for.

use crate::limits::{MAX_ATTRIBUTES_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES};
use crate::room::attributes_bytes;
use std::collections::BTreeMap;

/// An agent that a room wants. LiveKit: `RoomAgentDispatch`, of `roomConfig.agents` in tokens and of CreateRoom.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AgentRequest {
    /// The name that workers register under; empty for those without one.
    pub agent_name: String,
    /// Handed to the agent with its job.
    pub metadata: String,
    /// Which of the workers of that name, where several versions run; empty for those without one.
    pub deployment: String,
    /// Handed to the agent with its job.
    pub attributes: BTreeMap<String, String>,
}

impl AgentRequest {
    /// What of it is longer than it may be, if anything.
    pub fn too_long(&self) -> Option<&'static str> {
        let sizes = [
            ("agent_name", self.agent_name.len(), MAX_NAME_BYTES),
            ("deployment", self.deployment.len(), MAX_NAME_BYTES),
            ("metadata", self.metadata.len(), MAX_METADATA_BYTES),
            ("attributes", attributes_bytes(&self.attributes), MAX_ATTRIBUTES_BYTES),
        ];
        sizes.into_iter().find(|(_, size, limit)| size > limit).map(|(field, ..)| field)
    }
}
