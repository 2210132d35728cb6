//! Socket.IO packets (its protocol 5), as they travel in messages of Engine.IO 4: `type [attachments-] [namespace,] [id] JSON`.
//!
//! A payload is relayed as it was written: its text is cut out of the packet, not decoded and encoded again, so numbers,
//! keys and their order stay what they were (C-10). A Buffer in it is a placeholder that names an attachment by its number.

use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Longest name of a namespace, in bytes: ours have nine, and whoever asks for another is told so by its name.
pub const MAX_NAMESPACE_BYTES: usize = 64;

/// Buffers in one payload: a piece of sound is one, an object around it may hold some more.
pub const MAX_ATTACHMENTS: usize = 32;

/// How deep a payload may be nested. Clients parse it recursively, so one that is deeper could take its listeners down.
pub const MAX_DEPTH: usize = 64;

/// What a client says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packet<'a> {
    /// Wants into a namespace.
    Connect {
        /// `/listener`, say.
        namespace: &'a str,
        /// The `auth` payload as JSON; may be empty.
        auth: &'a str,
    },
    /// Leaves a namespace, on purpose.
    Disconnect {
        /// Which.
        namespace: &'a str,
    },
    /// Says something.
    Event {
        /// Where.
        namespace: &'a str,
        /// So many binary messages follow and belong to it.
        attachments: usize,
        /// The event's name and its arguments as a JSON array.
        arguments: &'a str,
    },
    /// Says nothing that we have asked for: answers to questions, errors.
    Other,
}

/// No packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is no packet of Socket.IO")]
pub struct Malformed;

/// Takes a text message apart.
///
/// # Errors
/// It is no packet, or over a limit.
pub fn decode(text: &str) -> Result<Packet<'_>, Malformed> {
    let kind = *text.as_bytes().first().ok_or(Malformed)?;
    let binary = matches!(kind, b'5' | b'6');
    let rest = text.get(1..).ok_or(Malformed)?;
    let (attachments, rest) = if binary { split_attachments(rest)? } else { (0, rest) };
    let (namespace, rest) = split_namespace(rest)?;
    // Nobody who asks for an answer gets one (C-10: no ack).
    let payload = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    match kind {
        b'0' => Ok(Packet::Connect { namespace, auth: payload }),
        b'1' => Ok(Packet::Disconnect { namespace }),
        b'2' | b'5' => Ok(Packet::Event { namespace, attachments, arguments: payload }),
        b'3' | b'4' => Ok(Packet::Other),
        _ => Err(Malformed),
    }
}

fn split_attachments(text: &str) -> Result<(usize, &str), Malformed> {
    let (number, rest) = text.split_once('-').ok_or(Malformed)?;
    // `+1` and the like parse as numbers elsewhere.
    let digits = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| number.parse().ok()).flatten().filter(|number| *number <= MAX_ATTACHMENTS);
    Ok((number.ok_or(Malformed)?, rest))
}

fn split_namespace(text: &str) -> Result<(&str, &str), Malformed> {
    if !text.starts_with('/') {
        return Ok(("/", text));
    }
    // Without a comma it is all that there is: `1/listener`.
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    if namespace.len() <= MAX_NAMESPACE_BYTES { Ok((namespace, rest)) } else { Err(Malformed) }
}

/// An event's name, and its first argument as it was written; the others are nobody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    /// `upload`, say.
    pub name: Cow<'a, str>,
    /// JSON.
    pub argument: Option<&'a str>,
}

/// Takes an event's arguments apart.
///
/// # Errors
/// They are no JSON array that begins with a name, or nested deeper than [`MAX_DEPTH`].
pub fn event(arguments: &str) -> Result<Event<'_>, Malformed> {
    if depth(arguments) > MAX_DEPTH {
        return Err(Malformed);
    }
    let mut json = serde_json::Deserializer::from_str(arguments);
    let event = json.deserialize_seq(EventVisitor).map_err(|_| Malformed)?;
    json.end().map_err(|_| Malformed)?;
    Ok(event)
}

/// Brackets that are open at a time, at most.
fn depth(json: &str) -> usize {
    let (mut open, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => open += 1,
            b']' | b'}' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name and its arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Event<'de>, A::Error> {
        let name: &RawValue = seq.next_element()?.ok_or_else(|| A::Error::custom("no name"))?;
        let name: String = serde_json::from_str(name.get()).map_err(A::Error::custom)?;
        let argument: Option<&RawValue> = seq.next_element()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Event { name: Cow::Owned(name), argument: argument.map(RawValue::get) })
    }
}

/// Does each placeholder in the payload name one of its attachments? A client that meets another gives up its connection.
pub fn fits_attachments(payload: &str, attachments: usize) -> bool {
    attachments == 0 || serde_json::from_str(payload).is_ok_and(|value| names_only(&value, attachments))
}

fn names_only(value: &Value, attachments: usize) -> bool {
    match value {
        Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
            let number = object.get("num").and_then(Value::as_u64);
            number.is_some_and(|number| number < attachments as u64)
        }
        Value::Object(object) => object.values().all(|value| names_only(value, attachments)),
        Value::Array(items) => items.iter().all(|value| names_only(value, attachments)),
        _ => true,
    }
}

