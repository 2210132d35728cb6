//! Which addresses clients are told: what we listen on, or what the configuration says stands for it.

use crate::network::Network;
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
pub fn interface_addresses() -> Vec<IpAddr> {
    interfaces().map(|(_, ip)| ip).collect()
}

/// The same, each with its interface's name.
pub fn interfaces() -> impl Iterator<Item = (String, IpAddr)> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let named = interfaces.into_iter().map(|interface| (interface.name.clone(), interface.ip()));
    named.filter(|(_, ip)| !is_link_local(ip))
}

/// Which of a machine's addresses may be told. An empty list of includes admits all; excludes win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of interfaces that alone are used.
    pub interfaces: Vec<String>,
    /// Names of interfaces that are not used, such as a container bridge's.
    pub not_interfaces: Vec<String>,
    /// Blocks that alone are used.
    pub networks: Vec<Network>,
    /// Blocks that are not used.
    pub not_networks: Vec<Network>,
}

impl Filter {
    /// Whether the address `ip` of the interface `name` may be told.
    pub fn admits(&self, name: &str, ip: IpAddr) -> bool {
        let named = |names: &[String]| names.iter().any(|other| other == name);
        let within = |networks: &[Network]| networks.iter().any(|network| network.contains(ip));
        let included = self.interfaces.is_empty() || named(&self.interfaces);
        let in_network = self.networks.is_empty() || within(&self.networks);
        included && in_network && !named(&self.not_interfaces) && !within(&self.not_networks)
    }
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
    fn of_many_interfaces_those_are_told_that_are_wanted() {
        let all = [("eth0", "192.0.2.1"), ("eth0", "2001:db8::1"), ("wg0", "10.8.0.1"), ("docker0", "172.17.0.1")];
        let told = |filter: &Filter| -> Vec<&str> {
            all.iter().filter(|(name, ip)| filter.admits(name, ip.parse().unwrap())).map(|(_, ip)| *ip).collect()
        };
        let (names, blocks) = (|name: &str| vec![name.to_owned()], |block: &str| vec![block.parse().unwrap()]);
        assert_eq!(told(&Filter::default()).len(), all.len());
        let eth0 = Filter { interfaces: names("eth0"), ..Filter::default() };
        assert_eq!(told(&eth0), ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(told(&Filter { networks: blocks("192.0.2.0/24"), ..eth0.clone() }), ["192.0.2.1"]);
        assert_eq!(told(&Filter { not_networks: blocks("::/0"), ..eth0 }), ["192.0.2.1"]);
        let no_bridge = Filter { not_interfaces: names("docker0"), ..Filter::default() };
        assert_eq!(told(&no_bridge), ["192.0.2.1", "2001:db8::1", "10.8.0.1"]);
    }

    #[test]
    fn a_wildcard_stands_for_interfaces_and_never_for_itself() {
        let found = candidates(address("0.0.0.0:7882"), &[], true);
        assert!(!found.is_empty() && found.iter().all(|candidate| !candidate.ip().is_unspecified()));
    }
}
