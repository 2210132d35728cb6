//! The schedule by HTTP (E-31, E-32): what operators write, what other calendars say, and who may be asked.

#[path = "../common/mod.rs"]
mod common;
mod harness;
mod operators;
mod rooms;
mod sources;
