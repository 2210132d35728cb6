//! What a bus client says of a user (E-05, E-06), key by key: kept as it is written on the bus, plain text elsewhere.

use super::frame::Text;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Longest value of an update, in bytes: a position, a colour and a dozen things of an artist's own are a tenth of it, and
/// it is told to everybody again and again.
pub const MAX_UPDATE_BYTES: usize = 4 * 1024;

/// Keys in an update.
pub const MAX_KEYS: usize = 64;

/// Arrays and objects within each other: who reads it may do so by recursion.
pub const MAX_DEPTH: usize = 16;

/// Why a value is not merged into a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AttributesError {
    /// Not an object.
    #[error("value is no JSON object")]
    NoObject,
    /// Over a limit.
    #[error("value has more than {MAX_UPDATE_BYTES} bytes, {MAX_KEYS} keys or {MAX_DEPTH} levels")]
    TooLarge,
}

/// Key and value, as JSON text.
pub type Attribute = (String, Box<str>);

/// The keys of `value`, in their order. `userId` and `channel` say where the rest belongs, and are none of it.
///
/// # Errors
/// See [`AttributesError`].
pub fn parse(value: &str) -> Result<Vec<Attribute>, AttributesError> {
    if value.len() > MAX_UPDATE_BYTES || depth(value) > MAX_DEPTH {
        return Err(AttributesError::TooLarge);
    }
    let Object(attributes) = serde_json::from_str(value).map_err(|_| AttributesError::NoObject)?;
    if attributes.len() > MAX_KEYS { Err(AttributesError::TooLarge) } else { Ok(attributes) }
}

/// A value as other dialects have it: text; numbers that came as strings are numbers; `None` where it says nothing.
pub fn as_text(raw: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(raw) {
        Ok(serde_json::Value::Null) | Err(_) => None,
        Ok(serde_json::Value::String(text)) => Some(number(&text).unwrap_or(text)),
        Ok(_) => Some(number(raw).unwrap_or_else(|| raw.to_owned())),
    }
}

/// A name as other dialects have it: as it is written.
pub fn as_name(raw: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(raw) {
        Ok(serde_json::Value::String(name)) => Some(name),
        _ => as_text(raw),
    }
}

/// The other way: what another dialect says of somebody, as JSON. Where they are (`userX`…) is a number, if it is one in
/// every respect; a name is text, whatever it consists of.
pub fn from_text(key: &str, text: &str) -> Box<str> {
    let place = key.starts_with("user") && key != "userName";
    let is_number = place && number(text).is_some_and(|plain| plain == text);
    if is_number { text.into() } else { super::message::json_string(text).into() }
}

/// ` 1.230` → `1.23`.
fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.' || c == '+');
    let number: f64 = plain.then(|| text.parse().ok())??;
    number.is_finite().then(|| number.to_string())
}

/// How deep arrays and objects lie within each other; `value` need not be JSON.
fn depth(value: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in value.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct Object(Vec<Attribute>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut attributes = Vec::new();
        while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            if !matches!(&*key, "userId" | "channel") {
                attributes.push((key.into_owned(), value.get().into()));
            }
        }
        Ok(Object(attributes))
    }
}
