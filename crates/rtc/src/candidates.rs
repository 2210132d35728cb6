//! The addresses that clients are told: host candidates, UDP before TCP.

use crate::packet::Protocol;
use std::net::SocketAddr;
use str0m::Candidate;
use str0m::net::TcpType;

/// Our host candidates. What comes first within a protocol is preferred.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Candidates {
    /// Of the shard's UDP socket.
    pub udp: Vec<SocketAddr>,
    /// Where connections are taken (RFC 6544, passive).
    pub tcp: Vec<SocketAddr>,
}

impl Candidates {
    /// UDP alone.
    pub fn udp(addresses: Vec<SocketAddr>) -> Self {
        Self { udp: addresses, tcp: Vec::new() }
    }

    /// Without UDP, where there is TCP at all: for a client that is to be sent over TCP.
    pub fn tcp_only(&self) -> Self {
        if self.tcp.is_empty() { self.clone() } else { Self { udp: Vec::new(), tcp: self.tcp.clone() } }
    }

    /// The addresses of one protocol.
    pub fn of(&self, protocol: Protocol) -> &[SocketAddr] {
        match protocol {
            Protocol::Udp => &self.udp,
            Protocol::Tcp => &self.tcp,
        }
    }

    /// As the ICE agent takes them.
    pub(crate) fn to_strom(&self) -> impl Iterator<Item = Candidate> {
        let udp = self.udp.iter().filter_map(|address| Candidate::host(*address, Protocol::Udp.to_strom()).ok());
        let tcp = self
            .tcp
            .iter()
            .filter_map(|address| Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive).build().ok());
        udp.chain(tcp)
    }

    /// `candidate:…` lines for a description or for trickling (RFC 8839 section 5.1, RFC 6544 section 4.5).
    pub(crate) fn lines(&self, ufrag: &str) -> Vec<String> {
        self.to_strom().enumerate().map(|(index, candidate)| line(index as u32, &candidate, ufrag)).collect()
    }
}

fn line(index: u32, candidate: &Candidate, ufrag: &str) -> String {
    let address = candidate.addr();
    // RFC 8445 section 5.1.2.1: among ours, the local preference (bits 8 to 23) says which comes first.
    let priority = (candidate.prio() & 0xFF00_00FF) | (0xFFFF - index.min(0xFFFF)) << 8;
    let (protocol, role) = if candidate.tcptype().is_some() { ("tcp", " tcptype passive") } else { ("udp", "") };
    let (ip, port) = (address.ip(), address.port());
    format!("candidate:{} 1 {protocol} {priority} {ip} {port} typ host{role} ufrag {ufrag}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Candidates {
        let address = |text: &str| text.parse().unwrap();
        Candidates {
            udp: vec![address("192.0.2.1:7882"), address("[2001:db8::1]:7882")],
            tcp: vec![address("192.0.2.1:7881")],
        }
    }

    fn priority(line: &str) -> u32 {
        line.split(' ').nth(3).unwrap().parse().unwrap()
    }

    #[test]
    fn l_29_tcp_is_told_after_udp_and_as_passive() {
        // L-29
        let lines = candidates().lines("00abc");
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with("192.0.2.1 7881 typ host tcptype passive ufrag 00abc"), "{lines:?}");
        assert!(lines[0].contains(" 1 udp ") && !lines[0].contains("tcptype"), "{lines:?}");
        assert!(lines.windows(2).all(|two| priority(&two[0]) > priority(&two[1])), "{lines:?}");
    }

    #[test]
    fn tcp_alone_is_told_where_there_is_tcp() {
        assert_eq!(candidates().tcp_only().lines("x").len(), 1);
        let udp = Candidates::udp(candidates().udp);
        assert_eq!(udp.tcp_only(), udp, "nobody is left without any way");
    }
}