/// The answer to somebody who connects; `sid` is of plain letters.
pub fn connected(namespace: &str, sid: &str) -> String {
    format!("0{}{{\"sid\":\"{sid}\"}}", prefix(namespace))
}

/// The answer to somebody who asks for a namespace that there isn't.
pub fn no_such_namespace(namespace: &str) -> String {
    format!("4{}{{\"message\":\"Invalid namespace\"}}", prefix(namespace))
}

/// Ends a client's stay in a namespace.
pub fn disconnect(namespace: &str) -> String {
    format!("1{}", prefix(namespace))
}

/// An event with a text.
pub fn text_event(namespace: &str, name: &str, text: &str) -> String {
    event_packet(namespace, name, &Value::String(text.to_owned()).to_string(), 0)
}

/// An event with a payload as [`event`] cut it out; its attachments follow as binary messages.
pub fn event_packet(namespace: &str, name: &str, payload: &str, attachments: usize) -> String {
    let prefix = prefix(namespace);
    match attachments {
        0 => format!("2{prefix}[\"{name}\",{payload}]"),
        _ => format!("5{attachments}-{prefix}[\"{name}\",{payload}]"),
    }
}

/// The root namespace is not named.
fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packets_of_socket_io_client_4_8_are_read() {
        let connect = Packet::Connect { namespace: "/listener", auth: r#"{"id-token":"a"}"# };
        assert_eq!(decode(r#"0/listener,{"id-token":"a"}"#), Ok(connect));
        assert_eq!(decode("0/listener,"), Ok(Packet::Connect { namespace: "/listener", auth: "" }));
        assert_eq!(decode("0"), Ok(Packet::Connect { namespace: "/", auth: "" }));
        assert_eq!(decode("1/streamer,"), Ok(Packet::Disconnect { namespace: "/streamer" }));
        assert_eq!(decode("1/streamer"), Ok(Packet::Disconnect { namespace: "/streamer" }));
        let arguments = r#"["upload",{"_placeholder":true,"num":0}]"#;
        let upload = Packet::Event { namespace: "/streamer", attachments: 1, arguments };
        assert_eq!(decode(&format!("51-/streamer,{arguments}")), Ok(upload));
        assert_eq!(decode(&format!("51-/streamer,17{arguments}")), Ok(upload), "asked for an answer");
        assert_eq!(decode("3/streamer,1[]"), Ok(Packet::Other));
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for text in ["", "7", "é", "5", "5-[]", "5x-[]", "51", "5+1-[]", "533-[]", "59999999999999999999-[]"] {
            assert_eq!(decode(text), Err(Malformed), "{text}");
        }
        let long = format!("0/{},", "n".repeat(MAX_NAMESPACE_BYTES));
        assert_eq!(decode(&long), Err(Malformed));
    }

    // C-10: any value, first argument only, as it was written.
    #[test]
    fn c_10_the_first_argument_is_cut_out_as_it_was_written() {
        let written = r#"{"b":1.50,"a":[1e400,-0,"\u00e4"]}"#;
        let arguments = format!(r#" ["upload", {written} , 2, {{}}] "#);
        let event = event(&arguments).unwrap();
        assert_eq!((&*event.name, event.argument), ("upload", Some(written)));
        assert_eq!(super::event(r#"["upl\u006fad"]"#).unwrap(), Event { name: "upload".into(), argument: None });
        for wrong in ["", "[]", "{}", "[1]", r#"["upload""#, r#"["upload",]"#, r#"["upload"] x"#, r#"["upload",nul]"#] {
            assert_eq!(super::event(wrong), Err(Malformed), "{wrong}");
        }
    }

    #[test]
    fn a_payload_that_is_nested_too_deep_is_refused() {
        let nested = |depth: usize| format!(r#"["upload",{}{}]"#, "[".repeat(depth), "]".repeat(depth));
        assert!(event(&nested(MAX_DEPTH - 1)).is_ok());
        assert!(event(&nested(MAX_DEPTH)).is_err());
        assert!(event(&format!(r#"["upload","{}\"["]"#, "[".repeat(1000))).is_ok(), "those are in a text");
    }

    #[test]
    fn c_10_a_placeholder_names_an_attachment_that_is_there() {
        let object = r#"{"a":[{"_placeholder":true,"num":1}],"b":{"_placeholder":false,"num":9}}"#;
        assert!(fits_attachments(object, 2) && !fits_attachments(object, 1));
        assert!(fits_attachments(object, 0), "without attachments it is an object like others");
        assert!(!fits_attachments(r#"{"_placeholder":true,"num":-1}"#, 2));
        assert!(!fits_attachments(r#"{"_placeholder":true}"#, 2));
    }

    #[test]
    fn what_clients_are_told_is_what_socket_io_writes() {
        assert_eq!(connected("/listener", "abc"), r#"0/listener,{"sid":"abc"}"#);
        assert_eq!(no_such_namespace("/x"), r#"4/x,{"message":"Invalid namespace"}"#);
        assert_eq!(disconnect("/listener"), "1/listener,");
        assert_eq!(text_event("/listener", "error", "a \"b\""), r#"2/listener,["error","a \"b\""]"#);
        assert_eq!(event_packet("/listener", "audio", "[1]", 0), r#"2/listener,["audio",[1]]"#);
        assert_eq!(event_packet("/", "audio", "{}", 2), r#"52-["audio",{}]"#);
    }
}
