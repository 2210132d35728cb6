//! Dialects: bytes in, words of the room model out, and back. Decoding and encoding, nothing else.
//!
//! One module a dialect. Nothing here reads a clock, a socket or a random number; every parser has named limits,
//! returns errors and is fuzzed by a body in [`fuzz`].
#![forbid(unsafe_code)]

pub mod calendar;
pub mod castaway;
pub mod elektron;
pub mod fuzz;
pub mod ics;
pub mod livekit;
pub mod websocket;
