//! Attributes of STUN and TURN (RFC 8489 section 14, RFC 8656 section 18), and how addresses stand in them.

use crate::message::{MAGIC_COOKIE, TransactionId};
use std::net::{IpAddr, SocketAddr};

pub(crate) const USERNAME: u16 = 0x0006;
pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(crate) const ERROR_CODE: u16 = 0x0009;
pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
pub(crate) const CHANNEL_NUMBER: u16 = 0x000C;
pub(crate) const LIFETIME: u16 = 0x000D;
pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
pub(crate) const DATA: u16 = 0x0013;
pub(crate) const REALM: u16 = 0x0014;
pub(crate) const NONCE: u16 = 0x0015;
pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
pub(crate) const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
pub(crate) const DONT_FRAGMENT: u16 = 0x001A;
pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// Attributes under this must be understood (RFC 8489 section 14).
const OPTIONAL_FROM: u16 = 0x8000;

const UNDERSTOOD: [u16; 12] = [
    USERNAME,
    MESSAGE_INTEGRITY,
    CHANNEL_NUMBER,
    LIFETIME,
    XOR_PEER_ADDRESS,
    DATA,
    REALM,
    NONCE,
    REQUESTED_ADDRESS_FAMILY,
    REQUESTED_TRANSPORT,
    DONT_FRAGMENT,
    XOR_MAPPED_ADDRESS,
];

/// Must it be understood, and isn't it?
pub(crate) fn is_unknown(kind: u16) -> bool {
    kind < OPTIONAL_FROM && !UNDERSTOOD.contains(&kind)
}

/// A version of IP as attributes say it (RFC 8489 section 14.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// 0x01.
    V4,
    /// 0x02.
    V6,
}

impl Family {
    pub(crate) fn of(address: &IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::V4),
            2 => Some(Self::V6),
            _ => None,
        }
    }
}

/// The bytes that an address is hidden with (RFC 8489 section 14.2): the cookie, then the transaction.
fn mask(transaction: &TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE);
    mask[4..].copy_from_slice(transaction);
    mask
}

/// An address out of an XOR-…-ADDRESS.
pub(crate) fn read_address(value: &[u8], transaction: &TransactionId) -> Option<SocketAddr> {
    let (head, hidden) = value.split_first_chunk::<4>()?;
    let mask = mask(transaction);
    let port = u16::from_be_bytes([head[2] ^ mask[0], head[3] ^ mask[1]]);
    let plain = |index: usize, byte: &u8| byte ^ mask[index];
    let ip = match (Family::from_byte(head[1])?, hidden.len()) {
        (Family::V4, 4) => IpAddr::from(<[u8; 4]>::try_from(hidden).ok()?.map_with(plain)),
        (Family::V6, 16) => IpAddr::from(<[u8; 16]>::try_from(hidden).ok()?.map_with(plain)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// An address as the value of an XOR-…-ADDRESS.
pub(crate) fn write_address(address: &SocketAddr, transaction: &TransactionId) -> Vec<u8> {
    let mask = mask(transaction);
    let port = address.port().to_be_bytes();
    let mut value = vec![0, if address.is_ipv4() { 1 } else { 2 }, port[0] ^ mask[0], port[1] ^ mask[1]];
    let hide = |bytes: &[u8]| bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<_>>();
    value.extend(match address.ip() {
        IpAddr::V4(v4) => hide(&v4.octets()),
        IpAddr::V6(v6) => hide(&v6.octets()),
    });
    value
}

trait MapWith {
    fn map_with(self, map: impl Fn(usize, &u8) -> u8) -> Self;
}

impl<const N: usize> MapWith for [u8; N] {
    fn map_with(self, map: impl Fn(usize, &u8) -> u8) -> Self {
        std::array::from_fn(|index| map(index, &self[index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_its_mask() {
        let transaction = [0xA7; 12];
        for text in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            let address: SocketAddr = text.parse().unwrap();
            let value = write_address(&address, &transaction);
            assert_eq!(read_address(&value, &transaction), Some(address));
            assert_eq!(read_address(&value[..value.len() - 1], &transaction), None);
        }
    }

    /// RFC 5769 section 2.2 and 2.3.
    #[test]
    fn the_rfcs_own_addresses_are_read() {
        let transaction = [0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE];
        let v4 = [0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43];
        assert_eq!(read_address(&v4, &transaction), Some("192.0.2.1:32853".parse().unwrap()));
        let v6 = [
            0, 2, 0xA1, 0x47, 0x01, 0x13, 0xA9, 0xFA, 0xA5, 0xD3, 0xF1, 0x79, 0xBC, 0x25, 0xF4, 0xB5, 0xBE, 0xD2, 0xB9,
            0xD9,
        ];
        assert_eq!(
            read_address(&v6, &transaction),
            Some("[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap())
        );
    }
}
