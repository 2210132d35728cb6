//! Whose is this datagram? STUN by ufrag, everything else by an address that has been verified.
//!
//! Nothing that came from the network makes an entry before its MESSAGE-INTEGRITY was checked, so a flood of
//! forged sources costs a hash look-up each and no memory.

use crate::peer::PeerKey;
use crate::way::Origin;
use room::media::Target;
use std::collections::HashMap;

/// Addresses that one connection may prove: every pair of two dozen interfaces is more than any device has.
pub(crate) const MAX_SOURCES: usize = 24;

/// Where a datagram goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Destination {
    pub(crate) peer: PeerKey,
    pub(crate) target: Target,
}

#[derive(Debug, Default)]
pub(crate) struct Demux {
    ufrags: HashMap<String, (PeerKey, Target)>,
    sources: HashMap<Origin, Destination>,
}

impl Demux {
    /// Checks addressed to this ufrag are for that connection.
    pub(crate) fn add_ufrag(&mut self, ufrag: &str, peer: PeerKey, target: Target) {
        self.ufrags.insert(ufrag.to_owned(), (peer, target));
    }

    pub(crate) fn remove_ufrag(&mut self, ufrag: &str) {
        self.ufrags.remove(ufrag);
    }

    pub(crate) fn by_ufrag(&self, ufrag: &str) -> Option<(PeerKey, Target)> {
        self.ufrags.get(ufrag).copied()
    }

    /// This address has proved that it belongs to that connection. The last proof wins: a NAT may give a port again.
    pub(crate) fn verified(&mut self, source: Origin, destination: Destination) {
        self.sources.insert(source, destination);
    }

    pub(crate) fn by_source(&self, source: &Origin) -> Option<Destination> {
        self.sources.get(source).copied()
    }

    /// Forgets an address, if it still is that peer's.
    pub(crate) fn forget(&mut self, source: &Origin, peer: PeerKey) {
        if self.sources.get(source).is_some_and(|destination| destination.peer == peer) {
            self.sources.remove(source);
        }
    }

    pub(crate) fn addresses(&self) -> usize {
        self.sources.len()
    }
}
