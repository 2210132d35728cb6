//! The server API's bodies (L-53).

use prost::Message as _;
use wire::livekit::json_names::{EMPTY, LIST_ROOMS};
use wire::livekit::proto;
use wire::livekit::twirp::{Code, Format, TwirpError, decode, encode};

#[test]
fn l_53_json_is_read_in_both_spellings_and_protobuf_as_itself() {
    // L-53
    let expected = proto::CreateRoomRequest { name: "r".into(), empty_timeout: 60, ..Default::default() };
    for body in [
        r#"{"name":"r","empty_timeout":60}"#,
        r#"{"name":"r","emptyTimeout":"60"}"#,
        r#"{"name":"r","emptyTimeout":60,"of_the_future":[{}]}"#,
    ] {
        assert_eq!(decode::<proto::CreateRoomRequest>(Format::Json, body.as_bytes()).unwrap(), expected, "{body}");
    }
    assert_eq!(decode::<proto::CreateRoomRequest>(Format::Protobuf, &expected.encode_to_vec()).unwrap(), expected);
    assert_eq!(decode::<proto::ListRoomsRequest>(Format::Json, b"{}").unwrap(), Default::default());
    let data = br#"{"room":"r","data":"aGk=","kind":"LOSSY","destination_identities":["b"]}"#;
    let data: proto::SendDataRequest = decode(Format::Json, data).unwrap();
    assert_eq!((&data.data[..], data.kind), (&b"hi"[..], 1));
}

#[test]
fn l_53_answers_are_snake_case_with_defaults() {
    // L-53
    let rooms = vec![proto::Room { name: "r".into(), creation_time: 5, ..Default::default() }];
    let body = encode(Format::Json, &proto::ListRoomsResponse { rooms }, &LIST_ROOMS).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let room = &json["rooms"][0];
    assert_eq!(
        (&room["name"], &room["creation_time"], &room["num_participants"]),
        (&"r".into(), &"5".into(), &0.into())
    );
    assert_eq!(room["active_recording"], false);
    let none = encode(Format::Json, &proto::ListRoomsResponse::default(), &LIST_ROOMS).unwrap();
    assert_eq!(none, br#"{"rooms":[]}"#);
    assert_eq!(encode(Format::Json, &proto::SendDataResponse {}, &EMPTY).unwrap(), b"{}");
}

#[test]
fn l_53_errors_have_code_msg_and_meta() {
    // L-53
    let error = TwirpError::new(Code::Unauthenticated, "permissions denied");
    let json: serde_json::Value = serde_json::from_slice(&error.to_json()).unwrap();
    assert_eq!(json, serde_json::json!({"code": "unauthenticated", "msg": "permissions denied"}));
    assert_eq!(error.code.status(), 401);
    let error = TwirpError::bad_route("no such method", "POST", "/twirp/x");
    let json: serde_json::Value = serde_json::from_slice(&error.to_json()).unwrap();
    assert_eq!(json["meta"]["twirp_invalid_route"], "POST /twirp/x");
}

#[test]
fn l_53_a_body_that_cannot_be_read_is_malformed() {
    // L-53
    for body in ["", "[]", "{", r#"{"name":5}"#, r#"{"empty_timeout":-1}"#] {
        let error = decode::<proto::CreateRoomRequest>(Format::Json, body.as_bytes()).unwrap_err();
        assert_eq!(error.code, Code::Malformed, "{body}");
    }
    assert!(decode::<proto::CreateRoomRequest>(Format::Protobuf, &[0xff]).is_err());
}

#[test]
fn the_format_is_that_of_the_content_type() {
    assert_eq!(Format::of("application/json; charset=utf-8"), Some(Format::Json));
    assert_eq!(Format::of("application/protobuf"), Some(Format::Protobuf));
    assert_eq!(Format::of("text/plain"), None);
    assert_eq!(Format::Json.content_type(), "application/json");
}
