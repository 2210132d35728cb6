use super::super::self_signed;
use super::*;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};
use std::time::{Duration, SystemTime};
use tokio_rustls::rustls;

fn certificate(name: &str) -> ServerCertificate {
    let (chain, key) = self_signed(&[name.to_owned()], SystemTime::now(), Duration::from_secs(3600)).unwrap();
    ServerCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap()
}

/// A client that trusts `trusted` and nothing else.
fn client(trusted: &ServerCertificate, name: &str, protocols: &[&[u8]]) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.key.end_entity_cert().unwrap().clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap()
}

/// Both sides' handshake, in memory.
fn handshake(mut client: ClientConnection, config: &Arc<ServerConfig>) -> Result<ServerConnection, rustls::Error> {
    let mut server = ServerConnection::new(Arc::clone(config)).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        feed(&wire, |bytes| server.read_tls(bytes));
        server.process_new_packets()?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        feed(&wire, |bytes| client.read_tls(bytes));
        client.process_new_packets()?;
    }
    Ok(server)
}

fn feed(mut wire: &[u8], mut read: impl FnMut(&mut dyn std::io::Read) -> std::io::Result<usize>) {
    while !wire.is_empty() {
        read(&mut wire).unwrap();
    }
}

const NAME: &str = "venue.example";

#[test]
fn newcomers_get_the_new_certificate_and_the_old_one_no_more() {
    let (old, new) = (certificate(NAME), certificate(NAME));
    let certificates = Certificates::new(old.clone());
    let config = certificates.server_config(&[alpn::HTTP_1_1]).unwrap();
    assert!(handshake(client(&old, NAME, &[]), &config).is_ok());
    certificates.replace(new.clone());
    assert!(handshake(client(&new, NAME, &[]), &config).is_ok());
    assert!(handshake(client(&old, NAME, &[]), &config).is_err());
}

#[test]
fn a_client_gets_a_protocol_of_its_own_or_none_at_all() {
    let certificates = Certificates::new(certificate(NAME));
    let config = certificates.server_config(&[alpn::HTTP_1_1, alpn::TURN]).unwrap();
    let spoken = |protocols: &[&[u8]]| {
        let server = handshake(client(&certificates.current(), NAME, protocols), &config).ok()?;
        Some(server.alpn_protocol().map(<[u8]>::to_vec))
    };
    assert_eq!(spoken(&[b"h2", alpn::HTTP_1_1]), Some(Some(alpn::HTTP_1_1.to_vec())));
    assert_eq!(spoken(&[alpn::TURN]), Some(Some(alpn::TURN.to_vec())));
    assert_eq!(spoken(&[]), Some(None));
    assert_eq!(spoken(&[b"h2"]), None);
}

#[test]
fn a_challenge_is_shown_to_who_asks_for_it_and_only_while_it_lasts() {
    let (usual, challenge) = (certificate(NAME), certificate(NAME));
    let certificates = Certificates::new(usual.clone());
    let config = certificates.server_config(&[alpn::HTTP_1_1, alpn::ACME]).unwrap();
    let ask =
        |trusted: &ServerCertificate, name: &str| handshake(client(trusted, name, &[alpn::ACME]), &config).is_ok();
    assert!(!ask(&usual, NAME), "no challenge is no reason to show the usual one (RFC 8737, 3)");
    assert!(certificates.begin_challenge("Venue.example", &challenge));
    assert!(ask(&challenge, NAME) && !ask(&challenge, "other.example"));
    assert!(handshake(client(&usual, NAME, &[]), &config).is_ok());
    certificates.end_challenge(NAME);
    assert!(!ask(&challenge, NAME));
}

#[test]
fn challenges_are_bounded() {
    let certificates = Certificates::new(certificate(NAME));
    let challenge = certificates.current();
    let taken = (0..=MAX_CHALLENGES).filter(|i| certificates.begin_challenge(&format!("{i}.example"), &challenge));
    assert_eq!(taken.count(), MAX_CHALLENGES);
}
