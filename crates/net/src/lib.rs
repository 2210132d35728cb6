//! Sockets, threads and clocks of the media plane.
//!
//! [`pool`] is the border that room tasks see. Behind it, each [`shard`] is one OS thread with its own UDP socket
//! ([`udp`]) and its own part of the media graph (`sfu::Shard`). Shards talk over bounded rings ([`mesh`]). Who can't send
//! UDP comes through a [`tunnel`].

pub mod addresses;
pub mod clock;
mod counts;
mod egress;
pub mod external;
pub mod fuzz;
mod mesh;
pub mod network;
pub mod pool;
mod quota;
mod rooms;
mod shard;
mod stray;
pub mod tls;
mod tunnel;
mod udp;

pub use udp::buffer_bytes;
