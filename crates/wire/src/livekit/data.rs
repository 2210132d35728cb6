//! Data packets (livekit.md 2.6): who sent it is stamped on, the rest passes as it came.
//!
//! The packet is walked, not unpacked: payloads (encrypted ones too), sequence numbers and fields of later versions
//! stay byte for byte, and one copy is made whatever the packet holds.

use super::chat::{PACKET_TOPICS, STREAM_TOPIC};
use super::proto;
use super::protobuf::{Field, Fields, Malformed, put_bytes, put_varint};
use prost::Message as _;
use room::Origin;
use room::media::{ChatPart, DataSender};
use std::ops::Range;

/// Longest packet, in bytes: what our answers promise as `max-message-size` (livekit.md 2.5).
pub const MAX_DATA_PACKET_BYTES: usize = 65_535;

/// Longest message of a channel without a label of ours, in bytes: it must fit a packet, with the sender's names.
pub const MAX_RAW_MESSAGE_BYTES: usize = 64_000;

/// Most receivers that a packet may name: more than this is everybody.
pub const MAX_DESTINATIONS: usize = 2_048;

/// Field numbers of `livekit.DataPacket`.
mod packet {
    pub(super) const KIND: u32 = 1;
    pub(super) const USER: u32 = 2;
    pub(super) const SPEAKER: u32 = 3;
    pub(super) const PARTICIPANT_IDENTITY: u32 = 4;
    pub(super) const DESTINATION_IDENTITIES: u32 = 5;
    pub(super) const TRANSCRIPTION: u32 = 7;
    pub(super) const METRICS: u32 = 8;
    pub(super) const CHAT_MESSAGE: u32 = 9;
    pub(super) const RPC_ACK: u32 = 11;
    pub(super) const RPC_RESPONSE: u32 = 12;
    pub(super) const STREAM_HEADER: u32 = 13;
    pub(super) const STREAM_CHUNK: u32 = 14;
    pub(super) const STREAM_TRAILER: u32 = 15;
    pub(super) const SEQUENCE: u32 = 16;
    pub(super) const PARTICIPANT_SID: u32 = 17;
}

/// Field numbers of `livekit.UserPacket`.
mod user {
    pub(super) const PARTICIPANT_SID: u32 = 1;
    pub(super) const PAYLOAD: u32 = 2;
    pub(super) const DESTINATION_SIDS: u32 = 3;
    pub(super) const TOPIC: u32 = 4;
    pub(super) const PARTICIPANT_IDENTITY: u32 = 5;
    pub(super) const DESTINATION_IDENTITIES: u32 = 6;
}

/// `ChatMessage.generated`, `DataStream.Header.text_header`, `DataStream.TextHeader.generated`.
const CHAT_GENERATED: u32 = 6;
const HEADER_TEXT: u32 = 9;
const TEXT_GENERATED: u32 = 5;

/// `DataStream.Header.stream_id`, `Chunk.stream_id`, `Trailer.stream_id`; `DataStream.Header.topic`, `.inline_content`.
const STREAM_ID: u32 = 1;
const HEADER_TOPIC: u32 = 3;
const HEADER_INLINE: u32 = 11;

/// `RpcAck.request_id`, `RpcResponse.request_id`.
const REQUEST_ID: u32 = 1;

/// Why a packet goes nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DataError {
    /// Over [`MAX_DATA_PACKET_BYTES`] or [`MAX_DESTINATIONS`].
    #[error("packet is too large")]
    TooLarge,
    /// No protobuf, or names that aren't UTF-8.
    #[error("packet is malformed")]
    Malformed,
    /// The sender may not send data, or not this.
    #[error("packet is not permitted")]
    NotPermitted,
    /// Speakers and metrics are the server's business.
    #[error("packet is not forwarded")]
    NotForwarded,
}

impl From<Malformed> for DataError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// A packet as receivers get it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamped {
    /// The packet.
    pub bytes: Vec<u8>,
    /// Identities, and from 1.x clients sids (`PA_…`), that get it ([`DataSender::is_called`]); empty: everybody else (L-47).
    pub destinations: Vec<String>,
    /// Its number among the sender's reliable packets; 0: none.
    pub sequence: u32,
    /// The id of the call that it answers, and whether that is all.
    pub answers: Option<(String, bool)>,
    /// Which part of the room's chat it is, if any.
    pub chat: Option<ChatPart>,
}

