//! Ports that a start would take and can't: found by trying, and given back at once.

use crate::config::Config;
use crate::doctor::facts::TakenPort;
use crate::tls::Source;
use crate::{listen, plan, relay};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// All of them.
pub(super) fn taken(config: &Config) -> Vec<TakenPort> {
    let mut taken = tcp("http.port", &config.http_bind.0, config.http_port);
    if matches!(Source::of(config), Ok(Some(_))) {
        taken.extend(tcp("tls.port", &config.tls_bind.0, config.tls_port));
    }
    if config.rtc_tcp_port != 0 {
        let bind = config.rtc_bind.filter(|bind| !bind.is_unspecified());
        taken.extend(tcp("rtc.tcp_port", bind.as_slice(), config.rtc_tcp_port));
    }
    taken.extend(media(config));
    taken.extend(relay(config));
    taken
}

fn relay(config: &Config) -> Vec<TakenPort> {
    let relay = relay::ports(config, matches!(Source::of(config), Ok(Some(_))));
    let bind = config.rtc_bind.filter(|bind| !bind.is_unspecified());
    let streams = [("turn.tcp_port", relay.tcp), ("turn.tls_port", relay.tls)];
    let streams = streams.into_iter().filter_map(|(setting, port)| Some(tcp(setting, bind.as_slice(), port?)));
    let datagrams = relay.udp.map(|port| udp("turn.udp_port", SocketAddr::new(plan::media_bind(config), port)));
    streams.flatten().chain(datagrams.flatten()).collect()
}

fn udp(setting: &'static str, address: SocketAddr) -> Option<TakenPort> {
    UdpSocket::bind(address).err().map(|error| port_of(setting, format!("udp {address}"), &error))
}

fn tcp(setting: &'static str, addresses: &[IpAddr], port: u16) -> Vec<TakenPort> {
    let first = addresses.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let socket = format!("tcp {}", SocketAddr::new(first, port));
    listen::bind(addresses, port, setting).err().map(|error| port_of(setting, socket, &error)).into_iter().collect()
}

fn media(config: &Config) -> Vec<TakenPort> {
    let shards = if config.rtc_single_port || config.rtc_udp_port == 0 { 1 } else { plan::shards(config.rtc_shards) };
    let bind = plan::media_bind(config);
    let addresses = (0..shards).map_while(|shard| Some(SocketAddr::new(bind, config.rtc_udp_port.checked_add(shard)?)));
    addresses.filter_map(|address| udp("rtc.udp_port", address)).collect()
}

fn port_of(setting: &'static str, socket: String, error: &io::Error) -> TakenPort {
    TakenPort { setting, socket, in_use: error.kind() == io::ErrorKind::AddrInUse }
}
