//! Relayed addresses: names that no other client has at the time, and no more for one participant than it needs.

use crate::quota::{Permit, Quotas};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use turn::{Family, Grants, Refusal};

/// Allocations of a participant (livekit.md 3): two connections by three URLs over two networks.
const MAX_ALLOCATIONS: u16 = 12;

/// All relayed addresses of the process. Taking and giving back are atomic: the shards share it without a lock.
#[derive(Debug)]
pub(crate) struct RelayPool {
    v4: Option<Ports>,
    v6: Option<Ports>,
    quotas: Arc<Quotas>,
}

/// The ports of one address, a bit for each that is taken.
#[derive(Debug)]
struct Ports {
    ip: IpAddr,
    first: u16,
    count: usize,
    taken: Box<[AtomicU64]>,
    /// Where the next search begins, so that a port rests before it is used again.
    cursor: AtomicUsize,
}

impl Ports {
    fn new(ip: IpAddr, range: &RangeInclusive<u16>) -> Self {
        let count = range.len();
        let taken = (0..count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { ip, first: *range.start(), count, taken, cursor: AtomicUsize::new(0) }
    }

    fn take(&self) -> Option<u16> {
        let start = self.cursor.fetch_add(1, Ordering::Relaxed);
        let free = |index: &usize| {
            let bit = 1 << (index % 64);
            self.taken[index / 64].fetch_or(bit, Ordering::AcqRel) & bit == 0
        };
        let index = (0..self.count).map(|step| (start + step) % self.count).find(free)?;
        self.cursor.store(index + 1, Ordering::Relaxed);
        Some(self.first + index as u16)
    }

    fn give_back(&self, port: u16) {
        let index = usize::from(port - self.first);
        self.taken[index / 64].fetch_and(!(1 << (index % 64)), Ordering::AcqRel);
    }
}

impl RelayPool {
    pub(crate) fn new(hosts: &[IpAddr], range: RangeInclusive<u16>) -> Self {
        let ports = |v4: bool| hosts.iter().find(|ip| ip.is_ipv4() == v4).map(|ip| Ports::new(*ip, &range));
        Self { v4: ports(true), v6: ports(false), quotas: Quotas::new(MAX_ALLOCATIONS) }
    }

    fn ports(&self, v4: bool) -> Option<&Ports> {
        if v4 { self.v4.as_ref() } else { self.v6.as_ref() }
    }
}

/// The pool as a server takes from it.
#[derive(Clone, Debug)]
pub(crate) struct RelayGrants(pub(crate) Arc<RelayPool>);

/// A relayed address, until it is dropped.
#[derive(Debug)]
pub(crate) struct Granted {
    pool: Arc<RelayPool>,
    address: SocketAddr,
    _share: Permit,
}

impl Drop for Granted {
    fn drop(&mut self) {
        if let Some(ports) = self.pool.ports(self.address.is_ipv4()) {
            ports.give_back(self.address.port());
        }
    }
}

impl Grants for RelayGrants {
    type Permit = Granted;

    fn take(&self, participant: &str, family: Family) -> Result<(SocketAddr, Granted), Refusal> {
        let ports = self.0.ports(family == Family::V4).ok_or(Refusal::Family)?;
        let share = self.0.quotas.take(participant).ok_or(Refusal::Quota)?;
        let address = SocketAddr::new(ports.ip, ports.take().ok_or(Refusal::Exhausted)?);
        Ok((address, Granted { pool: Arc::clone(&self.0), address, _share: share }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(range: RangeInclusive<u16>) -> RelayGrants {
        RelayGrants(Arc::new(RelayPool::new(&["203.0.113.1".parse().unwrap()], range)))
    }

    #[test]
    fn an_address_is_one_clients_until_it_is_given_back() {
        let grants = grants(30_000..=30_002);
        let mut held: Vec<_> = ["a", "b", "c"].map(|who| grants.take(who, Family::V4).unwrap()).into();
        let mut ports: Vec<_> = held.iter().map(|(address, _)| address.port()).collect();
        ports.sort_unstable();
        assert_eq!(ports, [30_000, 30_001, 30_002]);
        assert_eq!(grants.take("d", Family::V4).map(|(address, _)| address), Err(Refusal::Exhausted));
        held.pop();
        assert!(grants.take("d", Family::V4).is_ok());
        assert_eq!(grants.take("d", Family::V6).map(|(address, _)| address), Err(Refusal::Family));
    }

    #[test]
    fn l_02_a_participant_has_twelve() {
        // L-02
        let grants = grants(30_000..=31_000);
        let held: Vec<_> = (0..12).map(|_| grants.take("PA_1", Family::V4).unwrap()).collect();
        assert_eq!(grants.take("PA_1", Family::V4).map(|(address, _)| address), Err(Refusal::Quota));
        assert!(grants.take("PA_2", Family::V4).is_ok());
        drop(held);
        assert!(grants.take("PA_1", Family::V4).is_ok());
    }
}