/// Stamps a client's packet. `reliable`: which channel it came in by, whatever its `kind` says.
///
/// # Errors
/// See [`DataError`].
pub fn stamp(sender: &DataSender, reliable: bool, bytes: &[u8]) -> Result<Stamped, DataError> {
    if !sender.can_publish_data {
        return Err(DataError::NotPermitted);
    }
    if bytes.len() > MAX_DATA_PACKET_BYTES {
        return Err(DataError::TooLarge);
    }
    let survey = Survey::of(bytes)?;
    survey.check_permitted(sender)?;
    let stamp = Stamp::new(sender, &survey);
    Ok(Stamped {
        bytes: stamp.rewrite(bytes, reliable, &survey)?,
        destinations: survey.everyone_named(),
        sequence: survey.sequence,
        answers: survey.answers.map(|(id, last)| (id.to_owned(), last)),
        chat: survey.chat_part(),
    })
}

/// A message of a channel without a label of ours, as a packet: for everybody, without topic (livekit.md 2.6).
///
/// # Errors
/// See [`DataError`].
pub fn wrap(sender: &DataSender, message: &[u8]) -> Result<Stamped, DataError> {
    if message.len() > MAX_RAW_MESSAGE_BYTES {
        return Err(DataError::TooLarge);
    }
    let user = proto::UserPacket { payload: message.to_vec(), ..Default::default() };
    let value = Some(proto::data_packet::Value::User(user));
    stamp(sender, true, &proto::DataPacket { value, ..Default::default() }.encode_to_vec())
}

/// Where in a packet the payload of a user's is: what somebody gets who has no channel for packets.
pub fn payload(packet: &[u8]) -> Option<Range<usize>> {
    let user = part(packet, packet::USER)?;
    let payload = part(packet.get(user.clone())?, user::PAYLOAD)?;
    Some(user.start + payload.start..user.start + payload.end)
}

/// Where in a message a length-delimited field's payload is.
fn part(message: &[u8], number: u32) -> Option<Range<usize>> {
    let mut fields = Fields(message);
    while let Some(Ok(field)) = fields.next() {
        let end = message.len() - fields.0.len();
        if field.number == number && field.delimited {
            return Some(end - field.payload.len()..end);
        }
    }
    None
}

/// A packet of the server's own (RoomService.SendData, L-45).
pub fn from_server(request: &proto::SendDataRequest) -> Vec<u8> {
    #[allow(deprecated)] // older clients read the destinations of the user packet
    let user = proto::UserPacket {
        payload: request.data.clone(),
        topic: request.topic.clone(),
        nonce: request.nonce.clone(),
        destination_sids: request.destination_sids.clone(),
        destination_identities: request.destination_identities.clone(),
        ..Default::default()
    };
    #[allow(deprecated)] // `kind`
    let packet = proto::DataPacket {
        kind: request.kind,
        destination_identities: request.destination_identities.clone(),
        value: Some(proto::data_packet::Value::User(user)),
        ..Default::default()
    };
    packet.encode_to_vec()
}

/// What must be known of a packet before the first byte of the new one is written.
#[derive(Default)]
struct Survey<'a> {
    identity: &'a [u8],
    /// Named by the packet.
    identities: Vec<&'a str>,
    /// Named by the user packet inside.
    user_identities: Vec<&'a str>,
    user_sids: Vec<&'a str>,
    transcription: bool,
    consumed: bool,
    /// Chat, or the header of a text stream.
    text: bool,
    sequence: u32,
    answers: Option<(&'a str, bool)>,
    chat: Option<Chat<'a>>,
}

