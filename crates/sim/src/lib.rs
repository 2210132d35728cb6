//! The world in virtual time: the real room model and media graph, clients on str0m, and links that lose and delay.
//!
//! Nothing sleeps: [`World::run`] jumps from one due thing to the next, so minutes of a show take milliseconds of a test.
//! str0m draws randomness that can't be seeded: assert behaviour, not bytes.
#![forbid(unsafe_code)]

mod client;
mod decoder;
mod link;
mod media;
mod world;

pub use client::{Client, Received, Takes};
pub use decoder::{Decoded, Decoder};
pub use link::LinkConfig;
pub use media::{Camera, Microphone};
pub use world::{ClientId, World, WorldConfig};
