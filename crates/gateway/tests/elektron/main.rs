//! The artists' bus over real sockets on loopback.

mod access;
mod audience;
mod chat;
#[path = "../common/mod.rs"]
mod common;
mod fanout;
mod grace;
mod harness;
mod http;
mod images;
mod joining;
mod limits;
mod moderation;
mod operators;
mod presence;
mod slow;
mod stats;
mod upgrade;
