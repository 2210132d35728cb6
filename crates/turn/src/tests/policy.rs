//! whatever a client asks for, it reaches our own candidates and nobody else.

use super::*;
use crate::message::put_channel_data;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The special-purpose blocks of RFC 6890 and its registry, multicast, and some of the world.
const V4: [(&str, u8); 19] = [
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.31.196.0", 24),
    ("192.52.193.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("192.175.48.0", 24),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
    ("8.8.8.0", 24),
];

const V6: [(&str, u8); 16] = [
    ("::", 128),
    ("::1", 128),
    ("64:ff9b::", 96),
    ("64:ff9b:1::", 48),
    ("::ffff:0:0", 96),
    ("100::", 64),
    ("2001::", 23),
    ("2001::", 32),
    ("2001:2::", 48),
    ("2001:db8::", 32),
    ("2001:10::", 28),
    ("2002::", 16),
    ("fc00::", 7),
    ("fe80::", 10),
    ("ff00::", 8),
    ("2a00:1450::", 32),
];

/// First and last of a block, their neighbours inside, and two in the middle.
fn of_block(first: u128, length: u32) -> [u128; 6] {
    let last = first | (1u128.checked_shl(length).unwrap_or(0).wrapping_sub(1));
    let inside = |offset: u128| first.saturating_add(offset).min(last);
    let middle = first + (last - first) / 2;
    [first, inside(1), middle, inside((last - first) / 3), last.saturating_sub(1).max(first), last]
}

fn v4_addresses() -> BTreeSet<Ipv4Addr> {
    let block = |(first, prefix): &(&str, u8)| {
        let first = u128::from(first.parse::<Ipv4Addr>().unwrap().to_bits());
        of_block(first, 32 - u32::from(*prefix)).map(|bits| Ipv4Addr::from_bits(bits as u32))
    };
    V4.iter().flat_map(block).chain([Ipv4Addr::BROADCAST]).collect()
}

/// An IPv4 address as IPv6 has spelled it over the years: mapped, compatible, NAT64, 6to4, and translated (RFC 2765).
fn spellings(v4: Ipv4Addr) -> [Ipv6Addr; 5] {
    let [a, b, c, d] = v4.octets().map(u16::from);
    let (high, low) = (a << 8 | b, c << 8 | d);
    [
        v4.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
    ]
}

fn addresses() -> BTreeSet<IpAddr> {
    let v4 = v4_addresses();
    let spelled = v4.iter().flat_map(|v4| spellings(*v4)).map(IpAddr::V6);
    let v6 = V6.iter().flat_map(|(first, prefix)| {
        of_block(first.parse::<Ipv6Addr>().unwrap().to_bits(), 128 - u32::from(*prefix)).map(Ipv6Addr::from_bits)
    });
    v4.iter().copied().map(IpAddr::V4).chain(spelled).chain(v6.map(IpAddr::V6)).collect()
}

/// Tries everything to get data to this peer.
fn reaches(bench: &mut Bench, peer: SocketAddr) -> bool {
    let indication = bench.indication(&peer, b"data");
    let before = bench.relayed(&indication).is_some();
    let permitted = bench.permit(&peer).class() == Class::Success && bench.relayed(&indication).is_some();
    let bound = bench.bind(0x4ABC, &peer).class() == Class::Success;
    let mut data = Vec::new();
    put_channel_data(0x4ABC, b"data", false, &mut data);
    let by_channel = bench.relayed(&data).is_some();
    before || permitted || bound || by_channel
}

#[test]
fn q_13_no_address_of_any_spelling_is_reached_but_our_own_candidates() {
    //
    let own = [address("203.0.113.1:7882"), address("127.0.0.1:7882"), address("[2001:db8:77::1]:7882")];
    let peers: Vec<_> = own.iter().map(ToString::to_string).collect();
    let peers: Vec<_> = peers.iter().map(String::as_str).collect();
    let addresses = addresses();
    assert!(addresses.len() >= 500, "only {}", addresses.len());
    for family in [1, 2] {
        let mut bench = Bench::new(&peers);
        assert_eq!(bench.allocate_family(family).class(), Class::Success);
        for ip in &addresses {
            for port in [7882, 80, 0] {
                let peer = SocketAddr::new(*ip, port);
                assert!(own.contains(&peer) || !reaches(&mut bench, peer), "{peer} was reached");
            }
        }
        assert_eq!(bench.server.stats().bytes_in, 0);
        let ours = own[if family == 1 { 0 } else { 2 }];
        assert!(reaches(&mut bench, ours), "and ours is");
    }
}

#[test]
fn q_13_a_permission_for_our_address_opens_our_media_ports_alone() {
    //
    let mut bench = Bench::new(&["203.0.113.1:7882"]);
    bench.allocate();
    assert_eq!(bench.permit(&address("203.0.113.1:22")).class(), Class::Success, "permissions have no ports");
    for port in [22, 80, 5432, 7881] {
        let data = bench.indication(&SocketAddr::from(([203, 0, 113, 1], port)), b"data");
        assert_eq!(bench.relayed(&data), None, "port {port}");
    }
}
