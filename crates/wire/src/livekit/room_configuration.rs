//! What a room is to be made with, as LiveKit says it: `RoomConfiguration` in presets and in tokens, and CreateRoom's own
//! fields, which say the same.

use super::dispatch::agent_request;
use super::proto;
use room::RoomConfig;
use room::media::PlayoutDelay;

/// `said` over `base`: what it leaves out, zero or empty, is as in `base`. What this server has not (egress,
/// tags) is left out.
pub fn configured(said: proto::RoomConfiguration, base: &RoomConfig) -> RoomConfig {
    let or = |said: u32, base: u32| if said == 0 { base } else { said };
    RoomConfig {
        empty_timeout_s: or(said.empty_timeout, base.empty_timeout_s),
        departure_timeout_s: or(said.departure_timeout, base.departure_timeout_s),
        max_participants: or(said.max_participants, base.max_participants),
        metadata: if said.metadata.is_empty() { base.metadata.clone() } else { said.metadata },
        sync_streams: said.sync_streams || base.sync_streams,
        playout_delay: match (said.min_playout_delay, said.max_playout_delay) {
            (0, 0) => base.playout_delay,
            (min_ms, max_ms) => Some(PlayoutDelay::new(min_ms, max_ms)),
        },
        agents: match said.agents.is_empty() {
            true => base.agents.clone(),
            false => said.agents.into_iter().map(agent_request).collect(),
        },
        ..base.clone()
    }
}

/// What CreateRoom says of the room besides its name and preset.
pub fn of_request(request: proto::CreateRoomRequest) -> proto::RoomConfiguration {
    proto::RoomConfiguration {
        empty_timeout: request.empty_timeout,
        departure_timeout: request.departure_timeout,
        max_participants: request.max_participants,
        metadata: request.metadata,
        sync_streams: request.sync_streams,
        min_playout_delay: request.min_playout_delay,
        max_playout_delay: request.max_playout_delay,
        agents: request.agents,
        ..Default::default()
    }
}

/// Reads JSON in either spelling, as settings and tokens have it. Keys that we don't know are left out.
///
/// # Errors
/// It is no `RoomConfiguration`; the text says where.
pub fn from_json(value: serde_json::Value) -> Result<proto::RoomConfiguration, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn l_55_what_is_not_said_is_as_it_was() {
        // L-55
        let base = RoomConfig { max_participants: 5, metadata: "base".into(), ..RoomConfig::default() };
        let said = from_json(json!({"empty_timeout": 9, "syncStreams": true, "later": 1})).unwrap();
        let config = configured(said, &base);
        assert_eq!((config.empty_timeout_s, config.max_participants, config.metadata.as_str()), (9, 5, "base"));
        assert!(config.sync_streams);
        let agents = json!({"agents": [{"agentName": "host"}], "metadata": "m", "departureTimeout": 1});
        let config = configured(from_json(agents).unwrap(), &config);
        assert_eq!((config.agents[0].agent_name.as_str(), config.metadata.as_str()), ("host", "m"));
        assert_eq!((config.empty_timeout_s, config.departure_timeout_s), (9, 1));
        assert_eq!(configured(Default::default(), &config), config);
    }

    #[test]
    fn l_39_a_playout_delay_is_as_long_as_can_be_written() {
        let of = |min: u32, max: u32| {
            let said = from_json(json!({"minPlayoutDelay": min, "maxPlayoutDelay": max})).unwrap();
            let delay = configured(said, &RoomConfig::default()).playout_delay;
            delay.map(|delay| (delay.min_ms, delay.max_ms))
        };
        assert_eq!(of(0, 0), None);
        assert_eq!([of(200, 400), of(200, 0)], [Some((200, 400)), Some((200, 40_950))]);
        assert_eq!([of(500, 100), of(99_999, 99_999)], [Some((100, 100)), Some((40_950, 40_950))]);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        assert!(from_json(json!({"maxParticipants": "many"})).is_err());
        assert!(from_json(json!([1])).is_err());
    }
}
