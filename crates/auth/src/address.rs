//! Which addresses may be connected to on somebody else's word: those on the open internet, and none inside
//! a network, on this machine, or of a cloud's own services.
//!
//! IPv4 is everything but a list (the IANA special-purpose registry of RFC 6890, multicast, and what clouds put beside
//! it). IPv6 is nothing but what has been handed out (2000::/3), less a list. An IPv4 address in an IPv6 spelling is the
//! IPv4 address that it is, where systems connect so; where a tunnel would carry it, it is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block: its first address and how many bits all of it share.
struct Block<A>(A, u32);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32) -> Block<Ipv4Addr> {
    Block(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 4], prefix: u32) -> Block<Ipv6Addr> {
    Block(Ipv6Addr::new(head[0], head[1], head[2], head[3], 0, 0, 0, 0), prefix)
}

/// IPv4 that is not the open internet. Where a registry calls an address inside such a block reachable (anycast of
/// protocols that nobody speaks to us), it is refused all the same.
const V4_INSIDE: [Block<Ipv4Addr>; 19] = [
    v4(0, 0, 0, 0, 8),        // this network (RFC 791): 0.0.0.0 is this machine
    v4(10, 0, 0, 0, 8),       // private (RFC 1918)
    v4(100, 64, 0, 0, 10),    // carriers' NAT (RFC 6598), and the metadata of Alibaba Cloud
    v4(127, 0, 0, 0, 8),      // loopback (RFC 1122)
    v4(168, 63, 129, 16, 32), // the host of a machine at Azure, on an address that looks like the internet's
    v4(169, 254, 0, 0, 16),   // link-local (RFC 3927), and the metadata of most clouds
    v4(172, 16, 0, 0, 12),    // private (RFC 1918)
    v4(192, 0, 0, 0, 24),     // IETF protocol assignments (RFC 6890)
    v4(192, 0, 2, 0, 24),     // documentation (RFC 5737)
    v4(192, 31, 196, 0, 24),  // AS112 (RFC 7535): answered by whoever is nearest
    v4(192, 52, 193, 0, 24),  // AMT relays (RFC 7450)
    v4(192, 88, 99, 0, 24),   // 6to4 relays (RFC 7526)
    v4(192, 168, 0, 0, 16),   // private (RFC 1918)
    v4(192, 175, 48, 0, 24),  // AS112 (RFC 7534)
    v4(198, 18, 0, 0, 15),    // benchmarks (RFC 2544)
    v4(198, 51, 100, 0, 24),  // documentation (RFC 5737)
    v4(203, 0, 113, 0, 24),   // documentation (RFC 5737)
    v4(224, 0, 0, 0, 4),      // multicast (RFC 5771)
    v4(240, 0, 0, 0, 4),      // reserved, and broadcast (RFC 1112, RFC 8190)
];

/// All that has been handed out to the world (RFC 4291). Unique local, link-local, multicast and loopback are outside.
const V6_HANDED_OUT: Block<Ipv6Addr> = v6([0x2000, 0, 0, 0], 3);

/// What of it is not the open internet.
const V6_INSIDE: [Block<Ipv6Addr>; 5] = [
    v6([0x2001, 0, 0, 0], 23),     // IETF protocol assignments (RFC 2928), Teredo's IPv4 among them
    v6([0x2001, 0xdb8, 0, 0], 32), // documentation (RFC 3849)
    v6([0x2002, 0, 0, 0], 16),     // 6to4 (RFC 3056): an IPv4 address inside, reached by a tunnel
    v6([0x2620, 0x4f, 0x8000, 0], 48), // AS112 (RFC 7534)
    v6([0x3fff, 0, 0, 0], 20),     // documentation (RFC 9637)
];

/// `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2): the system connects to the IPv4 address.
const V4_MAPPED: Block<Ipv6Addr> = Block(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

/// `64:ff9b::a.b.c.d` (RFC 6052): a translator in the network does. Networks without IPv4 resolve all of it so.
const NAT64: Block<Ipv6Addr> = v6([0x64, 0xff9b, 0, 0], 96);

/// Is this address on the open internet? If not, nobody but the operator may make the server connect to it.
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => v4_is_global(address),
        IpAddr::V6(address) => v6_is_global(address),
    }
}

fn v4_is_global(address: Ipv4Addr) -> bool {
    !V4_INSIDE.iter().any(|block| block.contains(address))
}

fn v6_is_global(address: Ipv6Addr) -> bool {
    if V4_MAPPED.contains(address) || NAT64.contains(address) {
        return v4_is_global(low_v4(address));
    }
    let inside = V6_INSIDE.iter().any(|block| block.contains(address));
    V6_HANDED_OUT.contains(address) && !inside && !is_isatap(address)
}

/// ISATAP (RFC 5214, 6.1): the last 64 bits are `0:5efe` or `200:5efe` and an IPv4 address, reached by a tunnel.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., universal, fixed, _, _] = address.segments();
    universal & !0x0200 == 0 && fixed == 0x5efe
}

fn low_v4(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

impl Block<Ipv4Addr> {
    fn contains(&self, address: Ipv4Addr) -> bool {
        (self.0.to_bits() ^ address.to_bits()) >> (32 - self.1) == 0
    }
}

impl Block<Ipv6Addr> {
    fn contains(&self, address: Ipv6Addr) -> bool {
        (self.0.to_bits() ^ address.to_bits()) >> (128 - self.1) == 0
    }
}
