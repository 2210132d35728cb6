//! ICE credentials that say which shard they belong to.
//!
//! The ufrag carries the shard, so that a STUN request which the kernel gave to another shard (one port for all, by
//! SO_REUSEPORT) finds its owner before anything has been verified. It also survives an ICE restart: str0m draws
//! random credentials there, and [`crate::Connection`] puts ours back.

use crate::stun;

/// Length of the random part. RFC 8839 section 5.4 wants ≥ 24 bits for the ufrag and ≥ 128 for the password;
/// these have 71 and 142 (base57).
const UFRAG_RANDOM: usize = 12;
const PASSWORD_RANDOM: usize = 24;
const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// ICE user name fragment and password of our side of a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Two hex digits of the shard, then random ice-chars.
    pub ufrag: String,
    /// Random ice-chars.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, …)", self.ufrag)
    }
}

impl Credentials {
    /// Random bytes that [`Credentials::new`] needs.
    pub const ENTROPY: usize = UFRAG_RANDOM + PASSWORD_RANDOM;

    /// Credentials of a connection on `shard` (0..=255), from the caller's secure randomness.
    pub fn new(shard: u8, entropy: &[u8; Self::ENTROPY]) -> Self {
        let text = |bytes: &[u8]| bytes.iter().map(|b| char::from(ALPHABET[usize::from(*b) % 57])).collect::<String>();
        Self {
            ufrag: format!("{shard:02x}{}", text(&entropy[..UFRAG_RANDOM])),
            password: text(&entropy[UFRAG_RANDOM..]),
        }
    }

    /// The shard that a local ufrag names, if it is one of ours.
    pub fn shard_of(ufrag: &str) -> Option<u8> {
        let digits = ufrag.get(..2).filter(|_| ufrag.len() == 2 + UFRAG_RANDOM)?;
        u8::from_str_radix(digits, 16).ok()
    }

    /// The local ufrag that a STUN request is meant for, if the datagram is one.
    pub fn addressed_ufrag(datagram: &[u8]) -> Option<&str> {
        stun::username(datagram).and_then(|name| name.split_once(':')).map(|(local, _)| local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ufrag_names_its_shard() {
        let credentials = Credentials::new(31, &[7; Credentials::ENTROPY]);
        assert_eq!(Credentials::shard_of(&credentials.ufrag), Some(31));
        assert_eq!(credentials.password.len(), 24);
    }

    #[test]
    fn a_foreign_ufrag_names_none() {
        for foreign in ["", "1", "zz23456789abcd", "00short", "0é3456789abcde"] {
            assert_eq!(Credentials::shard_of(foreign), None, "{foreign}");
        }
    }
}
