//! The artists' bus as a value: who is on it, which sockets hear what, and who is shown to whom (elektron.md).
//!
//! Sans-IO: the shell gives [`Bus`] an [`Input`] and the time, and drains [`Effect`]s. What a message looks like is the
//! dialect's: here it is bytes that many sockets share, and JSON text that is kept as it came.
#![forbid(unsafe_code)]

mod bus;
pub mod effect;
pub mod founding;
pub mod gallery;
pub mod input;
pub mod limits;
pub mod pace;
pub mod world;

pub use bus::Bus;
pub use effect::{Audience, CloseReason, Complaint, Effect, Lane, SourceKey};
pub use input::{Grant, Input, Removal, Returning, Said, SocketId, View, Visitor, What};
pub use limits::BusLimits;
pub use world::{Channels, Piece, World};
