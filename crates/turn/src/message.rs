//! STUN messages (RFC 8489 section 5) and ChannelData (RFC 8656 section 12.4): read without copying, written into a vector.

use crate::attribute::{self, MESSAGE_INTEGRITY};
use crate::credentials::Key;
use std::net::SocketAddr;

/// Type, length, cookie, transaction.
pub const HEADER: usize = 20;
/// Of ChannelData: number and length.
pub const CHANNEL_HEADER: usize = 4;
pub(crate) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
/// A message at most: a datagram for media with its wrapping; no request comes near it.
pub const MAX_MESSAGE_BYTES: usize = 8 * 1024;
/// A request of TURN carries about ten.
const MAX_ATTRIBUTES: usize = 32;
/// MESSAGE-INTEGRITY with its header: HMAC-SHA1 (RFC 8489 section 14.5).
const INTEGRITY: usize = 24;

/// Draws a request and its answer together.
pub type TransactionId = [u8; 12];

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// A good answer.
    Success,
    /// A bad one.
    Error,
}

/// What a message is about (RFC 8656 section 17).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// A relayed address is wanted.
    Allocate = 3,
    /// It is wanted for longer, or no longer.
    Refresh = 4,
    /// For a peer, from the client.
    Send = 6,
    /// From a peer, for the client.
    Data = 7,
    /// A peer is to be let through.
    CreatePermission = 8,
    /// A peer is to have a short name.
    ChannelBind = 9,
}

impl Method {
    fn from_number(number: u16) -> Option<Self> {
        use Method::*;
        [Allocate, Refresh, Send, Data, CreatePermission, ChannelBind].into_iter().find(|m| *m as u16 == number)
    }
}

/// Why something is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MessageError {
    /// Neither STUN nor ChannelData.
    #[error("neither STUN nor ChannelData")]
    Foreign,
    /// Longer than any message of ours.
    #[error("{0} bytes are too many")]
    TooLong(usize),
    /// A length that does not fit.
    #[error("a length does not fit")]
    Length,
    /// A method that is not TURN's.
    #[error("not a method of TURN")]
    Method,
    /// More attributes than anybody needs.
    #[error("too many attributes")]
    Attributes,
}

/// Length of the first message in a stream, with its padding (RFC 8656 section 12.5). `None`: more bytes are needed to tell.
///
/// # Errors
/// The stream carries something else.
pub fn length_in_stream(bytes: &[u8]) -> Result<Option<usize>, MessageError> {
    let Some(head) = bytes.first_chunk::<4>() else { return Ok(None) };
    let body = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let length = match head[0] {
        0..=3 if bytes.len() < 8 => return Ok(None),
        0..=3 if bytes[4..8] == MAGIC_COOKIE => HEADER + body,
        first if is_channel(first) => CHANNEL_HEADER + body.next_multiple_of(4),
        _ => return Err(MessageError::Foreign),
    };
    if length > MAX_MESSAGE_BYTES { Err(MessageError::TooLong(length)) } else { Ok(Some(length)) }
}

/// By the first byte (RFC 8656 section 12): channels are 0x4000 to 0x4FFF.
fn is_channel(first: u8) -> bool {
    (0x40..=0x4F).contains(&first)
}

/// Channel and payload, if this is ChannelData. Padding is left out.
pub fn channel_data(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, body) = bytes.split_first_chunk::<CHANNEL_HEADER>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let data = body.get(..length).filter(|_| is_channel(head[0]))?;
    Some((u16::from_be_bytes([head[0], head[1]]), data))
}

/// Puts a datagram into ChannelData; padded in a stream.
pub fn put_channel_data(channel: u16, data: &[u8], padded: bool, out: &mut Vec<u8>) {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let data = &data[..usize::from(length)];
    out.extend_from_slice(&channel.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(data);
    if padded {
        out.resize(out.len() + (data.len().next_multiple_of(4) - data.len()), 0);
    }
}

/// A STUN message, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// What it is.
    pub class: Class,
    /// What it is about.
    pub method: Method,
    /// Of the request and its answer.
    pub transaction: TransactionId,
    bytes: &'a [u8],
    /// Where MESSAGE-INTEGRITY begins; what follows it is not covered and not read.
    integrity: Option<usize>,
    end: usize,
}

