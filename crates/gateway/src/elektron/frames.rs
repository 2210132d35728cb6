//! Messages as every socket gets them: WebSocket frames, made once and shared.

use crate::{clock, draw};
use bytes::Bytes;
use room::{ChatMessage, Origin};
use wire::elektron::message::{self, Author, Stamp};
use wire::websocket::{self, Opcode};

/// Marks a binary message in the chat's log, where text stands as it is: no text begins with it.
const BINARY: u8 = 0xFF;

/// A new message's id and time.
pub(super) fn stamp() -> Stamp {
    Stamp::new(draw::bytes(), clock::unix_ms())
}

/// A text message.
pub(super) fn text(json: &[u8]) -> Bytes {
    websocket::frame(Opcode::Text, json).into()
}

/// ERROR, for one sender.
pub(super) fn error(room: Option<&str>, complaint: &str) -> Bytes {
    text(&message::text(&stamp(), "ERROR", room.unwrap_or_default(), Author::default(), complaint))
}

/// A message about a room's chat that other clients of the bus do not know, and pass over.
pub(super) fn about(kind: &str, room: &str, value: &str) -> Bytes {
    text(&message::text(&stamp(), kind, room, Author::default(), value))
}

/// A client's message, as the chat's log has it.
pub(super) fn into_log(opcode: Opcode, payload: &[u8]) -> Bytes {
    match opcode {
        Opcode::Binary => [&[BINARY], payload].concat().into(),
        _ => Bytes::copy_from_slice(payload),
    }
}

/// Chat for the bus: as it was written here, or in the bus's words.
pub(super) fn chat(room: &str, message: &ChatMessage) -> Bytes {
    match own_frame(message) {
        Some((opcode, payload)) => websocket::frame(opcode, payload).into(),
        None => text(&in_our_words(room, message)),
    }
}

/// The same among others: JSON.
pub(super) fn chat_json(room: &str, message: &ChatMessage) -> Bytes {
    match own_frame(message) {
        Some((_, payload)) => Bytes::copy_from_slice(payload),
        None => in_our_words(room, message).into(),
    }
}

fn own_frame(message: &ChatMessage) -> Option<(Opcode, &[u8])> {
    let frame = message.frame.as_ref().filter(|_| message.author.origin == Origin::Bus)?;
    match frame.split_first() {
        Some((&BINARY, payload)) => Some((Opcode::Binary, payload)),
        Some(_) => Some((Opcode::Text, frame)),
        None => None,
    }
}

fn in_our_words(room: &str, message: &ChatMessage) -> Vec<u8> {
    let stamp = Stamp { id: message.id.to_string(), at_ms: message.at_ms };
    let id = message.author.seen_from(Origin::Bus);
    let author = Author { id: &id, name: &message.name };
    message::text(&stamp, "CHAT", room, author, &message.text)
}
