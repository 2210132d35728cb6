//! Checks of the way that media takes.

use super::{Facts, Finding};
use crate::doctor::facts::WorldFacts;
use std::net::IpAddr;

/// Interfaces that lead to containers and virtual machines on this machine, by how their names begin (Docker, Podman, CNI,
/// libvirt, LXC).
const BRIDGES: &[&str] = &["docker", "br-", "podman", "cni", "virbr", "lxcbr", "lxdbr", "veth"];

pub(super) fn udp(facts: &Facts) -> Finding {
    let Some(world) = &facts.world else { return Finding::unknown("udp", "not asked") };
    if world.stun_servers == 0 {
        return Finding::unknown("udp", "rtc.stun_servers names nobody who could tell");
    }
    if !world.mappings.is_empty() {
        return Finding::good("udp", "datagrams get out and answers come back");
    }
    let (first, last) = facts.media_ports;
    let remedy = format!("Open UDP {first} to {last} in the firewall, in both directions.");
    Finding::fault("udp", "datagrams don't get out, or no answers come back", remedy)
}

pub(super) fn address(facts: &Facts) -> Finding {
    if facts.local_only {
        return Finding::good("address", "this machine only, as the settings want it");
    }
    let Some(world) = facts.world.as_ref().filter(|world| !world.mappings.is_empty()) else {
        return Finding::unknown("address", format!("clients are told {}", list(&facts.told)));
    };
    let missing: Vec<IpAddr> = external(world).filter(|ip| !facts.told.contains(ip)).collect();
    if missing.is_empty() {
        return Finding::good("address", format!("clients are told {}, as the world sees it", list(&facts.told)));
    }
    let found = format!("clients are told {}, but the world sees {}", list(&facts.told), list(&missing));
    let remedy = match facts.told_by_settings {
        true => format!("Set rtc.node_ip to {}.", list(&missing)),
        false => format!("Set rtc.use_external_ip to true, or rtc.node_ip to {}.", list(&missing)),
    };
    Finding::fault("address", found, remedy)
}

fn external(world: &WorldFacts) -> impl Iterator<Item = IpAddr> {
    world.mappings.iter().map(|mapping| mapping.external)
}

pub(super) fn container(facts: &Facts) -> Finding {
    let reachable = |ip: &IpAddr| auth::address::is_global(*ip) || !facts.own.iter().any(|(_, own)| own == ip);
    if facts.in_container && !facts.local_only && !facts.told.iter().any(reachable) {
        let found = format!("clients are told {}, which is inside this container", list(&facts.told));
        let remedy =
            "Give the container the machine's network (--network host), or publish the ports and set rtc.node_ip.";
        return Finding::fault("container", found, remedy);
    }
    match facts.own.iter().find(|(name, ip)| is_bridge(name) && facts.told.contains(ip)) {
        Some((name, ip)) => {
            let found = format!("clients are told {ip}, which leads to this machine's containers only");
            Finding::warning("container", found, format!("Set rtc.interfaces.excludes to {name}."))
        }
        None => Finding::good("container", "no address of a container is told to anybody"),
    }
}

fn is_bridge(interface: &str) -> bool {
    BRIDGES.iter().any(|prefix| interface.starts_with(prefix))
}

pub(super) fn ipv6(facts: &Facts) -> Finding {
    let usable = |ip: &IpAddr| ip.is_ipv6() && !ip.is_loopback();
    if facts.local_only || facts.told.iter().any(usable) {
        return Finding::good(
            "ipv6",
            if facts.local_only { "not needed" } else { "clients are told an IPv6 address too" },
        );
    }
    match facts.own.iter().map(|(_, ip)| ip).find(|ip| usable(ip)) {
        Some(ip) => {
            let found = format!("the machine has {ip}, but clients are told IPv4 only");
            Finding::warning("ipv6", found, format!("Add {ip} to rtc.node_ip, and let rtc.bind and rtc.ips admit it."))
        }
        None => {
            let remedy = "Give the machine an IPv6 address, if its network has any.";
            Finding::warning(
                "ipv6",
                "no IPv6: phones in IPv6 networks come by their carrier's translation only",
                remedy,
            )
        }
    }
}

pub(super) fn turn(facts: &Facts) -> Finding {
    let Some(turn) = &facts.turn else { return Finding::good("turn", "off, as the settings want it") };
    let ours: Vec<IpAddr> = facts.told.iter().copied().chain(facts.own.iter().map(|(_, ip)| *ip)).collect();
    if let Some(addresses) = turn.leads_to.as_ref().filter(|_| !turn.domain.is_empty()) {
        if addresses.is_empty() {
            let remedy = format!("Give {} an A record with this machine's public address.", turn.domain);
            return Finding::fault("turn", format!("{} leads nowhere", turn.domain), remedy);
        }
        if !addresses.iter().any(|ip| ours.contains(ip)) {
            let found = format!("{} leads to {}, which is not this machine", turn.domain, list(addresses));
            return Finding::fault("turn", found, format!("Let {} lead to {}.", turn.domain, list(&facts.told)));
        }
    }
    match turn.silent.as_deref() {
        Some([]) => Finding::good("turn", "it answers"),
        Some(silent) => {
            let silent = silent.join(", ");
            let found = format!("it does not answer where clients are sent by {silent}");
            Finding::fault("turn", found, format!("Open {silent} in the firewall, and start the server anew."))
        }
        None => Finding::unknown("turn", "it is not asked while nothing runs here"),
    }
}

/// For people.
fn list(addresses: &[IpAddr]) -> String {
    match addresses {
        [] => "no address".to_owned(),
        addresses => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
