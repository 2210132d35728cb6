//! The relay over UDP, on a shard's thread: what is for a shard of ours costs no second socket.
//!
//! All shards listen on one port; the kernel gives a client's datagrams always to the same one, which keeps its allocation.
//! Which shard its peer lives on is another matter, and its first check says so.

use crate::egress::{EgressCounts, Gather};
use crate::turn::{RelayGrants, unix_now};
use crate::udp::Udp;
use rtc::Credentials;
use sfu::{Arrival, Origin, TunnelId, Via};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use turn::{Client, Event, Now, Relay, Server, Stats};

/// A relay's number holds the shard that keeps it; numbers of connections are smaller than any of these.
const RELAY: u64 = 1 << 63;
const HOME_SHIFT: u32 = 48;

/// The shard that keeps a relay; `None`: it is a connection.
pub(crate) fn home(tunnel: TunnelId) -> Option<u8> {
    (tunnel.0 & RELAY != 0).then_some((tunnel.0 >> HOME_SHIFT) as u8)
}

/// What is known of an allocation here.
#[derive(Clone, Copy, Debug)]
struct Tunnel {
    relay: Relay,
    /// The shard of its peer, as the last check said.
    owner: u8,
    /// The address of ours that the client sends to: answers leave from there.
    local: IpAddr,
}

/// A datagram out of a relay, for the shard that owns its peer.
pub(crate) struct Relayed<'a> {
    pub(crate) owner: u8,
    pub(crate) arrival: Arrival,
    pub(crate) datagram: &'a [u8],
}

/// One shard's part of the relay.
pub(crate) struct TurnUdp {
    home: u8,
    server: Server<RelayGrants>,
    tunnels: HashMap<TunnelId, Tunnel>,
    gather: Gather,
    scratch: Vec<u8>,
}

impl TurnUdp {
    pub(crate) fn new(home: u8, server: Server<RelayGrants>, udp: &Udp) -> Self {
        let gather = Gather::new(udp.max_segments());
        Self { home, server, tunnels: HashMap::new(), gather, scratch: Vec::new() }
    }

    fn id(&self, relay: Relay) -> TunnelId {
        TunnelId(RELAY | u64::from(self.home) << HOME_SHIFT | relay.serial & ((1 << HOME_SHIFT) - 1))
    }

    /// A client's datagram came; it is answered here. What is for a shard comes back, and so does the end of a relay.
    pub(crate) fn handle<'a>(
        &mut self,
        now: Instant,
        (udp, counts): (&Udp, &EgressCounts),
        (local, source): (SocketAddr, SocketAddr),
        datagram: &'a [u8],
    ) -> Option<Result<Relayed<'a>, (u8, Origin)>> {
        let client = Client { address: source, in_stream: false };
        let outcome = self.server.handle(Now { at: now, unix_s: unix_now() }, client, datagram);
        if let Some(reply) = outcome.reply {
            self.gather.push(udp, counts, Some(local.ip()), source, &reply);
        }
        match outcome.event? {
            Event::ToPeer { relay, peer, data } => self.pass_on(relay, local.ip(), peer, data).map(Ok),
            Event::Closed(relay) => self.ended(relay).map(Err),
        }
    }

    fn pass_on<'a>(&mut self, relay: Relay, local: IpAddr, peer: SocketAddr, data: &'a [u8]) -> Option<Relayed<'a>> {
        let id = self.id(relay);
        let named = Credentials::addressed_ufrag(data).and_then(Credentials::shard_of);
        let tunnel = match (self.tunnels.get_mut(&id), named) {
            (Some(tunnel), named) => {
                tunnel.owner = named.unwrap_or(tunnel.owner);
                *tunnel
            }
            (None, Some(owner)) => *self.tunnels.entry(id).or_insert(Tunnel { relay, owner, local }),
            (None, None) => return None,
        };
        let origin = Origin { via: Via::Relay(id), address: relay.address };
        Some(Relayed { owner: tunnel.owner, arrival: Arrival { origin, local: peer }, datagram: data })
    }

    /// A shard's datagram for the client of a relay.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        (udp, counts): (&Udp, &EgressCounts),
        tunnel: TunnelId,
        peer: SocketAddr,
        datagram: &[u8],
    ) {
        let Some(Tunnel { relay, local, .. }) = self.tunnels.get(&tunnel).copied() else { return };
        self.scratch.clear();
        if let Some(client) = self.server.wrap(now, relay, peer, datagram, &mut self.scratch) {
            self.gather.push(udp, counts, Some(local), client, &self.scratch);
        }
    }

    /// Its peer has gone.
    pub(crate) fn close(&mut self, tunnel: TunnelId) {
        if let Some(tunnel) = self.tunnels.remove(&tunnel) {
            self.server.close(tunnel.relay);
        }
    }

    /// Relays that were not refreshed: for the shards that know them.
    pub(crate) fn expired(&mut self, now: Instant) -> Vec<(u8, Origin)> {
        let ended = self.server.handle_timeout(now);
        ended.into_iter().filter_map(|relay| self.ended(relay)).collect()
    }

    fn ended(&mut self, relay: Relay) -> Option<(u8, Origin)> {
        let id = self.id(relay);
        let tunnel = self.tunnels.remove(&id)?;
        Some((tunnel.owner, Origin { via: Via::Relay(id), address: relay.address }))
    }

    /// Sends what was gathered.
    pub(crate) fn flush(&mut self, udp: &Udp, counts: &EgressCounts) {
        self.gather.flush(udp, counts);
    }

    pub(crate) fn stats(&self) -> Stats {
        self.server.stats()
    }
}
