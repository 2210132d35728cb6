//! The ways between a client and its shard: the shard's own socket, or a tunnel that the shell keeps.

use rtc::Protocol;
use std::net::{IpAddr, SocketAddr};

/// What carries datagrams beside the shard's own socket: a TCP connection, or an allocation of the TURN server. The number
/// is the shell's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TunnelId(pub u64);

/// What a datagram came by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Via {
    /// The shard's own socket.
    Udp,
    /// A connection to our TCP candidate.
    Tcp(TunnelId),
    /// Our own TURN server, handed over without a second socket: the source is the relayed address.
    Relay(TunnelId),
}

impl Via {
    /// What ICE takes it for.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Udp | Self::Relay(_) => Protocol::Udp,
            Self::Tcp(_) => Protocol::Tcp,
        }
    }

    /// The tunnel, if it is one.
    pub fn tunnel(self) -> Option<TunnelId> {
        match self {
            Self::Udp => None,
            Self::Tcp(id) | Self::Relay(id) => Some(id),
        }
    }
}

/// Who sent a datagram. The way is part of it: a relayed address may look like a socket's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// By which way.
    pub via: Via,
    /// Its address there.
    pub address: SocketAddr,
}

/// A datagram's way to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// From whom.
    pub origin: Origin,
    /// The address of ours that it was sent to.
    pub local: SocketAddr,
}

impl Arrival {
    /// By the shard's own socket.
    pub fn udp(local: SocketAddr, source: SocketAddr) -> Self {
        Self { origin: Origin { via: Via::Udp, address: source }, local }
    }
}

/// The way back to somebody who has proved an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Way {
    /// To whom.
    pub origin: Origin,
    /// The local address that their packets came to: answers must leave from there.
    pub local: IpAddr,
}
