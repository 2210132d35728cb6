//! The bus's messages, as its clients write and read them.

use serde_json::{Value, json};
use wire::elektron::attributes::{self, AttributesError};
use wire::elektron::frame::{Frame, FrameError, Kind};
use wire::elektron::message::{self, Author, ChannelsUpdated, Stamp};

fn stamp() -> Stamp {
    Stamp::new(*b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x1a\xff\x80", 1_795_148_177_005)
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// E-01
#[test]
fn e_01_the_message_of_the_specification_is_read() {
    let text = r#"{"id":"xykwphlsmcouazdg","datetime":"2026-11-20T04:31:17.005Z","type":"CHAT","channel":"residence",
     "userId":"sadeaaasidyrawa","userName":"Treasured Ape","value":"hello","store":true}"#;
    let frame = Frame::parse(text.as_bytes()).expect("a message");
    assert_eq!((frame.kind, &*frame.type_name, &*frame.channel), (Kind::Chat, "CHAT", "residence"));
    assert_eq!((&*frame.user_id, &*frame.user_name), ("sadeaaasidyrawa", "Treasured Ape"));
    assert_eq!((&*frame.id, frame.value, &*frame.value_text()), ("xykwphlsmcouazdg", Some("\"hello\""), "hello"));
    assert!(frame.keep);
}

/// E-01: the keys of Max's clients.
#[test]
fn e_01_userid_and_username_may_be_written_small() {
    let text = br#"{"id":"a","type":"IMAGE","channel":"max","userid":"m1","username":"Max","value":"","store":false}"#;
    let frame = Frame::parse(text).expect("a message");
    assert_eq!((frame.kind, &*frame.user_id, &*frame.user_name, frame.keep), (Kind::Image, "m1", "Max", false));
    let both =
        Frame::parse(br#"{"userId":"","userid":"small","userName":"Big","username":"small"}"#).expect("a message");
    assert_eq!((&*both.user_id, &*both.user_name), ("small", "Big"));
}

/// E-01, E-12
#[test]
fn e_12_what_is_no_object_or_says_strange_things_means_less_and_breaks_nothing() {
    for opaque in ["[object Object]", "", "5", "null", "\"CHAT\"", "[1]", "{\"type\":\"CHAT\"", "{} {}", "\u{feff}{}"] {
        assert_eq!(Frame::parse(opaque.as_bytes()), Err(FrameError::Opaque), "{opaque}");
    }
    assert_eq!(Frame::parse(b"{\"a\":\"\xff\"}"), Err(FrameError::Opaque));
    let strange =
        br#"{"type":["CHAT"],"channel":null,"userId":{"a":1},"userName":true,"value":[1,{"b":2}],"more":1e999}"#;
    let frame = Frame::parse(strange).expect("a message");
    assert_eq!((frame.kind, &*frame.channel, &*frame.user_id, &*frame.user_name), (Kind::Other, "", "", ""));
    assert_eq!((frame.value, &*frame.value_text()), (Some(r#"[1,{"b":2}]"#), r#"[1,{"b":2}]"#));
    let empty = Frame::parse(b"{}").expect("a message");
    assert_eq!((empty.kind, empty.value, empty.keep), (Kind::Other, None, false));
}

#[test]
fn numbers_are_names_escapes_are_read_and_the_last_of_two_keys_counts() {
    let text =
        br#"{"type":"CHANNEL_JOIN","type":"CHAT","channel":5,"userId":-1.50,"userName":"J\u00f5\n","value":"a\"b"}"#;
    let frame = Frame::parse(text).expect("a message");
    assert_eq!((frame.kind, &*frame.channel, &*frame.user_id, &*frame.user_name), (Kind::Chat, "5", "-1.50", "Jõ\n"));
    assert_eq!(&*frame.value_text(), "a\"b");
    // Half of a pair, which JavaScript writes and Unicode has not.
    let half = Frame::parse(br#"{"userName":"\ud83d","value":"\ud83d"}"#).expect("a message");
    assert_eq!((&*half.user_name, &*half.value_text()), ("", r#""\ud83d""#));
}

#[test]
fn names_have_an_end() {
    let with = |key: &str, len: usize| format!(r#"{{"{key}":"{}"}}"#, "x".repeat(len)).into_bytes();
    for key in ["channel", "userId", "userName"] {
        assert!(Frame::parse(&with(key, 256)).is_ok(), "{key}");
    }
    assert_eq!(Frame::parse(&with("channel", 257)), Err(FrameError::ChannelTooLong));
    assert_eq!(Frame::parse(&with("userId", 257)), Err(FrameError::UserTooLong));
    assert_eq!(Frame::parse(&with("username", 257)), Err(FrameError::UserTooLong));
}

#[test]
fn any_depth_is_passed_on() {
    let deep = format!(r#"{{"type":"ANYTHING","value":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let frame = Frame::parse(deep.as_bytes()).expect("a message");
    assert_eq!(frame.value.map(str::len), Some(200_000));
    assert_eq!(attributes::parse(frame.value.unwrap_or_default()), Err(AttributesError::TooLarge));
}

/// E-06: kept as sent on the bus, numbers elsewhere.
#[test]
fn e_06_values_are_kept_as_sent_and_are_numbers_elsewhere() {
    let value =
        r##"{"userX":"1.23","userY": 1.0 ,"userColor":"#ff0000","userId":"me","channel":"c","it":null,"o":{"a":[1]}}"##;
    let attributes = attributes::parse(value).expect("an object");
    let kept: Vec<_> = attributes.iter().map(|(key, json)| (key.as_str(), &**json)).collect();
    let expected =
        [("userX", "\"1.23\""), ("userY", "1.0"), ("userColor", "\"#ff0000\""), ("it", "null"), ("o", r#"{"a":[1]}"#)];
    assert_eq!(kept, expected);
    let elsewhere: Vec<_> = attributes.iter().map(|(_, json)| attributes::as_text(json)).collect();
    assert_eq!(
        elsewhere,
        [Some("1.23"), Some("1"), Some("#ff0000"), None, Some(r#"{"a":[1]}"#)].map(|t| t.map(str::to_owned))
    );
    for (json, text) in
        [("\" 1.50 \"", "1.5"), ("\"1e3\"", "1000"), ("\"nan\"", "nan"), ("\"1,5\"", "1,5"), ("true", "true")]
    {
        assert_eq!(attributes::as_text(json).as_deref(), Some(text), "{json}");
    }
}

#[test]
fn what_another_dialect_says_becomes_json() {
    for (key, text, json) in [
        ("userX", "1.5", "1.5"),
        ("userX", "-0.25", "-0.25"),
        ("userX", "01", "\"01\""),
        ("userX", "1.50", "\"1.50\""),
        ("userX", "inf", "\"inf\""),
        ("userName", "7", "\"7\""),
        ("seat", "12", "\"12\""),
        ("userColor", "#f\"0", "\"#f\\\"0\""),
    ] {
        assert_eq!(&*attributes::from_text(key, text), json, "{key} {text}");
    }
}

#[test]
fn updates_have_limits() {
    let object = |keys: usize| {
        let keys: Vec<_> = (0..keys).map(|at| format!("\"k{at}\":1")).collect();
        format!("{{{}}}", keys.join(","))
    };
    assert!(attributes::parse(&object(attributes::MAX_KEYS)).is_ok());
    assert_eq!(attributes::parse(&object(attributes::MAX_KEYS + 1)), Err(AttributesError::TooLarge));
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(attributes::MAX_UPDATE_BYTES));
    assert_eq!(attributes::parse(&long), Err(AttributesError::TooLarge));
    let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(attributes::parse(&deep(attributes::MAX_DEPTH - 1)).is_ok());
    assert_eq!(attributes::parse(&deep(attributes::MAX_DEPTH)), Err(AttributesError::TooLarge));
    assert!(attributes::parse(r#"{"a":"[[[[[[[[[[[[[[[[[[[[[\"[[["}"#).is_ok(), "brackets in a text are none");
    for no_object in ["5", "\"x\"", "[]", "null", ""] {
        assert_eq!(attributes::parse(no_object), Err(AttributesError::NoObject), "{no_object}");
    }
}

/// E-03: the message of the specification, with an id and a time.
#[test]
fn e_03_channels_updated_has_every_rooms_users() {
    let mut channels = ChannelsUpdated::new(&stamp(), 0);
    channels.room("first");
    channels.user("u1");
    channels.attribute("userName", "\"Mako\"");
    channels.user("u2");
    channels.attribute("userName", "\"Koko\"");
    channels.attribute("userX", "1.5");
    channels.room("empty");
    channels.room("other");
    channels.user("quiet");
    let expected = concat!(
        r#"{"id":"abcdefghijklmavy","datetime":"2026-11-20T04:16:17.005Z","type":"CHANNELS_UPDATED","#,
        r#""channel":"","userId":"","userName":"","value":"#,
        r#"{"first":{"users":{"u1":{"userName":"Mako"},"u2":{"userName":"Koko","userX":1.5}}},"#,
        r#""empty":{"users":{}},"other":{"users":{"quiet":{}}}}}"#,
    );
    assert_eq!(String::from_utf8_lossy(&channels.finish()), expected);
    assert_eq!(read(&ChannelsUpdated::new(&stamp(), 0).finish())["value"], json!({}));
}

/// E-02
#[test]
fn e_02_syncs_hold_the_messages_as_they_came() {
    let one = r#"{"type" : "CHAT","value":"\u0041"}"#;
    let sync = message::sync(&stamp(), "CHAT_SYNC", "a\"b", [one.as_bytes(), b"{}"]);
    let text = String::from_utf8_lossy(&sync);
    assert!(text.ends_with(&format!(r#","value":[{one},{{}}]}}"#)), "{text}");
    let read = read(&sync);
    assert_eq!((&read["type"], &read["channel"]), (&json!("CHAT_SYNC"), &json!("a\"b")));
    let empty = message::sync(&stamp(), "LIKE_SYNC", "c", []);
    assert_eq!(self::read(&empty)["value"], json!([]));
}

#[test]
fn messages_of_our_own_are_complete() {
    let author = Author { id: "token:alice", name: "Alice\u{1}" };
    let chat = read(&message::text(&stamp(), "CHAT", "residence", author, "tere\n\"\\"));
    let expected = json!({
        "id": "abcdefghijklmavy", "datetime": "2026-11-20T04:16:17.005Z", "type": "CHAT", "channel": "residence",
        "userId": "token:alice", "userName": "Alice\u{1}", "value": "tere\n\"\\",
    });
    assert_eq!(chat, expected);
    let video = read(&message::stored(&stamp(), "VIDEO", "elektron", r#"{"a":1}"#));
    assert_eq!((&video["store"], &video["value"], &video["type"]), (&json!(true), &json!({"a": 1}), &json!("VIDEO")));
    let own = Frame::parse(&message::stored(&stamp(), "STATS", "r", "[]")).map(|frame| (frame.keep, frame.kind));
    assert_eq!(own, Ok((true, Kind::Other)));
}
