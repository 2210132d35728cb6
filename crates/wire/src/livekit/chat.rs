//! The room's chat in LiveKit's data packets (product.md, «What a client of one gateway sees of another»): text streams on
//! the topic `lk.chat`, `ChatMessage`s, and user packets on the topics `chat` and `lk-chat-topic`, which clients without
//! streams use. What is said to some only, or encrypted, is no business of the room's.
//!
//! The packets themselves pass as they came; here they are read along ([`Streams`]), and written for what others have
//! said ([`packets`]).

use super::proto::{self, data_packet::Value, data_stream};
use flate2::read::DeflateDecoder;
use prost::Message as _;
use room::ParticipantSid;
use std::collections::HashMap;
use std::io::Read as _;

/// Topic of text streams.
pub const STREAM_TOPIC: &str = "lk.chat";

/// Topics of user packets: ours, and the one that LiveKit's components used before streams.
pub const PACKET_TOPICS: [&str; 2] = ["chat", "lk-chat-topic"];

/// Topic on which clients learn of what moderators take out, `{"deleted":"<id>"}` and `{"cleared":true}`, and authors of what
/// was not said, `{"refused":"<id>","why":"…"}`. Apps that don't know it
/// pass it over.
pub const CHANGE_TOPIC: &str = "odeon.chat";

/// Longest text that is read along, in bytes; longer ones are no chat message, though their packets pass.
pub const MAX_TEXT_BYTES: usize = room::limits::MAX_CHAT_TEXT_BYTES;

/// Streams that one client has open at a time and that are read along.
pub const MAX_STREAMS: usize = 4;

/// Longest piece of a stream that we write: what LiveKit's own clients send at most.
const CHUNK_BYTES: usize = 15_000;

/// Something that was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spoken {
    /// The client's id of it; may be empty.
    pub id: String,
    /// The words.
    pub text: String,
}

/// One client's chat streams that have begun and not ended.
#[derive(Debug, Default)]
pub struct Streams(Vec<Stream>);

#[derive(Debug)]
struct Stream {
    id: String,
    bytes: Vec<u8>,
    next_chunk: u64,
    deflated: bool,
}

impl Streams {
    /// Reads a packet that is part of the chat; gives what was said when it is all there. What is malformed, too long, or
    /// edits something says nothing.
    pub fn read(&mut self, packet: &[u8]) -> Option<Spoken> {
        match proto::DataPacket::decode(packet).ok()?.value? {
            Value::User(user) => from_payload(&user.payload),
            Value::ChatMessage(chat) if !chat.deleted && chat.edit_timestamp.is_none() => spoken(chat.id, chat.message),
            Value::StreamHeader(header) => self.begin(header),
            Value::StreamChunk(chunk) => {
                self.add(&chunk);
                None
            }
            Value::StreamTrailer(trailer) => self.end(&trailer),
            _ => None,
        }
    }

    fn begin(&mut self, header: data_stream::Header) -> Option<Spoken> {
        let Some(data_stream::header::ContentHeader::TextHeader(text)) = &header.content_header else { return None };
        // An update replaces what was said before: the log keeps the first words.
        if text.operation_type != data_stream::OperationType::Create as i32 {
            return None;
        }
        let deflated = match header.compression() {
            data_stream::CompressionType::None => false,
            data_stream::CompressionType::DeflateRaw => true,
        };
        let bytes = header.inline_content.unwrap_or_default();
        let stream = Stream { id: header.stream_id, bytes, next_chunk: 0, deflated };
        if !stream.bytes.is_empty() {
            return stream.finish();
        }
        self.0.retain(|known| known.id != stream.id);
        if self.0.len() >= MAX_STREAMS {
            self.0.remove(0);
        }
        self.0.push(stream);
        None
    }

    fn add(&mut self, chunk: &data_stream::Chunk) {
        let Some(at) = self.0.iter().position(|stream| stream.id == chunk.stream_id) else { return };
        let Some(stream) = self.0.get_mut(at) else { return };
        let fits = stream.bytes.len() + chunk.content.len() <= MAX_TEXT_BYTES;
        if !fits || chunk.chunk_index != stream.next_chunk {
            self.0.remove(at);
            return;
        }
        stream.next_chunk += 1;
        stream.bytes.extend_from_slice(&chunk.content);
    }

    fn end(&mut self, trailer: &data_stream::Trailer) -> Option<Spoken> {
        let at = self.0.iter().position(|stream| stream.id == trailer.stream_id)?;
        let stream = self.0.remove(at);
        // A reason is an error or an interruption: the words are not whole.
        if trailer.reason.is_empty() { stream.finish() } else { None }
    }
}

impl Stream {
    fn finish(self) -> Option<Spoken> {
        let bytes = if self.deflated { inflate(&self.bytes)? } else { self.bytes };
        spoken(self.id, String::from_utf8(bytes).ok()?)
    }
}

/// At most one byte more than may be is unpacked, whatever it would become.
fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    DeflateDecoder::new(bytes).take(MAX_TEXT_BYTES as u64 + 1).read_to_end(&mut out).ok()?;
    Some(out)
}