/// Chat, as far as a single packet tells.
#[derive(Clone, Copy)]
enum Chat<'a> {
    Whole,
    Begins(&'a str),
    /// Of some stream.
    GoesOn(&'a str, bool),
}

impl<'a> Survey<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, DataError> {
        let mut survey = Self::default();
        for field in Fields(bytes) {
            survey.note(field?)?;
        }
        let named = survey.identities.len() + survey.user_identities.len() + survey.user_sids.len();
        if named > MAX_DESTINATIONS { Err(DataError::TooLarge) } else { Ok(survey) }
    }

    fn note(&mut self, field: Field<'a>) -> Result<(), DataError> {
        match field.number {
            packet::PARTICIPANT_IDENTITY => self.identity = field.payload,
            packet::DESTINATION_IDENTITIES => self.identities.push(text(field)?),
            packet::USER => self.note_user(field)?,
            packet::SPEAKER | packet::METRICS => self.consumed = true,
            packet::TRANSCRIPTION => self.transcription = true,
            packet::CHAT_MESSAGE => {
                self.text = true;
                self.chat = Some(Chat::Whole);
            }
            // As protobuf reads a number that is too large for its field.
            packet::SEQUENCE => self.sequence = field.value as u32,
            packet::RPC_ACK | packet::RPC_RESPONSE => self.note_answer(field)?,
            packet::STREAM_HEADER => self.note_header(field)?,
            packet::STREAM_CHUNK => self.chat = stream_id(field)?.map(|id| Chat::GoesOn(id, false)),
            packet::STREAM_TRAILER => self.chat = stream_id(field)?.map(|id| Chat::GoesOn(id, true)),
            _ => {}
        }
        Ok(())
    }

    fn note_user(&mut self, field: Field<'a>) -> Result<(), DataError> {
        for inner in Fields(delimited(field)?) {
            let inner = inner?;
            match inner.number {
                user::DESTINATION_SIDS => self.user_sids.push(text(inner)?),
                user::DESTINATION_IDENTITIES => self.user_identities.push(text(inner)?),
                user::TOPIC if PACKET_TOPICS.iter().any(|topic| topic.as_bytes() == inner.payload) => {
                    self.chat = Some(Chat::Whole);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn note_header(&mut self, field: Field<'a>) -> Result<(), DataError> {
        let (mut id, mut is_text, mut is_chat, mut is_whole) = ("", false, false, false);
        for inner in Fields(delimited(field)?) {
            let inner = inner?;
            match inner.number {
                STREAM_ID => id = text(inner)?,
                HEADER_TEXT => is_text = true,
                HEADER_TOPIC => is_chat = inner.payload == STREAM_TOPIC.as_bytes(),
                HEADER_INLINE => is_whole = true,
                _ => {}
            }
        }
        self.text |= is_text;
        if is_text && is_chat {
            self.chat = Some(if is_whole { Chat::Whole } else { Chat::Begins(id) });
        }
        Ok(())
    }

    /// What is said to some is not said in the room.
    fn chat_part(&self) -> Option<ChatPart> {
        let to_all = self.identities().is_empty() && self.user_sids.is_empty();
        self.chat.filter(|_| to_all).map(|chat| match chat {
            Chat::Whole => ChatPart::Whole,
            Chat::Begins(stream) => ChatPart::Begins { stream: stream.to_owned() },
            Chat::GoesOn(stream, last) => ChatPart::GoesOn { stream: stream.to_owned(), last },
        })
    }

    fn note_answer(&mut self, field: Field<'a>) -> Result<(), DataError> {
        let last = field.number == packet::RPC_RESPONSE;
        for inner in Fields(delimited(field)?) {
            let inner = inner?;
            if inner.number == REQUEST_ID {
                self.answers = Some((text(inner)?, last));
            }
        }
        Ok(())
    }

    fn check_permitted(&self, sender: &DataSender) -> Result<(), DataError> {
        if self.consumed {
            return Err(DataError::NotForwarded);
        }
        if self.transcription && !sender.agent { Err(DataError::NotPermitted) } else { Ok(()) }
    }

    /// The packet's own list, or the user packet's where that is empty: each stands for the other.
    fn identities(&self) -> &[&'a str] {
        if self.identities.is_empty() { &self.user_identities } else { &self.identities }
    }

    fn everyone_named(&self) -> Vec<String> {
        self.identities().iter().chain(&self.user_sids).map(|name| (*name).to_owned()).collect()
    }
}

/// What is written over what the client said.
struct Stamp {
    sid: String,
    identity: String,
    /// The agent speaks for somebody else: the name stays, and the text is marked as generated.
    keep_identity: bool,
}

impl Stamp {
    fn new(sender: &DataSender, survey: &Survey<'_>) -> Self {
        let identity = sender.identity.seen_from(Origin::Token);
        let foreign = !survey.identity.is_empty() && survey.identity != identity.as_bytes();
        let shown = |name: &str| if sender.hidden { String::new() } else { name.to_owned() };
        Self {
            sid: shown(sender.sid.as_str()),
            identity: shown(&identity),
            keep_identity: sender.agent && survey.text && foreign,
        }
    }

    fn rewrite(&self, bytes: &[u8], reliable: bool, survey: &Survey<'_>) -> Result<Vec<u8>, DataError> {
        let names = 2 * (self.sid.len() + self.identity.len()) + 16;
        let mut out = Vec::with_capacity(bytes.len() + names + doubled(survey));
        if !reliable {
            put_varint(&mut out, packet::KIND, proto::data_packet::Kind::Lossy as u64);
        }
        for field in Fields(bytes) {
            self.rewrite_field(&mut out, field?, survey)?;
        }
        put_all(&mut out, packet::DESTINATION_IDENTITIES, survey.identities());
        if !self.keep_identity {
            put_text(&mut out, packet::PARTICIPANT_IDENTITY, &self.identity);
        }
        put_text(&mut out, packet::PARTICIPANT_SID, &self.sid);
        Ok(out)
    }

    fn rewrite_field(&self, out: &mut Vec<u8>, field: Field<'_>, survey: &Survey<'_>) -> Result<(), DataError> {
        match field.number {
            packet::KIND | packet::DESTINATION_IDENTITIES | packet::PARTICIPANT_SID => {}
            packet::PARTICIPANT_IDENTITY if !self.keep_identity => {}
            packet::USER => put_bytes(out, packet::USER, &self.user(delimited(field)?, survey)?),
            packet::CHAT_MESSAGE if self.keep_identity => {
                put_bytes(out, field.number, &with_flag(delimited(field)?, CHAT_GENERATED))
            }
            packet::STREAM_HEADER if self.keep_identity => {
                put_bytes(out, field.number, &generated_header(delimited(field)?)?)
            }
            _ => out.extend_from_slice(field.raw),
        }
        Ok(())
    }

    fn user(&self, bytes: &[u8], survey: &Survey<'_>) -> Result<Vec<u8>, DataError> {
        let names = self.sid.len() + self.identity.len() + 8;
        let mut out = Vec::with_capacity(bytes.len() + names + doubled(survey));
        for field in Fields(bytes) {
            let field = field?;
            match field.number {
                user::PARTICIPANT_SID | user::PARTICIPANT_IDENTITY | user::DESTINATION_IDENTITIES => {}
                _ => out.extend_from_slice(field.raw),
            }
        }
        put_text(&mut out, user::PARTICIPANT_SID, &self.sid);
        put_text(&mut out, user::PARTICIPANT_IDENTITY, &self.identity);
        put_all(&mut out, user::DESTINATION_IDENTITIES, survey.identities());
        Ok(out)
    }
}

/// Room for the destinations a second time: they are mirrored between packet and user packet.
fn doubled(survey: &Survey<'_>) -> usize {
    survey.identities().iter().map(|name| name.len() + 4).sum()
}

fn text(field: Field<'_>) -> Result<&str, DataError> {
    std::str::from_utf8(delimited(field)?).map_err(|_| DataError::Malformed)
}

fn delimited(field: Field<'_>) -> Result<&[u8], DataError> {
    if field.delimited { Ok(field.payload) } else { Err(DataError::Malformed) }
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    // Protobuf leaves empty text out.
    if !text.is_empty() {
        put_bytes(out, number, text.as_bytes());
    }
}

fn put_all(out: &mut Vec<u8>, number: u32, texts: &[&str]) {
    for text in texts {
        put_bytes(out, number, text.as_bytes());
    }
}

fn stream_id(field: Field<'_>) -> Result<Option<&str>, DataError> {
    for inner in Fields(delimited(field)?) {
        let inner = inner?;
        if inner.number == STREAM_ID {
            return text(inner).map(Some);
        }
    }
    Ok(None)
}

/// A message with a flag set: the last value of a field wins, so it is appended.
fn with_flag(bytes: &[u8], number: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    out.extend_from_slice(bytes);
    put_varint(&mut out, number, 1);
    out
}

fn generated_header(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    for field in Fields(bytes) {
        let field = field?;
        match field.number {
            HEADER_TEXT => put_bytes(&mut out, HEADER_TEXT, &with_flag(delimited(field)?, TEXT_GENERATED)),
            _ => out.extend_from_slice(field.raw),
        }
    }
    Ok(out)
}
