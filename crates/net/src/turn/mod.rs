//! The built-in relay (L-02, Q-13, P-10): clients behind firewalls reach our own shards by it, and nobody else.
//!
//! Over UDP it lives on the shards' threads ([`udp`]), over TCP and TLS in the connection's task ([`stream`]). Either way what a
//! client sends is handed to its shard in this process: a relayed address is a name, and no socket.

mod grants;
pub mod probe;
pub(crate) mod stream;
pub(crate) mod udp;

use grants::{RelayGrants, RelayPool};

use crate::tls::rustls::ServerConfig;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use turn::{Peers, Secret};

/// Settings of the relay.
#[derive(Clone, Debug)]
pub struct TurnConfig {
    /// UDP port; 0 draws a free one.
    pub udp_port: Option<u16>,
    /// Port for connections as they are (`turn:…?transport=tcp`); 0 draws a free one.
    pub tcp_port: Option<u16>,
    /// Port for connections with TLS; 0 draws a free one. `None`: nobody connects, or HTTPS has the port and hands them over
    /// ([`crate::pool::MediaPool::take_turn`]).
    pub stream_port: Option<u16>,
    /// How connections are secured; its certificate may be replaced meanwhile. `None`: somebody in front of us does that
    /// (`turn.external_tls`).
    pub tls: Option<Arc<ServerConfig>>,
    /// The name that stands in the certificate: clients are sent to `turns:` with it.
    pub domain: String,
    /// The port that clients are sent to with `turns:`, where it isn't our own.
    pub advertised_port: Option<u16>,
    /// Ports of relayed addresses. None of them is bound.
    pub relay_ports: RangeInclusive<u16>,
}

/// Where clients find a relay, and what they log in with (JoinResponse.ice_servers).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TurnServer {
    /// RFC 7065.
    pub urls: Vec<String>,
    /// Good for some minutes.
    pub username: String,
    /// Its password.
    pub credential: String,
}

/// Where it listens.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bound {
    pub(crate) udp: Option<SocketAddr>,
    pub(crate) tcp: Option<SocketAddr>,
    pub(crate) tls: Option<SocketAddr>,
}

/// What all parts of the relay share.
#[derive(Debug)]
pub(crate) struct RelayServer {
    secret: Arc<Secret>,
    peers: Arc<Peers>,
    pool: Arc<RelayPool>,
    plain_urls: Vec<String>,
    tls_urls: Vec<String>,
}

impl RelayServer {
    /// `candidates`: the shards' own.
    pub(crate) fn new(config: &TurnConfig, candidates: &[SocketAddr], bound: &Bound, entropy: &[u8; 32]) -> Self {
        let hosts = hosts(candidates);
        // The order in which clients try them (L-29).
        let ways = [(bound.udp, "udp"), (bound.tcp, "tcp")];
        let ways = ways.into_iter().filter_map(|(bound, transport)| Some((bound?.port(), transport)));
        let url =
            |host: &IpAddr, port, transport| format!("turn:{}?transport={transport}", SocketAddr::new(*host, port));
        let plain_urls = ways.flat_map(|(port, transport)| hosts.iter().map(move |host| url(host, port, transport)));
        let port = config.advertised_port.or(bound.tls.map(|tls| tls.port()));
        let tls_urls = port.iter().filter(|_| !config.domain.is_empty());
        let tls_urls = tls_urls.map(|port| format!("turns:{}:{port}?transport=tcp", config.domain));
        Self {
            secret: Arc::new(Secret::new(entropy)),
            peers: Arc::new(Peers::only(candidates.to_vec())),
            pool: Arc::new(RelayPool::new(&hosts, config.relay_ports.clone())),
            plain_urls: plain_urls.collect(),
            tls_urls: tls_urls.collect(),
        }
    }

    /// For a participant. `tls_only`: nothing but TLS is told.
    pub(crate) fn server_for(&self, participant: &str, tls_only: bool, now_unix: u64) -> Option<TurnServer> {
        let plain = self.plain_urls.iter().filter(|_| !tls_only);
        let urls: Vec<_> = plain.chain(&self.tls_urls).cloned().collect();
        let login = self.secret.login(participant, now_unix);
        (!urls.is_empty()).then_some(TurnServer { urls, username: login.username, credential: login.password })
    }

    pub(crate) fn server(&self) -> turn::Server<RelayGrants> {
        let (secret, peers) = (Arc::clone(&self.secret), Arc::clone(&self.peers));
        turn::Server::new(turn::Config { secret, peers, grants: RelayGrants(Arc::clone(&self.pool)) })
    }
}

/// One address of each version of IP: relayed addresses and URLs use these.
fn hosts(candidates: &[SocketAddr]) -> Vec<IpAddr> {
    let first = |v4: bool| candidates.iter().map(SocketAddr::ip).find(|ip| ip.is_ipv4() == v4);
    [first(true), first(false)].into_iter().flatten().collect()
}

/// Seconds since 1970. A clock before that is as good as at it: nobody's login is valid then.
pub(crate) fn unix_now() -> u64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(domain: &str, advertised_port: Option<u16>) -> RelayServer {
        let config = TurnConfig {
            udp_port: Some(3478),
            tcp_port: Some(3478),
            stream_port: Some(5349),
            tls: None,
            domain: domain.into(),
            advertised_port,
            relay_ports: 30_000..=30_010,
        };
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let candidates = [address("203.0.113.1:7882"), address("203.0.113.1:7883"), address("[2001:db8::1]:7882")];
        let [udp, tcp, tls] = ["0.0.0.0:3478", "0.0.0.0:3479", "0.0.0.0:5349"].map(|text| Some(address(text)));
        RelayServer::new(&config, &candidates, &Bound { udp, tcp, tls }, &[1; 32])
    }

    #[test]
    fn l_02_clients_are_told_where_the_relay_really_is() {
        // L-02
        let told = relay("turn.venue.example", None).server_for("PA_1", false, 0).unwrap();
        assert_eq!(
            told.urls,
            [
                "turn:203.0.113.1:3478?transport=udp",
                "turn:[2001:db8::1]:3478?transport=udp",
                "turn:203.0.113.1:3479?transport=tcp",
                "turn:[2001:db8::1]:3479?transport=tcp",
                "turns:turn.venue.example:5349?transport=tcp"
            ]
        );
        assert!(told.username.ends_with(":PA_1") && !told.credential.is_empty());
        let behind = relay("turn.venue.example", Some(443)).server_for("PA_1", true, 0).unwrap();
        assert_eq!(behind.urls, ["turns:turn.venue.example:443?transport=tcp"]);
    }

    #[test]
    fn l_30_without_a_name_for_its_certificate_nobody_is_sent_to_tls() {
        // L-30
        assert_eq!(relay("", None).server_for("PA_1", true, 0), None);
    }
}
