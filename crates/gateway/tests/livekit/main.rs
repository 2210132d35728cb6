//! LiveKit's gateway and the pages over real HTTP on loopback.

mod administration;
mod agents;
mod api;
mod bad_input;
#[path = "../common/mod.rs"]
mod common;
mod connect;
mod harness;
mod pages;
mod resume;
mod room_config;
mod session;
mod silence;
mod simulate;
