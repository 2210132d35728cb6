//! The token by which an agent joins: its worker's permissions, its own name, one room.

use auth::mint::{AgentIdentity, agent_token};
use auth::{KeyStore, TokenError, VideoGrant};
use room::agents::{Acceptance, Job};
use room::permission::Permission;
use room::track::TrackSource;

/// What every agent carries, so that clients know which it is (livekit.md 3, «agents ws»).
const AGENT_NAME_ATTRIBUTE: &str = "lk.agent_name";

pub(super) fn token(
    keys: &KeyStore,
    now_unix: u64,
    job: &Job,
    agent: Acceptance,
    permission: &Permission,
) -> Result<String, TokenError> {
    let mut attributes = agent.attributes;
    if !job.request.agent_name.is_empty() {
        attributes.insert(AGENT_NAME_ATTRIBUTE.to_owned(), job.request.agent_name.clone());
    }
    let Acceptance { identity, name, metadata, .. } = agent;
    let who = AgentIdentity { identity, name, metadata, attributes };
    agent_token(keys, now_unix, who, grant(permission, &job.room.name))
}

fn grant(permission: &Permission, room: &str) -> VideoGrant {
    VideoGrant {
        room_join: true,
        agent: true,
        room: room.to_owned(),
        can_subscribe: Some(permission.can_subscribe),
        can_publish: Some(permission.can_publish),
        can_publish_data: Some(permission.can_publish_data),
        can_publish_sources: permission.can_publish_sources.iter().map(|source| name(*source).to_owned()).collect(),
        can_update_own_metadata: Some(permission.can_update_metadata),
        hidden: permission.hidden,
        ..VideoGrant::default()
    }
}

fn name(source: TrackSource) -> &'static str {
    match source {
        TrackSource::Camera => "camera",
        TrackSource::Microphone => "microphone",
        TrackSource::ScreenShare => "screen_share",
        TrackSource::ScreenShareAudio => "screen_share_audio",
        TrackSource::Unknown => "unknown",
    }
}
