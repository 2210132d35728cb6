//! A token's grants → what a participant may and is.

use auth::{Claims, VideoGrant};
use room::participant::{Participant, ParticipantKind};
use room::permission::Permission;
use room::track::TrackSource;

/// Longest metadata and attributes in a refreshed token, in bytes: a request line ends at 64 KiB, and base64 takes a third
/// more.
const MAX_REFRESHED_BYTES: usize = 16 * 1024;

/// What the token allows (L-51).
pub(crate) fn permission(claims: &Claims) -> Permission {
    let video = &claims.video;
    Permission {
        can_subscribe: video.may_subscribe(),
        can_publish: video.may_publish(),
        can_publish_data: video.may_publish_data(),
        can_publish_sources: video.can_publish_sources.iter().map(|name| source(name)).collect(),
        can_update_metadata: video.can_update_own_metadata.unwrap_or(false),
        can_subscribe_metrics: video.can_subscribe_metrics.unwrap_or(false),
        can_manage_agent_session: video.can_manage_agent_session.unwrap_or(false),
        hidden: video.hidden,
        recorder: video.recorder,
        agent: kind(claims) == ParticipantKind::Agent,
    }
}

/// The claims of somebody who has changed since their token was made (L-52): they come back as they are now. What is
/// said of them goes into the token only as long as it stays fit for a query parameter.
pub(crate) fn update(claims: &mut Claims, you: &Participant) {
    update_grants(&mut claims.video, &you.permission);
    claims.name.clone_from(&you.name);
    let attributes: usize = you.attributes.iter().map(|(key, value)| key.len() + value.len()).sum();
    if you.metadata.len() + attributes <= MAX_REFRESHED_BYTES {
        claims.metadata.clone_from(&you.metadata);
        claims.attributes.clone_from(&you.attributes);
    }
}

fn update_grants(video: &mut VideoGrant, permission: &Permission) {
    video.can_subscribe = Some(permission.can_subscribe);
    video.can_publish = Some(permission.can_publish);
    video.can_publish_data = Some(permission.can_publish_data);
    video.can_publish_sources = permission.can_publish_sources.iter().map(|source| name(*source).to_owned()).collect();
    video.can_update_own_metadata = Some(permission.can_update_metadata);
    video.can_subscribe_metrics = Some(permission.can_subscribe_metrics);
    video.can_manage_agent_session = Some(permission.can_manage_agent_session);
    video.hidden = permission.hidden;
    video.recorder = permission.recorder;
}

/// What the participant is.
pub(crate) fn kind(claims: &Claims) -> ParticipantKind {
    match claims.kind.as_str() {
        "ingress" => ParticipantKind::Ingress,
        "egress" => ParticipantKind::Egress,
        "sip" => ParticipantKind::Sip,
        "agent" => ParticipantKind::Agent,
        _ if claims.video.agent => ParticipantKind::Agent,
        _ => ParticipantKind::Standard,
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

/// A name that we don't know stays in the list as an unknown source: an empty list would mean "all".
fn source(name: &str) -> TrackSource {
    match name.to_ascii_lowercase().as_str() {
        "camera" => TrackSource::Camera,
        "microphone" => TrackSource::Microphone,
        "screen_share" => TrackSource::ScreenShare,
        "screen_share_audio" => TrackSource::ScreenShareAudio,
        _ => TrackSource::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::VideoGrant;
    use room::participant::ParticipantState;
    use room::{Identity, Origin, ParticipantSid};

    fn claims(video: VideoGrant) -> Claims {
        Claims { video, ..Claims::default() }
    }

    #[test]
    fn l_51_without_restrictions_everything_but_the_metadata_is_allowed() {
        // L-51
        assert_eq!(permission(&claims(VideoGrant::default())), Permission::default());
    }

    #[test]
    fn l_51_sources_limit_publishing_and_an_unknown_one_does_not_mean_all() {
        // L-51
        let some =
            VideoGrant { can_publish_sources: vec!["microphone".into(), "SCREEN_SHARE".into()], ..Default::default() };
        let may = permission(&claims(some));
        assert!(may.may_publish(TrackSource::Microphone) && may.may_publish(TrackSource::ScreenShare));
        assert!(!may.may_publish(TrackSource::Camera));
        let unknown = VideoGrant { can_publish_sources: vec!["hologram".into()], ..Default::default() };
        assert!(!permission(&claims(unknown)).may_publish(TrackSource::Camera));
    }

    #[test]
    fn an_agent_is_one_by_kind_or_by_grant() {
        let by_grant = claims(VideoGrant { agent: true, ..Default::default() });
        let by_kind = Claims { kind: "agent".into(), ..Claims::default() };
        for agent in [by_grant, by_kind] {
            assert_eq!(kind(&agent), ParticipantKind::Agent);
            assert!(permission(&agent).agent);
        }
        assert_eq!(kind(&Claims { kind: "wizard".into(), ..Claims::default() }), ParticipantKind::Standard);
    }

    fn participant(permission: Permission, metadata: String) -> Participant {
        Participant {
            sid: ParticipantSid::new("PA_1"),
            identity: Identity::token("alice"),
            name: "Alice".into(),
            metadata,
            attributes: [("seat".to_owned(), "7".to_owned())].into(),
            state: ParticipantState::Active,
            permission,
            tracks: Vec::new(),
            data_tracks: Vec::new(),
            joined_at_ms: 0,
            version: 2,
            kind: ParticipantKind::Standard,
            client: Default::default(),
            disconnect_reason: None,
            is_publisher: false,
            region: String::new(),
        }
    }

    #[test]
    fn l_52_the_next_token_grants_what_is_permitted_now() {
        // L-52, L-67
        let before = claims(VideoGrant { room: "r".into(), room_join: true, ..Default::default() });
        for permission in [
            Permission { can_publish: false, can_subscribe: false, can_publish_data: false, ..Permission::default() },
            Permission {
                can_publish_sources: vec![TrackSource::ScreenShare, TrackSource::Unknown],
                can_update_metadata: true,
                hidden: true,
                can_subscribe_metrics: true,
                ..Permission::default()
            },
        ] {
            let mut claims = before.clone();
            update(&mut claims, &participant(permission.clone(), "row 3".into()));
            assert_eq!(super::permission(&claims), permission);
            assert_eq!((claims.name.as_str(), claims.metadata.as_str()), ("Alice", "row 3"));
            assert_eq!((claims.video.room.as_str(), claims.video.room_join), ("r", true));
        }
    }

    #[test]
    fn a_token_stays_short_enough_to_come_back_with() {
        let mut claims = Claims { metadata: "old".into(), ..Claims::default() };
        update(&mut claims, &participant(Permission::default(), "m".repeat(MAX_REFRESHED_BYTES)));
        assert_eq!((claims.metadata.as_str(), claims.attributes.len(), claims.name.as_str()), ("old", 0, "Alice"));
    }

    #[test]
    fn the_reserved_prefixes_are_the_origins() {
        // auth does not know rooms, so the list is written twice.
        assert_eq!(auth::token::RESERVED_PREFIXES, Origin::RESERVED_PREFIXES);
    }
}
