//! The shell around the rooms: sessions, outboxes, the registry, access.

mod access;
#[path = "../common/mod.rs"]
mod common;
mod harness;
mod registry;
mod sessions;
