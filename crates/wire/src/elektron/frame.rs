//! What a message says, as far as the bus acts on it. Nothing is copied out of the message that isn't escaped in it.
//!
//! Clients are written by hand, so this is forgiving: whatever is no JSON object, or says something of another kind than
//! expected, is a message all the same and only means less.

use super::MAX_USER_BYTES;
use room::limits::MAX_NAME_BYTES;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// CHANNEL_JOIN, E-02.
    Join,
    /// CHANNEL_LEAVE, E-04.
    Leave,
    /// USER_UPDATE, E-05.
    UserUpdate,
    /// CHANNEL_USER_UPDATE, E-06.
    ChannelUserUpdate,
    /// CHAT, E-07.
    Chat,
    /// LIKE, E-09.
    Like,
    /// HEART, E-10.
    Heart,
    /// IMAGE_JOIN, E-11.
    ImageJoin,
    /// IMAGE, E-11.
    Image,
    /// IMAGE_LEAVE, E-11.
    ImageLeave,
    /// RESET, E-13.
    Reset,
    /// UPDATE, E-13.
    Update,
    /// ANYTHING and any other, E-12.
    Other,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "CHANNEL_JOIN" => Self::Join,
            "CHANNEL_LEAVE" => Self::Leave,
            "USER_UPDATE" => Self::UserUpdate,
            "CHANNEL_USER_UPDATE" => Self::ChannelUserUpdate,
            "CHAT" => Self::Chat,
            "LIKE" => Self::Like,
            "HEART" => Self::Heart,
            "IMAGE_JOIN" => Self::ImageJoin,
            "IMAGE" => Self::Image,
            "IMAGE_LEAVE" => Self::ImageLeave,
            "RESET" => Self::Reset,
            "UPDATE" => Self::Update,
            _ => Self::Other,
        }
    }
}

/// A message that is a JSON object. Texts that aren't said are empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// What it is about.
    pub kind: Kind,
    /// `type`, as it is written.
    pub type_name: Cow<'a, str>,
    /// `channel`: the room.
    pub channel: Cow<'a, str>,
    /// `userId` or `userid`.
    pub user_id: Cow<'a, str>,
    /// `userName` or `username`.
    pub user_name: Cow<'a, str>,
    /// `id`.
    pub id: Cow<'a, str>,
    /// `value` as JSON text.
    pub value: Option<&'a str>,
    /// `store`, `history` or `save` is true: E-14.
    pub keep: bool,
}

/// Why a message is not taken as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// No JSON object. It is passed on all the same.
    #[error("the message is no JSON object")]
    Opaque,
    /// No room can have such a name.
    #[error("the channel's name is longer than {MAX_NAME_BYTES} bytes")]
    ChannelTooLong,
    /// Nobody can be called so.
    #[error("the userId or userName is longer than {MAX_USER_BYTES} bytes")]
    UserTooLong,
}

impl<'a> Frame<'a> {
    /// Reads a message, text or binary.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub fn parse(message: &'a [u8]) -> Result<Self, FrameError> {
        let Fields(fields) = serde_json::from_slice(message).map_err(|_| FrameError::Opaque)?;
        let [type_name, channel, user_id, user_id_low, user_name, user_name_low, id, value, store, history, save] =
            fields;
        let type_name = text(type_name);
        let frame = Self {
            kind: Kind::of(&type_name),
            type_name,
            channel: text(channel),
            user_id: either(text(user_id), text(user_id_low)),
            user_name: either(text(user_name), text(user_name_low)),
            id: text(id),
            value: value.map(RawValue::get),
            keep: [store, history, save].into_iter().flatten().any(|flag| flag.get() == "true"),
        };
        frame.check()?;
        Ok(frame)
    }

    fn check(&self) -> Result<(), FrameError> {
        if self.channel.len() > MAX_NAME_BYTES {
            return Err(FrameError::ChannelTooLong);
        }
        let too_long = self.user_id.len().max(self.user_name.len()) > MAX_USER_BYTES;
        if too_long { Err(FrameError::UserTooLong) } else { Ok(()) }
    }

    /// `value` for people who read text: what it says if it is a string, else its JSON.
    pub fn value_text(&self) -> Cow<'a, str> {
        let Some(value) = self.value else { return Cow::Borrowed("") };
        if value.starts_with('"') { string(value).unwrap_or(Cow::Borrowed(value)) } else { Cow::Borrowed(value) }
    }
}

/// Texts, and numbers as they are written: an object of JavaScript has them for keys alike.
fn text(value: Option<&RawValue>) -> Cow<'_, str> {
    let raw = value.map_or("", RawValue::get);
    match raw.as_bytes().first() {
        Some(b'"') => string(raw).unwrap_or(Cow::Borrowed("")),
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(raw),
        _ => Cow::Borrowed(""),
    }
}

fn string(raw: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw).ok().map(|text| text.0)
}

fn either<'a>(one: Cow<'a, str>, other: Cow<'a, str>) -> Cow<'a, str> {
    if one.is_empty() { other } else { one }
}

const NAMES: [&str; 11] =
    ["type", "channel", "userId", "userid", "userName", "username", "id", "value", "store", "history", "save"];

/// The values of [`NAMES`]; of keys that are there twice the last, as JavaScript reads them.
struct Fields<'a>([Option<&'a RawValue>; NAMES.len()]);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = [None; NAMES.len()];
        while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            if let Some(at) = NAMES.iter().position(|name| *name == key) {
                fields[at] = Some(value);
            }
        }
        Ok(Fields(fields))
    }
}

/// A string, borrowed where nothing in it is escaped.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}
