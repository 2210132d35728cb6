//! Which addresses clients are told: what we listen on, or what the configuration says stands for it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Host candidates offered at most: each costs every client a check. The order of interfaces decides.
const MAX_CANDIDATES: usize = 8;

/// The candidates of a socket on `bound`.
///
/// `advertise` replaces the local addresses (behind a 1:1 NAT); a wildcard stands for every interface's address, without
/// loopback unless `loopback` or nothing else is there.
pub fn candidates(bound: SocketAddr, advertise: &[IpAddr], loopback: bool) -> Vec<SocketAddr> {
    let with_port = |ip: &IpAddr| SocketAddr::new(*ip, bound.port());
    let same_family = |ip: &&IpAddr| ip.is_ipv4() == bound.is_ipv4() || bound.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    if !advertise.is_empty() {
        return advertise.iter().filter(same_family).map(with_port).take(MAX_CANDIDATES).collect();
    }
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    let mut addresses = interface_addresses();
    if addresses.iter().any(|ip| !ip.is_loopback()) && !loopback {
        addresses.retain(|ip| !ip.is_loopback());
    }
    addresses.iter().filter(same_family).map(with_port).take(MAX_CANDIDATES).collect()
}

/// Addresses of this machine that a peer could use: no link-local ones, which need a zone.
fn interface_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().map(|interface| interface.ip()).filter(|ip| !is_link_local(ip)).collect()
}

fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// A v4 address that a dual-stack socket shows as v6 is v4 to everybody else.
pub(crate) fn normal(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_bound_address_is_its_own_candidate() {
        assert_eq!(candidates(address("127.0.0.1:7882"), &[], false), [address("127.0.0.1:7882")]);
    }

    #[test]
    fn an_advertised_address_replaces_the_local_ones() {
        let public = ["203.0.113.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        assert_eq!(candidates(address("0.0.0.0:7882"), &public, false), [address("203.0.113.7:7882")]);
    }

    #[test]
    fn a_wildcard_stands_for_interfaces_and_never_for_itself() {
        let found = candidates(address("0.0.0.0:7882"), &[], true);
        assert!(!found.is_empty() && found.iter().all(|candidate| !candidate.ip().is_unspecified()));
    }
}
