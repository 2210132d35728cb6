//! Messages of the server's own: complete, with every key that clients look for, in the order in which they are known.

use super::datetime;

/// When a message was made, and its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// 16 lowercase letters, or what another dialect called the message.
    pub id: String,
    /// Unix milliseconds.
    pub at_ms: i64,
}

impl Stamp {
    /// A new message's. `random` need not be secret.
    pub fn new(random: [u8; 16], at_ms: i64) -> Self {
        let letters = random.map(|byte| char::from(b'a' + byte % 26));
        Self { id: letters.iter().collect(), at_ms }
    }
}

/// Whose a message is: both texts are empty in the server's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Author<'a> {
    /// `userId`.
    pub id: &'a str,
    /// `userName`.
    pub name: &'a str,
}

/// A message whose value is text: CHAT of another dialect, ERROR.
pub fn text(stamp: &Stamp, kind: &str, channel: &str, author: Author<'_>, value: &str) -> Vec<u8> {
    json(stamp, kind, channel, author, &json_string(value))
}

/// A message of any value, which must be JSON.
pub fn json(stamp: &Stamp, kind: &str, channel: &str, author: Author<'_>, value: &str) -> Vec<u8> {
    let mut out = begin(stamp, kind, channel, author, value.len());
    out.push_str(value);
    out.push('}');
    out.into_bytes()
}

/// E-14, E-15: the same, and it says that it is kept.
pub fn stored(stamp: &Stamp, kind: &str, channel: &str, value: &str) -> Vec<u8> {
    let mut out = begin(stamp, kind, channel, Author::default(), value.len());
    out.push_str(value);
    out.push_str(",\"store\":true}");
    out.into_bytes()
}

/// CHAT_SYNC and LIKE_SYNC: messages of a room, each of them JSON.
pub fn sync<'a>(stamp: &Stamp, kind: &str, channel: &str, messages: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = begin(stamp, kind, channel, Author::default(), 256).into_bytes();
    array(&mut out, messages);
    out.push(b'}');
    out
}

/// A JSON array of what is JSON already.
pub fn array<'a>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'a [u8]>) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item);
    }
    out.push(b']');
}

/// CHANNELS_UPDATED, written room by room and user by user (E-03).
#[derive(Debug)]
pub struct ChannelsUpdated {
    out: String,
    rooms: usize,
    users: usize,
    attributes: usize,
}

impl ChannelsUpdated {
    /// No rooms yet. `size` is about what it will have, in bytes.
    pub fn new(stamp: &Stamp, size: usize) -> Self {
        let mut out = begin(stamp, "CHANNELS_UPDATED", "", Author::default(), size);
        out.push('{');
        Self { out, rooms: 0, users: 0, attributes: 0 }
    }

    /// The next room.
    pub fn room(&mut self, name: &str) {
        self.end_user();
        self.end_room();
        separate(&mut self.out, self.rooms);
        (self.rooms, self.users) = (self.rooms + 1, 0);
        push_json_string(&mut self.out, name);
        self.out.push_str(":{\"users\":{");
    }

    /// The next user in it.
    pub fn user(&mut self, id: &str) {
        self.end_user();
        separate(&mut self.out, self.users);
        (self.users, self.attributes) = (self.users + 1, 0);
        push_json_string(&mut self.out, id);
        self.out.push_str(":{");
    }

    /// What is known of that user; `json` as a client wrote it.
    pub fn attribute(&mut self, key: &str, json: &str) {
        separate(&mut self.out, self.attributes);
        self.attributes += 1;
        push_json_string(&mut self.out, key);
        self.out.push(':');
        self.out.push_str(json);
    }

    /// The whole message.
    pub fn finish(mut self) -> Vec<u8> {
        self.end_user();
        self.end_room();
        self.out.push_str("}}");
        self.out.into_bytes()
    }

    fn end_user(&mut self) {
        if self.users > 0 {
            self.out.push('}');
        }
    }

    fn end_room(&mut self) {
        if self.rooms > 0 {
            self.out.push_str("}}");
        }
    }
}

/// A text as JSON.
pub fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_json_string(&mut out, text);
    out
}

/// Up to the value.
fn begin(stamp: &Stamp, kind: &str, channel: &str, author: Author<'_>, size: usize) -> String {
    let mut out = String::with_capacity(size + 160 + channel.len());
    let datetime = datetime::iso(stamp.at_ms);
    let fields = [
        ("{\"id\":", &*stamp.id),
        (",\"datetime\":", &datetime),
        (",\"type\":", kind),
        (",\"channel\":", channel),
        (",\"userId\":", author.id),
        (",\"userName\":", author.name),
    ];
    for (key, text) in fields {
        out.push_str(key);
        push_json_string(&mut out, text);
    }
    out.push_str(",\"value\":");
    out
}

fn separate(out: &mut String, before: usize) {
    if before > 0 {
        out.push(',');
    }
}

fn push_json_string(out: &mut String, text: &str) {
    use std::fmt::Write as _;
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        out.push_str(escape);
        if escape.is_empty() {
            // Writing to a String does not fail.
            let _ = write!(out, "\\u{byte:04x}");
        }
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}
