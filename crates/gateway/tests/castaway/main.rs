//! Castaway over real sockets on loopback.

mod access;
mod accounts;
mod harness;
mod limits;
mod livestreams;
mod outside;

mod podcasts;
mod polling;
mod recordings;
mod sockets;
mod streaming;