impl<'a> Message<'a> {
    /// Reads a message. All its attributes have lengths that fit.
    ///
    /// # Errors
    /// It is no message of TURN.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MessageError> {
        let head = bytes.first_chunk::<HEADER>().ok_or(MessageError::Foreign)?;
        if head[0] > 3 || head[4..8] != MAGIC_COOKIE {
            return Err(MessageError::Foreign);
        }
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLong(bytes.len()));
        }
        if HEADER + usize::from(u16::from_be_bytes([head[2], head[3]])) != bytes.len() {
            return Err(MessageError::Length);
        }
        let (class, method) = read_type(u16::from_be_bytes([head[0], head[1]]));
        let method = Method::from_number(method).ok_or(MessageError::Method)?;
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&head[8..]);
        let (integrity, end) = scan(bytes)?;
        Ok(Self { class, method, transaction, bytes, integrity, end })
    }

    /// Its attributes up to MESSAGE-INTEGRITY: (type, value).
    pub fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut at = HEADER;
        let (bytes, end) = (self.bytes, self.end);
        std::iter::from_fn(move || {
            let (kind, value, next) = (at < end).then(|| attribute_at(bytes, at)).flatten()?;
            at = next;
            Some((kind, value))
        })
    }

    /// The first attribute of this type.
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    /// An attribute that is text.
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        self.attribute(kind).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// An address of this type.
    pub fn address(&self, kind: u16) -> Option<SocketAddr> {
        attribute::read_address(self.attribute(kind)?, &self.transaction)
    }

    /// Is there a MESSAGE-INTEGRITY at all?
    pub fn is_signed(&self) -> bool {
        self.integrity.is_some()
    }

    /// Was it written by somebody who knows this key? (RFC 8489 section 14.5.)
    pub fn verifies(&self, key: &Key) -> bool {
        let Some(at) = self.integrity else { return false };
        let Some((_, value, _)) = attribute_at(self.bytes, at) else { return false };
        let covered = [&self.bytes[..2], &length_until(at), &self.bytes[4..at]];
        key.verifies(&covered, value)
    }
}

/// The header's length as it was when MESSAGE-INTEGRITY at `at` was the last attribute.
fn length_until(at: usize) -> [u8; 2] {
    ((at + INTEGRITY - HEADER) as u16).to_be_bytes()
}

/// Class and method are mingled (RFC 8489 section 5).
fn read_type(bits: u16) -> (Class, u16) {
    let class = match (bits & 0x0100 != 0, bits & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    };
    (class, (bits & 0x000F) | ((bits & 0x00E0) >> 1) | ((bits & 0x3E00) >> 2))
}

