//! One WebRTC connection: datagrams in, our own packets, messages and feedback out; packets and messages in,
//! datagrams out; offers answered and made.
//!
//! Sans-IO, in virtual time. str0m does the protocol inside and is named in this crate alone (and in `sim` and
//! `bench`), so that its inside can be replaced. What its SDP can't say, [`negotiation`] finishes.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at some instant"))]

pub mod binding;
mod candidates;
pub mod codec;
pub mod connection;
pub mod credentials;
pub mod crypto;
mod descriptor;
pub mod fuzz;
pub mod negotiation;
pub mod packet;
pub mod red;
pub mod scalability;
pub mod sdp;
pub mod stun;

pub use candidates::Candidates;
pub use codec::Codec;
pub use connection::{Connection, ConnectionConfig, ConnectionError, Event, Output, PlayoutDelay};
pub use credentials::Credentials;
pub use descriptor::Descriptor;
pub use negotiation::{OfferedSection, SectionKind, SectionPlan};
pub use packet::{
    ChannelId, Datagram, IngressPacket, Mid, OutgoingPacket, Protocol, Rid, Route, SendStream, Vp8, Vp8Rewrite,
};
pub use scalability::{Scalability, Temporal};
pub use sdp::Sdp;
