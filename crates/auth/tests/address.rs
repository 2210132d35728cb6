//! Addresses that the server may be made to connect to: every special block at its edges and inside, every
//! IPv4 address in its IPv6 spellings.

use auth::address::is_global;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// (first, last) of IPv4 blocks that are inside, by the registries and not by the table under test.
const V4_INSIDE: [(&str, &str); 19] = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("168.63.129.16", "168.63.129.16"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.31.196.0", "192.31.196.255"),
    ("192.52.193.0", "192.52.193.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("192.175.48.0", "192.175.48.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
];

/// Famous ones inside those blocks: metadata services and what people try first.
const V4_FAMOUS: [&str; 14] = [
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.169.123",
    "100.100.100.200",
    "192.0.0.192",
    "10.0.0.1",
    "172.17.0.1",
    "172.31.0.2",
    "192.168.0.1",
    "192.168.1.254",
    "224.0.0.251",
    "255.255.255.255",
];

const V6_INSIDE: [&str; 40] = [
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b:1::",
    "64:ff9b:1::808:808",
    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "64:ff9b::1:808:808",
    "100::",
    "100::ffff:ffff:ffff:ffff",
    "100:0:0:1::1",
    "1fff:ffff::1",
    "2001::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:1::1",
    "2001:2::1",
    "2001:3::1",
    "2001:4:112::1",
    "2001:10::1",
    "2001:20::1",
    "2001:30::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "2002::1",
    "2002:808:808::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fec0::1",
    "ff02::fb",
];

const GLOBAL: [&str; 41] = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.31.195.255",
    "192.52.194.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "192.175.49.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "2606:4700:4700::1111",
    "2620:4f:7fff::1",
    "2a00:1450:4001:80b::200e",
    "3fff:1000::1",
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// Inside: the first, the last and some between of each block, and the famous.
fn v4_inside() -> Vec<Ipv4Addr> {
    let some = |(first, last): (&str, &str)| {
        let (first, last) = (v4(first).to_bits(), v4(last).to_bits());
        let at = move |part: u64| (u64::from(first) + u64::from(last - first) * part / 5) as u32;
        [0, 1, 2, 3, 4, 5].map(at).map(Ipv4Addr::from_bits)
    };
    let mut all: Vec<_> = V4_INSIDE.into_iter().flat_map(some).chain(V4_FAMOUS.into_iter().map(v4)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn with_tail(head: [u16; 6], tail: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = tail.octets();
    let [x, y] = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    Ipv6Addr::new(head[0], head[1], head[2], head[3], head[4], head[5], x, y)
}

/// Mapped and NAT64: what they name is what is reached.
fn transparent(inner: Ipv4Addr) -> [IpAddr; 2] {
    [[0, 0, 0, 0, 0, 0xffff], [0x64, 0xff9b, 0, 0, 0, 0]].map(|head| with_tail(head, inner).into())
}

/// Compatible, translated, 6to4, Teredo (the inner address is inverted), ISATAP under a global prefix (both forms).
fn tunnelled(inner: Ipv4Addr) -> [IpAddr; 6] {
    let [a, b, c, d] = inner.octets();
    let six_to_four = Ipv6Addr::new(0x2002, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), 0, 0, 0, 0, 1);
    [
        with_tail([0; 6], inner),
        with_tail([0, 0, 0, 0, 0xffff, 0], inner),
        six_to_four,
        with_tail([0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf], Ipv4Addr::from_bits(!inner.to_bits())),
        with_tail([0x2a00, 0x1450, 0, 0, 0, 0x5efe], inner),
        with_tail([0x2a00, 0x1450, 0, 0, 0x0200, 0x5efe], inner),
    ]
    .map(IpAddr::from)
}

#[test]
fn q_13_q_22_nothing_inside_is_global_in_any_spelling() {
    //
    let mut tried = 0;
    for inner in v4_inside() {
        let spellings = transparent(inner).into_iter().chain(tunnelled(inner));
        for address in spellings.chain([IpAddr::V4(inner)]) {
            assert!(!is_global(address), "{address} ({inner})");
            tried += 1;
        }
    }
    for text in V6_INSIDE {
        assert!(!is_global(address(text)), "{text}");
        tried += 1;
    }
    assert!(tried >= 500, "{tried}");
}

#[test]
fn q_22_the_open_internet_is_global_right_beside_every_block() {
    //
    for text in GLOBAL {
        assert!(is_global(address(text)), "{text}");
    }
}

/// Networks without IPv4 reach it by NAT64, and a dual-stack socket by mapped addresses; a tunnel's end may be anywhere.
#[test]
fn q_22_an_ipv4_address_in_ipv6_is_what_it_is_unless_a_tunnel_carries_it() {
    //
    for inner in ["8.8.8.8", "1.1.1.1", "223.255.255.255"].map(v4) {
        assert!(transparent(inner).into_iter().all(is_global), "{inner}");
        assert!(!tunnelled(inner).into_iter().any(is_global), "{inner}");
    }
}

/// The edges of each block, from outside: one address further is global unless another block begins there.
#[test]
fn q_22_each_block_ends_where_its_registry_says() {
    //
    let inside = |bits: u32| V4_INSIDE.iter().any(|(a, b)| (v4(a).to_bits()..=v4(b).to_bits()).contains(&bits));
    for (first, last) in V4_INSIDE {
        let before = v4(first).to_bits().checked_sub(1);
        let after = v4(last).to_bits().checked_add(1);
        for bits in before.into_iter().chain(after) {
            let address = Ipv4Addr::from_bits(bits);
            assert_eq!(is_global(address.into()), !inside(bits), "{address}");
        }
    }
}
