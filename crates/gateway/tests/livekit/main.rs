//! LiveKit's gateway and the pages over real HTTP on loopback.

mod agents;
mod api;
mod bad_input;
mod connect;
mod harness;
mod pages;
mod resume;
mod session;
mod silence;
