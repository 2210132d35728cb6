//! The media graph of one shard: peers, the tracks they publish, and who receives which.
//!
//! Sans-IO: a [`Shard`] takes commands, datagrams, relay messages and the time, and writes to an [`Outbox`]. The
//! thread, socket and clock around it are `net::shard`. Another shard is to a track what another subscriber is: a
//! relay subscription ([`relay`]).
//!
//! The way of a packet: [`Shard::handle_datagram`] → `ingress` → `fanout` → `select` and `rewrite` → `rtc` →
//! [`Outbox::datagram`]. Its payload is stored once, as an `Arc<[u8]>`; nothing on the way locks or waits.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at some instant"))]

mod allocate;
mod backup;
mod bandwidth;
mod data;
mod demux;
mod drive;
mod fanout;
mod follow;
mod gaps;
mod ingress;
mod keyframe;
mod levels;
mod lines;
mod meter;
mod missed;
mod negotiate;
mod outbox;
mod peer;
pub mod relay;
mod rewrite;
mod select;
mod shard;
mod sound;
mod stats;
mod subscribe;
mod temporal;
mod timers;
mod track;
mod wants;
mod way;

pub use data::{CallAnswer, DataDialect, DataPacket, DataTrackPacket, StampedPacket};
pub use meter::LayerRates;
pub use outbox::Outbox;
pub use relay::{RelayMessage, RoomKey, RoomRef};
pub use shard::{Shard, ShardConfig};
pub use stats::ShardStats;
pub use track::RelayWants;
pub use way::{Arrival, Origin, TunnelId, Via, Way};
