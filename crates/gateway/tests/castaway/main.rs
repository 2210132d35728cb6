//! Castaway over real sockets on loopback.

mod access;
mod accounts;
#[path = "../common/mod.rs"]
mod common;
mod harness;
mod limits;
mod livestreams;
mod outside;
mod podcasts;
mod polling;
mod recordings;
mod sockets;
mod storage;
mod streaming;
mod uploads;
