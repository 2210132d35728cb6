//! The built-in relay: where it listens, and with which certificate (L-02, L-30).

use crate::config::Config;
use crate::http_server::https::TurnDoor;
use crate::tls::{Tls, TlsError, files};
use net::pool::MediaPool;
use net::tls::rustls::ServerConfig;
use net::tls::{Certificates, alpn};
use net::turn::TurnConfig;
use std::sync::Arc;
use tokio::sync::Notify;

/// The port that somebody in front of us is reached on.
const HTTPS_PORT: u16 = 443;

/// What the settings ask for. With a certificate of its own, that is kept fresh from now on.
pub fn plan(config: &Config, tls: Option<&Tls>) -> Result<Option<TurnConfig>, TlsError> {
    if !config.turn_enabled {
        return Ok(None);
    }
    if config.turn_relay_range_start > config.turn_relay_range_end {
        return Err(TlsError::Settings("turn.relay_range_start is above turn.relay_range_end: swap them"));
    }
    let shared = shares_https(config, tls.is_some());
    let Ports { udp, tcp, tls: own_port } = ports(config, tls.is_some());
    let advertised = if config.turn_external_tls { Some(HTTPS_PORT) } else { shared.then_some(config.tls_port) };
    Ok(Some(TurnConfig {
        udp_port: udp,
        tcp_port: tcp,
        stream_port: own_port,
        tls: own_port.map(|_| own_tls(config, tls)).transpose()?.flatten(),
        domain: config.turn_domain.0.clone(),
        advertised_port: advertised.filter(|_| has_tls(config)),
        relay_ports: config.turn_relay_range_start..=config.turn_relay_range_end,
    }))
}

/// The ports that the relay takes for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ports {
    /// UDP.
    pub udp: Option<u16>,
    /// TCP.
    pub tcp: Option<u16>,
    /// TLS, unless https has the port.
    pub tls: Option<u16>,
}

/// What the settings ask for; `https`: there is such a door.
pub fn ports(config: &Config, https: bool) -> Ports {
    if !config.turn_enabled {
        return Ports::default();
    }
    let own = has_tls(config) && !shares_https(config, https);
    Ports {
        udp: port(config.turn_udp_port),
        tcp: port(config.turn_tcp_port),
        tls: port(config.turn_tls_port).filter(|_| own),
    }
}

fn port(port: u16) -> Option<u16> {
    (port != 0).then_some(port)
}

/// Without a name nobody can be sent to it, since no certificate would fit.
fn has_tls(config: &Config) -> bool {
    config.turn_tls_port != 0 && (config.turn_external_tls || !config.turn_domain.0.is_empty())
}

/// Does https hand the relay's clients over?
pub fn shares_https(config: &Config, https: bool) -> bool {
    let same = config.turn_tls_port == config.tls_port && https;
    config.turn_enabled && has_tls(config) && !config.turn_external_tls && same
}

/// `None`: somebody in front ends TLS.
fn own_tls(config: &Config, tls: Option<&Tls>) -> Result<Option<Arc<ServerConfig>>, TlsError> {
    if config.turn_external_tls {
        return Ok(None);
    }
    let certificates = match (&config.turn_cert_file, &config.turn_key_file, tls) {
        (Some(certificate), Some(key), _) => {
            let certificates = Certificates::new(files::read(certificate, key)?);
            let files = (certificate.clone(), key.clone());
            let never = Arc::new(Notify::new());
            tokio::spawn(files::follow(Arc::clone(&certificates), files, files::LOOK_EVERY, never));
            certificates
        }
        (None, None, Some(tls)) => Arc::clone(&tls.certificates),
        (None, None, None) => {
            return Err(TlsError::Settings(
                "turn.domain needs a certificate: name turn.cert_file and turn.key_file, or set up tls",
            ));
        }
        _ => return Err(TlsError::Settings("turn.cert_file and turn.key_file belong together: name both")),
    };
    Ok(Some(certificates.server_config(&[alpn::TURN])?))
}

/// How https hands the relay's clients over.
pub fn door(config: &Config, media: &MediaPool) -> TurnDoor {
    let media = media.clone();
    let take = Arc::new(move |stream, remote| media.take_turn(stream, remote));
    TurnDoor { domain: Some(config.turn_domain.0.clone()), take }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn config(flags: &[(&'static str, &str)]) -> Config {
        let flags = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
        load(&Sources { flags, ..Sources::default() }).unwrap().config
    }

    #[test]
    fn there_is_no_relay_unless_it_is_asked_for() {
        assert!(plan(&config(&[]), None).unwrap().is_none());
    }

    #[test]
    fn l_02_without_a_name_the_relay_is_for_udp_and_tcp() {
        // L-02
        let relay = plan(&config(&[("turn.enabled", "true")]), None).unwrap().unwrap();
        assert_eq!((relay.udp_port, relay.tcp_port), (Some(3478), Some(3478)));
        assert_eq!((relay.stream_port, relay.advertised_port), (None, None));
        let none = [("turn.enabled", "true"), ("turn.udp_port", "0"), ("turn.tcp_port", "0")];
        let none = plan(&config(&none), None).unwrap().unwrap();
        assert_eq!((none.udp_port, none.tcp_port), (None, None));
    }

    #[test]
    fn l_30_a_name_needs_a_certificate_and_says_so() {
        // L-30
        let named = [("turn.enabled", "true"), ("turn.domain", "turn.venue.example")];
        let refused = plan(&config(&named), None).unwrap_err().to_string();
        assert!(refused.contains("turn.cert_file"), "{refused}");
        let half = plan(&config(&[named[0], named[1], ("turn.cert_file", "chain.pem")]), None);
        assert!(half.unwrap_err().to_string().contains("belong together"));
    }

    #[test]
    fn l_30_behind_a_balancer_clients_are_sent_to_its_port() {
        // L-30
        let behind = [("turn.enabled", "true"), ("turn.domain", "turn.venue.example"), ("turn.external_tls", "true")];
        let relay = plan(&config(&behind), None).unwrap().unwrap();
        assert_eq!((relay.stream_port, relay.advertised_port, relay.tls.is_some()), (Some(5349), Some(443), false));
    }
}