fn write_type(class: Class, method: Method) -> u16 {
    // Methods of TURN are under 16: their bits stay where they are.
    let class = match class {
        Class::Request => 0,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    class | method as u16
}

/// Type and value of the attribute at this place, and where the next one begins.
fn attribute_at(bytes: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let head = bytes.get(at..at + 4)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = bytes.get(at + 4..at + 4 + length)?;
    Some((u16::from_be_bytes([head[0], head[1]]), value, at + 4 + length.next_multiple_of(4)))
}

/// Walks over all attributes: where MESSAGE-INTEGRITY begins, and where those that count end.
fn scan(bytes: &[u8]) -> Result<(Option<usize>, usize), MessageError> {
    let mut at = HEADER;
    for _ in 0..MAX_ATTRIBUTES {
        if at == bytes.len() {
            return Ok((None, at));
        }
        let (kind, value, next) = attribute_at(bytes, at).ok_or(MessageError::Length)?;
        if kind == MESSAGE_INTEGRITY {
            return if value.len() + 4 == INTEGRITY { Ok((Some(at), at)) } else { Err(MessageError::Length) };
        }
        if next > bytes.len() {
            return Err(MessageError::Length);
        }
        at = next;
    }
    Err(MessageError::Attributes)
}

/// Writes a message.
#[derive(Debug)]
pub struct Builder {
    bytes: Vec<u8>,
}

impl Builder {
    /// A message without attributes yet.
    pub fn new(class: Class, method: Method, transaction: &TransactionId) -> Self {
        let mut bytes = write_type(class, method).to_be_bytes().to_vec();
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&MAGIC_COOKIE);
        bytes.extend_from_slice(transaction);
        Self { bytes }
    }

    /// Appends an attribute.
    #[must_use]
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// Appends an address.
    #[must_use]
    pub fn address(self, kind: u16, address: &SocketAddr) -> Self {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.bytes[8..HEADER]);
        self.attribute(kind, &attribute::write_address(address, &transaction))
    }

    /// Signs what is there, and is done.
    pub fn sign(mut self, key: &Key) -> Vec<u8> {
        let length = length_until(self.bytes.len());
        let tag = key.tag(&[&self.bytes[..2], &length, &self.bytes[4..]]);
        self = self.attribute(MESSAGE_INTEGRITY, &tag);
        self.finish()
    }

    /// Is done, unsigned.
    pub fn finish(mut self) -> Vec<u8> {
        let length = ((self.bytes.len() - HEADER) as u16).to_be_bytes();
        self.bytes[2..4].copy_from_slice(&length);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{LIFETIME, USERNAME};
    use crate::credentials::Key;

    fn refresh() -> Vec<u8> {
        let key = Key::new("user", "realm", "pass");
        Builder::new(Class::Request, Method::Refresh, &[1; 12])
            .attribute(USERNAME, b"user")
            .attribute(LIFETIME, &600u32.to_be_bytes())
            .sign(&key)
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = refresh();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.class, message.method), (Class::Request, Method::Refresh));
        assert_eq!(message.text(USERNAME), Some("user"));
        assert!(message.verifies(&Key::new("user", "realm", "pass")));
        assert!(!message.verifies(&Key::new("user", "realm", "wrong")));
    }

    /// RFC 5769 section 2.4: a request with long-term authentication (its method is Binding, which we don't take, so only
    /// the key and the signature are looked at).
    #[test]
    fn the_rfcs_own_signature_verifies() {
        let mut bytes = vec![0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xA4, 0x42];
        bytes.extend([0x78, 0xAD, 0x34, 0x33, 0xC6, 0xAD, 0x72, 0xC0, 0x29, 0xDA, 0x41, 0x2E]);
        let name = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
        for (kind, value) in [(0x0006u16, name), (0x0015, "f//499k954d6OL34oL9FSTvy64sA"), (0x0014, "example.org")] {
            bytes.extend(kind.to_be_bytes());
            bytes.extend((value.len() as u16).to_be_bytes());
            bytes.extend(value.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        let key = Key::new(name, "example.org", "TheMatrIX");
        let expected = [
            0xF6, 0x70, 0x24, 0x65, 0x6D, 0xD6, 0x4A, 0x3E, 0x02, 0xB8, 0xE0, 0x71, 0x2E, 0x85, 0xC9, 0xA2, 0x8C, 0xA8,
            0x96, 0x66,
        ];
        assert!(key.verifies(&[&bytes], &expected));
    }

    #[test]
    fn what_follows_the_signature_is_not_read() {
        let mut bytes = refresh();
        bytes.extend([0x00, 0x16, 0x00, 0x04, 1, 2, 3, 4]);
        let length = ((bytes.len() - HEADER) as u16).to_be_bytes();
        bytes[2..4].copy_from_slice(&length);
        let message = Message::parse(&bytes).unwrap();
        assert!(message.verifies(&Key::new("user", "realm", "pass")));
        assert_eq!(message.attribute(0x0016), None);
    }

    #[test]
    fn a_stream_is_cut_where_its_messages_end() {
        let mut stream = refresh();
        let first = stream.len();
        put_channel_data(0x4000, b"hello", true, &mut stream);
        assert_eq!(length_in_stream(&stream), Ok(Some(first)));
        assert_eq!(length_in_stream(&stream[first..]), Ok(Some(12)));
        assert_eq!(channel_data(&stream[first..]), Some((0x4000, &b"hello"[..])));
        assert!(length_in_stream(b"GET / HTTP/1.1").is_err() && length_in_stream(&[0x80; 8]).is_err());
        assert_eq!(length_in_stream(&[0x40, 0, 0xFF, 0xFF]), Err(MessageError::TooLong(65_540)));
    }
}
