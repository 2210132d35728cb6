//! A LiveKit client of our own, and the loads made with it.
//!
//! It stands on str0m alone and knows nothing of the crate `rtc`, so that a mistake there isn't shared here. Peers
//! are sans-IO values; a few threads ([`engine::Engine`]) turn them, so that one process holds hundreds of
//! participants. Signalling ([`signal`]) is ordinary async code, one task a [`Client`].
//!
//! What it publishes is synthetic but well formed: VP8 with whole payload descriptors and real keyframe headers, Opus
//! packets with audio levels, both stamped ([`stamp`]) so that receivers can check what arrived.

#![forbid(unsafe_code)]
// Nobody else is served here: waiting for a child process or between datagrams may block its thread.
#![allow(clippy::disallowed_methods)]

pub mod client;
pub mod engine;
pub mod fanout;
pub mod ledger;
pub mod meter;
pub mod opus;
pub mod peer;
pub mod relay;
pub mod report;
pub mod scenario;
pub mod server;
pub mod signal;
pub mod stamp;
pub mod token;
pub mod vp8;

pub use client::{Client, ConnectError, Event, Mode, Options};
pub use engine::Engine;
pub use ledger::TrackStats;
pub use opus::AudioSpec;
pub use token::Grant;
pub use vp8::VideoSpec;
