//! Messages from one to many over WebSockets (P-6), and sockets that do nothing: the load for Odeon's bus and for the
//! servers that it is measured against, which speak other dialects over the same WebSocket.
//!
//! Five hundred sockets on the same machine must cost less than the server that they measure. So they are plain
//! non-blocking streams under one poll, and a message is not decoded: its stamp is looked for.

pub mod dialect;
pub mod frames;
pub mod idle;
pub mod load;
pub mod socket;

pub use dialect::Dialect;
pub use load::{Load, Outcome, run};
