//! STUN's Binding transaction from the asking side (RFC 8489): how a machine behind NAT learns its public address.

use crate::stun::{HEADER, MAGIC_COOKIE, MAX_ATTRIBUTES, attribute, is_stun};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Bytes of a transaction id (RFC 8489, 5).
pub const TRANSACTION: usize = 12;

/// Binding request and success response (RFC 8489, 5 and 18.2).
const REQUEST: [u8; 2] = [0x00, 0x01];
const SUCCESS: [u8; 2] = [0x01, 0x01];
/// RFC 8489, 14.1: what servers before RFC 5389 say.
const MAPPED_ADDRESS: u16 = 0x0001;
/// RFC 8489, 14.2.
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// A Binding request. `transaction` is random: who can't see the request can't answer it.
pub fn request(transaction: &[u8; TRANSACTION]) -> [u8; HEADER] {
    let mut message = [0; HEADER];
    message[..2].copy_from_slice(&REQUEST);
    message[4..8].copy_from_slice(&MAGIC_COOKIE);
    message[8..].copy_from_slice(transaction);
    message
}

/// The address from which the server saw the request with this `transaction`; `None` is no answer to it.
pub fn mapped_address(response: &[u8], transaction: &[u8; TRANSACTION]) -> Option<SocketAddr> {
    if !is_stun(response) || response[..2] != SUCCESS || response[8..HEADER] != *transaction {
        return None;
    }
    let announced = usize::from(u16::from_be_bytes([response[2], response[3]]));
    let mut rest = response.get(HEADER..HEADER + announced)?;
    let mut plain = None;
    for _ in 0..MAX_ATTRIBUTES {
        let Some((kind, value, next)) = attribute(rest) else { break };
        match kind {
            // A NAT that rewrites addresses in packets can't find this one, so it goes before the plain one.
            XOR_MAPPED_ADDRESS => return unmask(address(value)?, transaction),
            MAPPED_ADDRESS => plain = address(value),
            _ => {}
        }
        rest = next;
    }
    plain
}

/// RFC 8489, 14.1: a zero, the family, the port, the address.
fn address(value: &[u8]) -> Option<SocketAddr> {
    let (head, octets) = value.split_first_chunk::<4>()?;
    let ip = match head[1] {
        IPV4 => IpAddr::from(<[u8; 4]>::try_from(octets).ok()?),
        IPV6 => IpAddr::from(<[u8; 16]>::try_from(octets).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([head[2], head[3]])))
}

/// RFC 8489, 14.2: port and address are XORed with the cookie, and an IPv6 address with the transaction id after it.
fn unmask(masked: SocketAddr, transaction: &[u8; TRANSACTION]) -> Option<SocketAddr> {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE);
    mask[4..].copy_from_slice(transaction);
    let port = masked.port() ^ u16::from_be_bytes([MAGIC_COOKIE[0], MAGIC_COOKIE[1]]);
    let ip = match masked.ip() {
        IpAddr::V4(ip) => Ipv4Addr::from(u32::from(ip) ^ u32::from_be_bytes(MAGIC_COOKIE)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) ^ u128::from_be_bytes(mask)).into(),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 5769, 2.2 and 2.3: sample responses of an IPv4 and an IPv6 server.
    const TRANSACTION_ID: [u8; TRANSACTION] = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";
    const V4: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20\
        \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
        \x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
        \x80\x28\x00\x04\xc0\x7d\x4c\x96";
    const V6: &[u8] = b"\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20\
        \x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9\
        \x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41\
        \x80\x28\x00\x04\xc8\xfb\x0b\x4c";

    #[test]
    fn the_rfcs_own_samples_are_read() {
        assert_eq!(mapped_address(V4, &TRANSACTION_ID), Some("192.0.2.1:32853".parse().unwrap()));
        let v6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(mapped_address(V6, &TRANSACTION_ID), Some(v6));
    }

    #[test]
    fn only_a_success_response_to_this_very_request_counts() {
        assert_eq!(mapped_address(V4, &[0; TRANSACTION]), None);
        assert_eq!(mapped_address(&request(&TRANSACTION_ID), &TRANSACTION_ID), None);
        let mut error = V4.to_vec();
        error[..2].copy_from_slice(&[0x01, 0x11]);
        assert_eq!(mapped_address(&error, &TRANSACTION_ID), None);
    }

    #[test]
    fn an_old_servers_plain_address_will_do() {
        let mut old = V4[..HEADER].to_vec();
        old[2..4].copy_from_slice(&12_u16.to_be_bytes());
        old.extend_from_slice(&[0, 1, 0, 8, 0, IPV4, 0x12, 0x34, 192, 0, 2, 9]);
        assert_eq!(mapped_address(&old, &TRANSACTION_ID), Some("192.0.2.9:4660".parse().unwrap()));
    }

    #[test]
    fn a_response_cut_short_or_bent_is_read_without_harm() {
        for sample in [V4, V6] {
            (0..sample.len()).for_each(|cut| crate::fuzz::binding(&sample[..cut]));
            for at in 0..sample.len() * 8 {
                let mut bent = sample.to_vec();
                bent[at / 8] ^= 1 << (at % 8);
                crate::fuzz::binding(&bent);
            }
        }
    }
}
