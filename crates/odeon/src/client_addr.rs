//! Who is really asking, where reverse proxies stand in between.
//!
//! `X-Forwarded-For` is a list that every hop appends to, and whoever asks can begin it with anything. So it is read from
//! its end, and only as far as the hops are proxies that the settings name (`http.trusted_proxies`).

use crate::config::Networks;
use http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// Hops that are looked at: more proxies than anybody has.
const MAX_HOPS: usize = 16;

/// Headers by which a proxy gives itself away.
const FORWARDING: &[&str] = &["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/// A request's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's address, as far as it can be trusted.
    pub address: IpAddr,
    /// Whether the request came through a proxy that the settings don't name: then the address is that proxy's.
    pub behind_unknown_proxy: bool,
    /// Whether a trusted proxy says that it was reached over TLS.
    pub secure: bool,
}

impl Client {
    /// The client is on this machine.
    pub fn is_local(&self) -> bool {
        self.address.is_loopback() && !self.behind_unknown_proxy
    }
}

/// Finds the client of a request that came from `peer`.
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> Client {
    let peer = peer.to_canonical();
    if !trusted.contains(peer) {
        let behind_unknown_proxy = FORWARDING.iter().any(|name| headers.contains_key(*name));
        return Client { address: peer, behind_unknown_proxy, secure: false };
    }
    Client { address: last_untrusted(peer, headers, trusted), behind_unknown_proxy: false, secure: is_secure(headers) }
}

// The last proxy's word: what stands before it may be the client's.
fn is_secure(headers: &HeaderMap) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|line| line.to_str().ok());
    last.and_then(|line| line.rsplit(',').next()).is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

fn last_untrusted(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut address = peer;
    for hop in hops_from_the_end(headers).take(MAX_HOPS) {
        // What can't be read ends the list: what stands before it is nobody's word.
        let Some(hop) = parse_hop(hop) else { break };
        address = hop;
        if !trusted.contains(hop) {
            break;
        }
    }
    address
}

fn hops_from_the_end(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all("x-forwarded-for").iter().collect::<Vec<_>>();
    lines.into_iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(',').map(str::trim))
}

// Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let address = bare.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    fn client(peer: &str, forwarded: &[&str], trusted: &str) -> Client {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        resolve(peer.parse().unwrap(), &headers, &Networks::parse(trusted).unwrap())
    }

    fn address(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        client(peer, forwarded, trusted).address.to_string()
    }

    #[test]
    fn without_configured_proxies_nobody_can_claim_an_address() {
        assert_eq!(address("203.0.113.5", &["127.0.0.1"], ""), "203.0.113.5");
        assert_eq!(address("203.0.113.5", &["127.0.0.1"], "10.0.0.0/8"), "203.0.113.5");
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        assert_eq!(address("10.0.0.1", &["203.0.113.5"], "10.0.0.0/8"), "203.0.113.5");
        assert_eq!(address("::ffff:10.0.0.1", &["203.0.113.5"], "10.0.0.0/8"), "203.0.113.5");
    }

    #[test]
    fn what_the_client_wrote_before_the_proxy_is_not_believed() {
        assert_eq!(address("10.0.0.1", &["127.0.0.1, 203.0.113.5"], "10.0.0.0/8"), "203.0.113.5");
        assert_eq!(address("10.0.0.1", &["127.0.0.1", "203.0.113.5"], "10.0.0.0/8"), "203.0.113.5");
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed_to_its_end() {
        assert_eq!(address("10.0.0.1", &["203.0.113.5, 10.0.0.3, 10.0.0.2"], "10.0.0.0/8"), "203.0.113.5");
    }

    #[test]
    fn an_unreadable_hop_ends_the_chain() {
        assert_eq!(address("10.0.0.1", &["203.0.113.5, unknown, 10.0.0.2"], "10.0.0.0/8"), "10.0.0.2");
        assert_eq!(address("10.0.0.1", &["203.0.113.5", "ä"], "10.0.0.0/8"), "10.0.0.1");
    }

    #[test]
    fn ports_and_brackets_are_read_past() {
        assert_eq!(address("10.0.0.1", &["203.0.113.5:4711"], "10.0.0.0/8"), "203.0.113.5");
        assert_eq!(address("10.0.0.1", &["[2001:db8::1]:4711"], "10.0.0.0/8"), "2001:db8::1");
        assert_eq!(address("10.0.0.1", &["[2001:db8::1]"], "10.0.0.0/8"), "2001:db8::1");
    }

    #[test]
    fn an_endless_chain_is_not_followed() {
        let chain = vec!["10.0.0.2"; 10_000].join(",");
        assert_eq!(address("10.0.0.1", &[&chain], "10.0.0.0/8"), "10.0.0.2");
    }

    #[test]
    fn a_request_through_a_proxy_that_nobody_named_is_not_local() {
        assert!(client("127.0.0.1", &[], "").is_local());
        assert!(!client("127.0.0.1", &["203.0.113.5"], "").is_local());
        assert!(!client("127.0.0.1", &["203.0.113.5"], "127.0.0.1").is_local());
    }

    #[test]
    fn only_a_trusted_proxy_can_say_that_it_was_reached_over_tls() {
        let secure = |trusted: &str, protos: &[&str]| {
            let mut headers = HeaderMap::new();
            for proto in protos {
                headers.append("x-forwarded-proto", proto.parse().unwrap());
            }
            resolve("10.0.0.1".parse().unwrap(), &headers, &Networks::parse(trusted).unwrap()).secure
        };
        assert!(secure("10.0.0.1", &["https"]));
        assert!(!secure("", &["https"]) && !secure("10.0.0.1", &["http"]) && !secure("10.0.0.1", &[]));
        assert!(!secure("10.0.0.1", &["https", "http"]) && !secure("10.0.0.1", &["https, http"]));
    }
}
