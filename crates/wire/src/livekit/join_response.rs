//! The first message of every session (livekit.md 2.3).

use super::{PROTOCOL, SERVER_VERSION, info, proto};
use room::effect::RoomInfo;
use room::media::ConnectionMode;
use room::participant::Participant;
use std::sync::Arc;

/// Seconds between a client's pings. Never 0: Rust clients panic (livekit.md 2.10).
pub const PING_INTERVAL_S: i32 = 5;

/// Seconds without any answer after which a client gives the connection up.
pub const PING_TIMEOUT_S: i32 = 15;

/// What the server says of itself to everybody.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ServerFacts {
    /// `ND_…`
    pub node_id: String,
    /// May be empty.
    pub region: String,
    /// Bytes that mark frames injected by the server in encrypted streams (L-66).
    pub sif_trailer: Vec<u8>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<proto::IceServer>,
    /// The client is to use a relay and nothing else.
    pub force_relay: bool,
}

impl ServerFacts {
    /// `ServerInfo`: clients refuse an empty version and switch features by its value.
    pub fn info(&self) -> proto::ServerInfo {
        proto::ServerInfo {
            edition: proto::server_info::Edition::Standard as i32,
            version: SERVER_VERSION.to_owned(),
            protocol: PROTOCOL,
            region: self.region.clone(),
            node_id: self.node_id.clone(),
            debug_info: String::new(),
            agent_protocol: 1,
        }
    }

    /// `ClientConfiguration`: what differs from what clients do by themselves.
    fn client_configuration(&self) -> Option<proto::ClientConfiguration> {
        let enabled = proto::ClientConfigSetting::Enabled as i32;
        self.force_relay.then(|| proto::ClientConfiguration { force_relay: enabled, ..Default::default() })
    }

    /// `JoinResponse`.
    pub fn join_response(
        &self,
        mode: ConnectionMode,
        room: &RoomInfo,
        you: &Participant,
        others: &[Arc<Participant>],
        publish_codecs: &[String],
    ) -> proto::JoinResponse {
        proto::JoinResponse {
            room: Some(info::room(room)),
            participant: Some(info::participant(you)),
            other_participants: others.iter().map(|who| info::participant(who)).collect(),
            server_version: SERVER_VERSION.to_owned(),
            ice_servers: self.ice_servers.clone(),
            subscriber_primary: mode == ConnectionMode::Dual,
            alternative_url: String::new(),
            client_configuration: self.client_configuration(),
            server_region: self.region.clone(),
            ping_timeout: PING_TIMEOUT_S,
            ping_interval: PING_INTERVAL_S,
            server_info: Some(self.info()),
            sif_trailer: self.sif_trailer.clone(),
            enabled_publish_codecs: info::codecs(publish_codecs),
            fast_publish: you.permission.can_publish,
        }
    }

    /// `ReconnectResponse`, the first message after a resume (livekit.md 2.9). `last_message_seq`: of the last reliable
    /// packet taken from the client, which sends newer ones again; 0: none.
    pub fn reconnect_response(&self, last_message_seq: u32) -> proto::ReconnectResponse {
        proto::ReconnectResponse {
            ice_servers: self.ice_servers.clone(),
            client_configuration: self.client_configuration(),
            server_info: Some(self.info()),
            last_message_seq,
        }
    }
}