fn spoken(id: String, text: String) -> Option<Spoken> {
    (!text.trim().is_empty() && text.len() <= MAX_TEXT_BYTES).then_some(Spoken { id, text })
}

/// LiveKit's JSON (`{"id","timestamp","message"}`), `{"text"}`, a JSON string, or plain text.
fn from_payload(payload: &[u8]) -> Option<Spoken> {
    if payload.len() > 2 * MAX_TEXT_BYTES {
        return None;
    }
    let text = std::str::from_utf8(payload).ok()?;
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return spoken(String::new(), text.to_owned());
    };
    // The same words also go out as a text stream: the sender says so.
    if json.get("ignoreLegacy").and_then(serde_json::Value::as_bool) == Some(true) {
        return None;
    }
    let field = |name: &str| json.get(name).and_then(serde_json::Value::as_str);
    match (field("message").or(field("text")).or(json.as_str()), json.is_object()) {
        (Some(words), _) => spoken(field("id").unwrap_or_default().to_owned(), words.to_owned()),
        (None, true) => None,
        // A number, say: to people it is text.
        (None, false) => spoken(String::new(), text.to_owned()),
    }
}

/// Who has said something, as clients are told.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// As these clients see it.
    pub identity: &'a str,
    /// Where they are in the room, and shown there.
    pub sid: Option<&'a ParticipantSid>,
    /// For people.
    pub name: &'a str,
}

/// What somebody of another gateway has said, for those who hear data packets: as a text stream, and for clients without
/// streams as a packet on `chat` that says of itself that the stream has the same words.
pub fn packets(id: &str, at_ms: i64, author: Author<'_>, text: &str) -> Vec<Vec<u8>> {
    #[allow(deprecated)] // `encryption_type`, which older clients read
    let header = data_stream::Header {
        stream_id: id.to_owned(),
        timestamp: at_ms,
        topic: STREAM_TOPIC.to_owned(),
        mime_type: "text/plain".to_owned(),
        total_length: Some(text.len() as u64),
        encryption_type: 0,
        attributes: HashMap::from([("name".to_owned(), author.name.to_owned())]),
        inline_content: None,
        compression: 0,
        content_header: Some(data_stream::header::ContentHeader::TextHeader(data_stream::TextHeader::default())),
    };
    let json = serde_json::json!({
        "id": id, "timestamp": at_ms, "message": text, "name": author.name, "ignoreLegacy": true,
    });
    #[allow(deprecated)] // names of the sender, which older clients read here
    let legacy = proto::UserPacket {
        payload: json.to_string().into_bytes(),
        topic: Some(PACKET_TOPICS[0].to_owned()),
        id: Some(id.to_owned()),
        participant_identity: author.identity.to_owned(),
        participant_sid: author.sid.map(|sid| sid.as_str().to_owned()).unwrap_or_default(),
        ..Default::default()
    };
    let trailer = data_stream::Trailer { stream_id: id.to_owned(), ..Default::default() };
    let chunks = pieces(text).enumerate().map(|(index, content)| {
        let content = content.as_bytes().to_vec();
        let chunk =
            data_stream::Chunk { stream_id: id.to_owned(), chunk_index: index as u64, content, ..Default::default() };
        Value::StreamChunk(chunk)
    });
    let values = [Value::StreamHeader(header)].into_iter().chain(chunks);
    let values = values.chain([Value::StreamTrailer(trailer), Value::User(legacy)]);
    values.map(|value| packet(author, value)).collect()
}

/// A message was taken out of the chat, for our own page.
pub fn deleted(id: &str) -> Vec<u8> {
    change(&serde_json::json!({ "deleted": id }))
}

/// All messages were.
pub fn cleared() -> Vec<u8> {
    change(&serde_json::json!({ "cleared": true }))
}

/// Something was not said, for its author.
pub fn refused(id: &str, why: &str) -> Vec<u8> {
    change(&serde_json::json!({ "refused": id, "why": why }))
}

/// The client's id of what a packet begins or says; empty: it has none. `None`: it does neither.
pub fn id_in(packet: &[u8]) -> Option<String> {
    match proto::DataPacket::decode(packet).ok()?.value? {
        Value::StreamHeader(header) => Some(header.stream_id),
        Value::ChatMessage(chat) => Some(chat.id),
        Value::User(user) => Some(from_payload(&user.payload)?.id),
        _ => None,
    }
}

fn change(change: &serde_json::Value) -> Vec<u8> {
    let payload = change.to_string().into_bytes();
    let user = proto::UserPacket { payload, topic: Some(CHANGE_TOPIC.to_owned()), ..Default::default() };
    packet(Author { identity: "", sid: None, name: "" }, Value::User(user))
}

fn packet(author: Author<'_>, value: Value) -> Vec<u8> {
    proto::DataPacket {
        participant_identity: author.identity.to_owned(),
        participant_sid: author.sid.map(|sid| sid.as_str().to_owned()).unwrap_or_default(),
        value: Some(value),
        ..Default::default()
    }
    .encode_to_vec()
}

/// In pieces of whole characters: each is decoded by itself.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
