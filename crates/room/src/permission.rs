//! What a participant may do, taken from its token (L-51) or its role.

use crate::track::TrackSource;

/// A participant's permissions. LiveKit: `ParticipantPermission` and the `video` grant of the token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permission {
    /// May receive tracks and data.
    pub can_subscribe: bool,
    /// May publish tracks (of `can_publish_sources`, if that isn't empty).
    pub can_publish: bool,
    /// May send data packets.
    pub can_publish_data: bool,
    /// Empty: every source.
    pub can_publish_sources: Vec<TrackSource>,
    /// May change its own metadata, name and attributes.
    pub can_update_metadata: bool,
    /// May receive metrics. Kept and shown; there are none to receive.
    pub can_subscribe_metrics: bool,
    /// May start and stop an agent's session by RPC. Kept and shown: the agent asks for it.
    pub can_manage_agent_session: bool,
    /// Not shown to others.
    pub hidden: bool,
    /// A recorder: hidden, and shown as such to the API.
    pub recorder: bool,
    /// An agent (kind AGENT).
    pub agent: bool,
}

impl Default for Permission {
    /// LiveKit's default when a token sets none: everything but the metadata (L-51).
    fn default() -> Self {
        Self {
            can_subscribe: true,
            can_publish: true,
            can_publish_data: true,
            can_publish_sources: Vec::new(),
            can_update_metadata: false,
            can_subscribe_metrics: false,
            can_manage_agent_session: false,
            hidden: false,
            recorder: false,
            agent: false,
        }
    }
}

impl Permission {
    /// Not shown to others: hidden, or a recorder.
    pub fn is_hidden(&self) -> bool {
        self.hidden || self.recorder
    }

    /// May this source be published?
    pub fn may_publish(&self, source: TrackSource) -> bool {
        self.can_publish && (self.can_publish_sources.is_empty() || self.can_publish_sources.contains(&source))
    }
}
