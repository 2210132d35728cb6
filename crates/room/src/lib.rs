//! The room model: who is in a room, what they publish, who receives what, and who may do which.
//!
//! Sans-IO: [`Room`](room::Room) is a value. The shell gives it a [`RoomInput`] and the time, and drains
//! [`RoomEffect`]s. No socket, clock, task or randomness of its own, so every rule is tested in virtual time.
//!
//! The words here are the words of `spec/product.md`: room, participant, track, layer, subscription, message.
#![forbid(unsafe_code)]

pub mod admin;
pub mod agents;
pub mod chat;
pub mod codecs;
pub mod data_track;
pub mod dispatch;
pub mod effect;
pub mod id;
pub mod input;
pub mod limits;
pub mod media;
pub mod moderation;
pub mod notice;
pub mod participant;
pub mod permission;
pub mod room;
pub mod scenario;
pub mod settings;
pub mod track;

pub use admin::{AdminError, AdminRequest, ProfileChange};
pub use chat::{ChatMessage, ChatPost, ChatRefused, ChatRules};
pub use dispatch::AgentRequest;
pub use effect::{RoomEffect, RoomEvent};
pub use id::{Identity, Origin, ParticipantSid, RoomSid, SessionId, TrackSid};
pub use input::RoomInput;
pub use moderation::{Banned, Moderation, ModerationError};
pub use notice::Notice;
pub use room::{JoinError, Orders, Room, RoomConfig, Staging};
