//! Which addresses clients are told to send media to, where the machine's own list won't do: filtered, or with the address
//! by which the world sees it.

use crate::config::Config;
use crate::plan;
use net::addresses::{Filter, interfaces};
use net::external::{Mapping, discover};
use std::net::IpAddr;
use std::time::Duration;

/// Time for STUN servers to answer. A start waits for it, but only where `rtc.use_external_ip` asks for that.
const STUN_TIMEOUT: Duration = Duration::from_secs(3);

/// The addresses to tell clients; none is «the machine's own, all of them».
pub async fn advertised(config: &Config) -> Vec<IpAddr> {
    let told = &config.rtc_node_ip.0;
    let filter = filter(config);
    if !told.is_empty() || (filter == Filter::default() && !config.rtc_use_external_ip) {
        return told.clone();
    }
    let own = own(config, &filter);
    if own.is_empty() {
        tracing::warn!("rtc.interfaces and rtc.ips leave no address to tell clients: all are told");
    }
    if !config.rtc_use_external_ip {
        return own;
    }
    let mappings = discover(&own, 0, &config.rtc_stun_servers.0, STUN_TIMEOUT).await;
    if mappings.is_empty() {
        tracing::warn!("no STUN server of rtc.stun_servers has answered: clients are told the machine's own addresses");
    }
    with_external(&own, &mappings, config.rtc_external_ip_only)
}

/// The machine's addresses that may be told.
pub fn own(config: &Config, filter: &Filter) -> Vec<IpAddr> {
    if let Some(bind) = config.rtc_bind.filter(|bind| !bind.is_unspecified()) {
        return vec![bind];
    }
    let v4_only = plan::media_bind(config).is_ipv4();
    let usable = |ip: &IpAddr| (config.rtc_loopback || !ip.is_loopback()) && (ip.is_ipv4() || !v4_only);
    interfaces().filter(|(name, ip)| usable(ip) && filter.admits(name, *ip)).map(|(_, ip)| ip).collect()
}

/// What the settings leave of them.
pub fn filter(config: &Config) -> Filter {
    Filter {
        interfaces: config.rtc_interfaces_includes.0.clone(),
        not_interfaces: config.rtc_interfaces_excludes.0.clone(),
        networks: config.rtc_ips_includes.0.clone(),
        not_networks: config.rtc_ips_excludes.0.clone(),
    }
}

// External addresses first: those outside are the many, and candidates are bounded.
fn with_external(own: &[IpAddr], mappings: &[Mapping], external_only: bool) -> Vec<IpAddr> {
    let mut told: Vec<IpAddr> = Vec::new();
    let mut tell = |ip: IpAddr| {
        if !told.contains(&ip) {
            told.push(ip)
        }
    };
    mappings.iter().for_each(|mapping| tell(mapping.external));
    // One that no server answered for stays even so: without it nobody could come that way.
    let mapped = |ip: &IpAddr| mappings.iter().any(|mapping| mapping.local == *ip);
    own.iter().filter(|ip| !external_only || !mapped(ip)).copied().for_each(tell);
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn config(flags: &[(&'static str, &str)]) -> Config {
        let flags = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
        load(&Sources { flags, ..Sources::default() }).unwrap().config
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn mapping(local: &str, external: &str) -> Mapping {
        Mapping { local: local.parse().unwrap(), external: external.parse().unwrap() }
    }

    #[test]
    fn behind_nat_the_external_address_comes_first_and_the_own_stays() {
        let mappings = [mapping("10.0.0.2", "203.0.113.7")];
        assert_eq!(with_external(&ips(&["10.0.0.2"]), &mappings, false), ips(&["203.0.113.7", "10.0.0.2"]));
    }

    #[test]
    fn the_own_address_can_be_hidden_but_not_one_that_nothing_stands_for() {
        let mappings = [mapping("10.0.0.2", "203.0.113.7")];
        let own = ips(&["10.0.0.2", "2001:db8::2"]);
        assert_eq!(with_external(&own, &mappings, true), ips(&["203.0.113.7", "2001:db8::2"]));
    }

    #[test]
    fn no_address_is_told_twice() {
        let mappings =
            [mapping("10.0.0.2", "203.0.113.7"), mapping("10.0.1.2", "203.0.113.7"), mapping("1.2.3.4", "1.2.3.4")];
        let own = ips(&["10.0.0.2", "10.0.1.2", "1.2.3.4"]);
        let told = with_external(&own, &mappings, false);
        assert_eq!(told, ips(&["203.0.113.7", "1.2.3.4", "10.0.0.2", "10.0.1.2"]));
    }

    #[tokio::test]
    async fn nobody_is_asked_where_nothing_asks_for_it() {
        assert_eq!(advertised(&config(&[])).await, ips(&[]));
        let named = config(&[("rtc.node_ip", "203.0.113.5"), ("rtc.use_external_ip", "true")]);
        assert_eq!(advertised(&named).await, ips(&["203.0.113.5"]));
    }

    #[tokio::test]
    async fn what_the_filters_leave_is_told() {
        let only_loopback = config(&[("rtc.loopback", "true"), ("rtc.ips.includes", "127.0.0.0/8")]);
        assert_eq!(advertised(&only_loopback).await, ips(&["127.0.0.1"]));
        let bound = config(&[("rtc.bind", "127.0.0.1"), ("rtc.ips.excludes", "10.0.0.0/8")]);
        assert_eq!(advertised(&bound).await, ips(&["127.0.0.1"]));
    }
}
