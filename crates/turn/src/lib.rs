//! A TURN server (RFC 8656) for one purpose: to bring clients behind firewalls to our own media.
//!
//! Sans-IO: a [`Server`] takes what clients send and the time, and says what to answer and what to hand over. It relays to
//! the peers of its [`Peers`] and to nobody else, whatever it is asked, and those are reached in process: no relayed address
//! has a socket of its own.
//!
//! Who has not proved to own its address gets no more bytes than it sent, and few answers ([`budget`]); nonces and
//! credentials are computed, not kept, so a flood of strangers costs no memory.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at some instant"))]

mod allocation;
mod attribute;
mod budget;
pub mod credentials;
pub mod fuzz;
pub mod message;
mod peers;
mod server;
#[cfg(test)]
mod tests;

pub use attribute::Family;
pub use credentials::{Login, Secret};
pub use peers::Peers;
pub use server::{Client, Config, Event, Grants, Now, Outcome, Refusal, Relay, Server, Stats};
