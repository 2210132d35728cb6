//! The shell around the rooms: sessions, outboxes, the registry, access.

mod access;
mod harness;
mod registry;
mod sessions;
