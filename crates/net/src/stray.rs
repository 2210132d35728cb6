//! One port for all shards: the kernel may give a datagram to the wrong one.
//!
//! A STUN request says in its ufrag whose it is. For everything else the receiving shard keeps a table of its own, from
//! source to owner, written only when the owner has verified the source, bounded, and aged.

use rtc::Credentials;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Entries: more than a port has clients. A full table drops newcomers' media until old entries have aged.
const MAX_ENTRIES: usize = 65_536;
/// Unused so long, an entry goes: ICE consent is renewed every few seconds.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Sources whose datagrams come to this shard and belong to another.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    owners: HashMap<SocketAddr, (u8, Instant)>,
}

impl Strays {
    /// The other shard that a datagram belongs to; `None`: this one's, or nobody's.
    pub(crate) fn owner(&mut self, own: u8, now: Instant, source: &SocketAddr, datagram: &[u8]) -> Option<u8> {
        if let Some(ufrag) = Credentials::addressed_ufrag(datagram) {
            return Credentials::shard_of(ufrag).filter(|shard| *shard != own);
        }
        let entry = self.owners.get_mut(source)?;
        entry.1 = now;
        Some(entry.0)
    }

    /// A shard has verified that this source is its own.
    pub(crate) fn learn(&mut self, source: SocketAddr, owner: u8, now: Instant) {
        if self.owners.len() < MAX_ENTRIES || self.owners.contains_key(&source) {
            self.owners.insert(source, (owner, now));
        }
    }

    /// A source has turned out to be this shard's own.
    pub(crate) fn forget(&mut self, source: &SocketAddr) {
        self.owners.remove(source);
    }

    /// Drops what has not been used for long.
    pub(crate) fn age(&mut self, now: Instant) {
        self.owners.retain(|_, (_, used)| now.saturating_duration_since(*used) < MAX_AGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_of_a_source_follows_its_owner_until_it_ages() {
        let (mut strays, start) = (Strays::default(), Instant::now());
        let source: SocketAddr = "192.0.2.1:5000".parse().unwrap();
        assert_eq!(strays.owner(0, start, &source, &[0x80, 96]), None);
        strays.learn(source, 3, start);
        assert_eq!(strays.owner(0, start, &source, &[0x80, 96]), Some(3));
        strays.age(start + MAX_AGE);
        assert_eq!(strays.owner(0, start, &source, &[0x80, 96]), None);
    }
}
