//! LiveKit's signalling, data packets and server API (livekit.md 2).
//!
//! | file | what |
//! |---|---|
//! | [`query`] | the query string of a join |
//! | [`join_request`] | who joins and how: v0 query or v1 `join_request` |
//! | [`signal`] | a client's message → what the room is told |
//! | [`event`] | what a session is told → the server's messages |
//! | [`join_response`] | the first of them |
//! | [`info`] | rooms, participants and tracks as LiveKit writes them |
//! | [`track`] | a track as a client announces it |
//! | [`data`] | data packets, stamped without being unpacked |
//! | [`data_track`] | data tracks: packets and announcements |
//! | [`rpc`] | calls that the server makes for a backend |
//! | [`dispatch`] | the agents that a room asks for |
//! | [`twirp`], [`json_names`] | the server API's two encodings and its errors |
//! | [`agent`] | agents' workers, and dispatches |
//! | [`webhook`] | what backends are told |

pub mod agent;
pub mod chat;
pub mod data;
pub mod data_track;
pub mod dispatch;
pub mod event;
pub mod info;
pub mod join_request;
pub mod join_response;
pub mod json_names;
pub mod query;
pub mod room_configuration;
pub mod rpc;
pub mod signal;
pub mod track;
pub mod twirp;
pub mod webhook;

mod protobuf;
mod simulate;
mod sync_state;

pub use livekit_protocol as proto;

/// The signalling protocol that we speak. Not 18: that would promise negotiated data channels 100 to 102
/// (livekit.md 2.2).
pub const PROTOCOL: i32 = 17;

/// The version that we report. Clients switch features by it: over 1.13.6 they publish VP9 and AV1 as rid simulcast
/// (livekit.md 2.2), which we don't take.
pub const SERVER_VERSION: &str = "1.13.5";
