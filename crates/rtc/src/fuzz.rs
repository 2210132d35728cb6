//! Fuzz bodies: run by `cargo fuzz` on random input and by stable tests on truncated and flipped samples.

use crate::binding;
use crate::candidates::Candidates;
use crate::connection::{Connection, ConnectionConfig};
use crate::credentials::Credentials;
use crate::crypto::Certificate;
use crate::packet::{Protocol, Route};
use crate::red::{Red, write_red};
use crate::sdp::Sdp;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Instant;

/// A description reads, and what it writes reads the same.
pub fn sdp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(sdp) = Sdp::parse(text) {
        assert_eq!(Sdp::parse(&sdp.to_string()).as_ref(), Ok(&sdp));
    }
}

/// The ufrag of a STUN datagram.
pub fn stun(data: &[u8]) {
    if let Some(ufrag) = Credentials::addressed_ufrag(data) {
        Credentials::shard_of(ufrag);
    }
}

/// A RED payload reads, and what is written of it reads the same.
pub fn red(data: &[u8]) {
    let Ok(red) = Red::parse(data) else { return };
    let blocks: Vec<_> = red.redundant().collect();
    assert_eq!(write_red(&blocks, red.payload_type, red.primary), data);
}

/// The answer to a STUN request of ours.
pub fn binding(data: &[u8]) {
    if let Some((transaction, _)) = data.get(8..).and_then(|rest| rest.split_first_chunk()) {
        binding::mapped_address(data, transaction);
    }
}

/// The layers of scalable video: a keyframe's descriptor, and one that follows it.
pub fn scalability(data: &[u8]) {
    crate::scalability::vp8(data);
    crate::scalability::vp9(data);
    let mut templates = crate::scalability::Templates::default();
    let (first, second) = data.split_at(data.len() / 2);
    templates.read(data);
    templates.read(first);
    templates.read(second);
}

/// A connection takes an offer, and lives whatever it says.
pub fn offer(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(mut connection) = connection(now()) else { return };
    if connection.accept_offer(text, credentials()).is_ok() {
        connection.finish(&[]);
    }
}

/// A connection takes a datagram before anything was negotiated.
pub fn datagram(data: &[u8]) {
    let now = now();
    let Some(mut connection) = connection(now) else { return };
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    let route = Route { protocol: Protocol::Udp, source: address, destination: address };
    connection.verifies(now, route, data);
    // An error ends the connection; that is its right.
    let _ = connection.handle_datagram(now, route, data);
}

fn credentials() -> Credentials {
    Credentials::new(0, &[1; Credentials::ENTROPY])
}

#[allow(clippy::disallowed_methods, reason = "a connection begins at some instant; which one doesn't matter here")]
fn now() -> Instant {
    Instant::now()
}

fn connection(now: Instant) -> Option<Connection> {
    static CERTIFICATE: OnceLock<Option<Certificate>> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(Certificate::generate).clone()?;
    let candidates = Candidates::udp(vec![SocketAddr::from(([127, 0, 0, 1], 7882))]);
    Some(Connection::new(
        &ConnectionConfig { certificate, candidates, congestion_control: true, playout_delay: None },
        credentials(),
        now,
    ))
}
