//! How much each of many may have at a time, without a lock and without memory for each.
//!
//! A table of counters by the hash of a key. Two keys may share a counter and then share its limit; the hash is keyed
//! anew in each process, so that nobody can choose with whom.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// Counters: two hundred keys share one with a chance of 0.3 %.
const COUNTERS: usize = 65_536;

/// A limit for each key.
#[derive(Debug)]
pub(crate) struct Quotas {
    limit: u16,
    keys: RandomState,
    counters: Box<[AtomicU16]>,
}

impl Quotas {
    pub(crate) fn new(limit: u16) -> Arc<Self> {
        let counters = (0..COUNTERS).map(|_| AtomicU16::new(0)).collect();
        Arc::new(Self { limit, keys: RandomState::new(), counters })
    }

    /// One more for this key, until the permit is dropped. `None`: it has its share.
    pub(crate) fn take(self: &Arc<Self>, key: impl Hash) -> Option<Permit> {
        let index = self.keys.hash_one(key) as usize % COUNTERS;
        let take = |count: u16| (count < self.limit).then_some(count + 1);
        self.counters[index].fetch_update(Ordering::AcqRel, Ordering::Acquire, take).ok()?;
        Some(Permit { quotas: Arc::clone(self), index })
    }
}

/// One of a key's share.
#[derive(Debug)]
pub(crate) struct Permit {
    quotas: Arc<Quotas>,
    index: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.quotas.counters[self.index].fetch_sub(1, Ordering::AcqRel);
    }
}

/// What counts as one address: with IPv6 whoever has one has 2^64 (RFC 4291 section 2.5.1).
pub(crate) fn one_address(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_share_and_gets_it_back() {
        let quotas = Quotas::new(2);
        let (first, second) = (quotas.take("a").unwrap(), quotas.take("a"));
        assert!(second.is_some() && quotas.take("a").is_none());
        drop(first);
        assert!(quotas.take("a").is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let one = |text: &str| one_address(text.parse().unwrap());
        assert_eq!(one("2001:db8::1"), one("2001:db8::ffff:1"));
        assert_ne!(one("2001:db8::1"), one("2001:db8:0:1::1"));
        assert_eq!(one("::ffff:192.0.2.1"), one("192.0.2.1"));
    }
}
