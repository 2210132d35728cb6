//! Castaway: live audio over Socket.IO, and the REST of its phone app (castaway.md).
//!
//! | file | what |
//! |---|---|
//! | [`engine`] | packets of Engine.IO, and the bodies of polls |
//! | [`packet`] | Socket.IO packets: what clients say, and what they are told |
//! | [`handshake`] | whom a Socket.IO client claims to be, and for which livestream |
//! | [`fields`] | bodies of requests, JSON or form-encoded |
//! | [`validate`] | what is asked of their fields, and the words for what is wrong |
//! | [`multipart`] | bodies that carry files |
//! | [`sniff`] | what a file is, by its content |
//! | [`mpeg`] | frames of mp3 and ADTS: how long they last, and how pieces become one file |
//! | [`range`] | which part of a file is asked for |

pub mod engine;
pub mod fields;
pub mod handshake;
pub mod mpeg;
pub mod multipart;
pub mod packet;
pub mod range;
pub mod sniff;
pub mod validate;
