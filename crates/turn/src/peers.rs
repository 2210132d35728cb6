//! To whom we relay: our own candidates, and nobody else.

use std::net::{IpAddr, SocketAddr};

/// The peers that a client may reach. Addresses are compared as they are: another spelling of one of ours (such as an
/// IPv4 address inside of an IPv6 one) is not one of ours.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    addresses: Vec<SocketAddr>,
}

impl Peers {
    /// These and no others.
    pub fn only(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses }
    }

    /// May data go there?
    pub fn allow(&self, address: &SocketAddr) -> bool {
        self.addresses.contains(address)
    }

    /// Is anything at this address a peer? Permissions are for addresses without ports (RFC 8656 section 9).
    pub fn allow_ip(&self, ip: &IpAddr) -> bool {
        self.addresses.iter().any(|address| address.ip() == *ip)
    }
}
