//! Sockets, threads and clocks of the media plane.
//!
//! [`pool`] is the border that room tasks see. Behind it, each [`shard`] is one OS thread with its own UDP socket
//! ([`udp`]) and its own part of the media graph (`sfu::Shard`). Shards talk over bounded rings ([`mesh`]).

pub mod addresses;
mod egress;
pub mod external;
mod mesh;
pub mod network;
pub mod pool;
mod rooms;
mod shard;
mod stray;
pub mod tls;
mod udp;
