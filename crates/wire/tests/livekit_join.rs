//! How clients join, as their libraries write it (L-25, L-21).

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;
use room::media::ConnectionMode;
use std::io::Write as _;
use wire::livekit::join_request::{JoinParams, JoinRequestError, MAX_ENCODED_BYTES, MAX_JOIN_REQUEST_BYTES};
use wire::livekit::proto;
use wire::livekit::query::Query;

fn request() -> proto::JoinRequest {
    proto::JoinRequest {
        client_info: Some(proto::ClientInfo {
            sdk: proto::client_info::Sdk::ReactNative as i32,
            version: "2.23.0".into(),
            protocol: 17,
            client_protocol: 2,
            browser: "Chrome".into(),
            capabilities: vec![2],
            ..Default::default()
        }),
        connection_settings: Some(proto::ConnectionSettings { auto_subscribe: true, ..Default::default() }),
        publisher_offer: Some(proto::SessionDescription {
            r#type: "offer".into(),
            sdp: "v=0\r\n".repeat(2_000),
            id: 1,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn wrapped(inner: Vec<u8>, compression: i32) -> Vec<u8> {
    proto::WrappedJoinRequest { compression, join_request: inner }.encode_to_vec()
}

fn v1(encoded: &str) -> Result<JoinParams, JoinRequestError> {
    let query = format!("access_token=t&join_request={}", encoded.replace('=', "%3D"));
    JoinParams::v1(&Query::parse(&query))
}

#[test]
fn l_25_a_gzipped_join_request_with_padding_is_read() {
    // L-25: livekit-client 2.23.0 always compresses and pads.
    let join = v1(&URL_SAFE.encode(wrapped(gzip(&request().encode_to_vec()), 1))).unwrap();
    assert_eq!(join.mode, ConnectionMode::Single);
    assert_eq!(join.offer, Some((1, "v=0\r\n".repeat(2_000))));
    assert_eq!((join.client.sdk.as_str(), join.client.browser.as_str()), ("reactnative", "chrome"));
    assert_eq!((join.client.protocol, join.client.client_protocol), (17, 2));
    assert_eq!(join.client.capabilities, [2]);
    assert!(join.auto_subscribe && join.resume.is_none());
}

#[test]
fn l_25_an_uncompressed_join_request_without_padding_is_read() {
    // L-25: the Rust SDK compresses only where that is shorter.
    let mut plain = request();
    plain.connection_settings = Some(proto::ConnectionSettings { auto_subscribe: false, ..Default::default() });
    let join = v1(&URL_SAFE_NO_PAD.encode(wrapped(plain.encode_to_vec(), 0))).unwrap();
    assert!(!join.auto_subscribe, "L-21: not said true is said false");
}

#[test]
fn a_resume_and_tracks_announced_with_the_join_are_read() {
    let track = proto::AddTrackRequest { cid: "c1".into(), r#type: 1, source: 1, ..Default::default() };
    let request = proto::JoinRequest {
        reconnect: true,
        participant_sid: "PA_1".into(),
        reconnect_reason: 2,
        add_track_requests: vec![track],
        metadata: "m".into(),
        participant_attributes: [("a".to_owned(), "1".to_owned())].into(),
        ..request()
    };
    let join = v1(&URL_SAFE.encode(wrapped(request.encode_to_vec(), 0))).unwrap();
    let resume = join.resume.unwrap();
    assert_eq!((resume.participant_sid.as_str(), resume.reason), ("PA_1", 2));
    assert_eq!((join.tracks[0].cid.as_str(), join.tracks[0].stream.as_str()), ("c1", "camera"));
    assert_eq!((join.metadata.as_str(), join.attributes["a"].as_str()), ("m", "1"));
}

#[test]
fn l_25_v0_parameters_are_read_and_have_their_defaults() {
    // L-25, L-21: livekit-client with singlePeerConnection: false.
    let query = Query::parse(
        "access_token=t&auto_subscribe=1&sdk=js&version=2.23.0&protocol=17&client_protocol=2&adaptive_stream=1\
         &capabilities=CAP_COMPRESSION_DEFLATE_RAW,CAP_OF_THE_FUTURE&browser=Firefox",
    );
    let join = JoinParams::v0(&query).unwrap();
    assert_eq!(join.mode, ConnectionMode::Dual);
    assert_eq!((join.client.sdk.as_str(), join.client.browser.as_str()), ("js", "firefox"));
    assert_eq!(join.client.capabilities, [2]);
    assert!(join.auto_subscribe && join.resume.is_none());
    assert!(JoinParams::v0(&Query::parse("")).unwrap().auto_subscribe, "L-21: the default is to subscribe");
    assert!(!JoinParams::v0(&Query::parse("auto_subscribe=0")).unwrap().auto_subscribe);
    assert!(!JoinParams::v0(&Query::parse("")).unwrap().auto_subscribe_data, "L-65: nobody gets data tracks unasked");
    assert!(JoinParams::v0(&Query::parse("auto_subscribe_data_track=1")).unwrap().auto_subscribe_data);
    assert!(!join.may_pause, "L-39: tracks are paused only where the client says so");
    assert!(JoinParams::v0(&Query::parse("subscriber_allow_pause=1")).unwrap().may_pause);
}

#[test]
fn v0_reconnects_and_attributes_are_read() {
    let attributes = URL_SAFE.encode(r#"{"seat":"4"}"#).replace('=', "%3D");
    let text = format!("reconnect=1&sid=PA_9&reconnect_reason=3&publish=x&attributes={attributes}");
    let join = JoinParams::v0(&Query::parse(&text)).unwrap();
    assert_eq!(join.resume.unwrap().participant_sid, "PA_9");
    assert_eq!(join.attributes["seat"], "4");
    for bad in ["attributes=%20", "attributes=e30x", "attributes=WzFd", "attributes=eyJhIjoxfQ"] {
        assert_eq!(JoinParams::v0(&Query::parse(bad)), Err(JoinRequestError::Attributes), "{bad}");
    }
}

#[test]
fn v0_with_a_join_request_is_v1() {
    let encoded = URL_SAFE.encode(wrapped(request().encode_to_vec(), 0)).replace('=', "%3D");
    let text = format!("join_request={encoded}&auto_subscribe=0");
    let join = JoinParams::v0(&Query::parse(&text)).unwrap();
    assert_eq!((join.mode, join.auto_subscribe), (ConnectionMode::Single, true));
}

#[test]
fn what_is_no_join_request_is_refused_in_plain_words() {
    let missing = JoinParams::v1(&Query::parse("access_token=t")).unwrap_err();
    assert_eq!(missing.to_string(), "join_request is required");
    assert_eq!(v1("****"), Err(JoinRequestError::Base64));
    assert_eq!(v1(&URL_SAFE.encode([0xff, 0xff])), Err(JoinRequestError::Protobuf));
    assert_eq!(v1(&URL_SAFE.encode(wrapped(vec![1, 2, 3], 1))), Err(JoinRequestError::Compression));
    assert_eq!(v1(&URL_SAFE.encode(wrapped(vec![1, 2, 3], 7))), Err(JoinRequestError::Compression));
    assert_eq!(v1(&URL_SAFE.encode(wrapped(vec![0xff; 9], 0))), Err(JoinRequestError::Protobuf));
    assert_eq!(v1(&"A".repeat(MAX_ENCODED_BYTES + 1)), Err(JoinRequestError::TooLarge));
}

#[test]
fn a_gzip_bomb_stops_at_a_mebibyte() {
    let bomb = gzip(&vec![0; 20 * MAX_JOIN_REQUEST_BYTES]);
    assert!(bomb.len() < MAX_ENCODED_BYTES / 2, "small enough to get in");
    assert_eq!(v1(&URL_SAFE.encode(wrapped(bomb, 1))), Err(JoinRequestError::TooLarge));
}

#[test]
fn a_join_announces_no_more_tracks_than_a_session_may_have_pending() {
    let track = proto::AddTrackRequest { cid: "c".into(), ..Default::default() };
    let many = proto::JoinRequest { add_track_requests: vec![track.clone(); 21], ..request() };
    assert_eq!(v1(&URL_SAFE.encode(wrapped(many.encode_to_vec(), 0))), Err(JoinRequestError::TooLarge));
    let data = proto::AddTrackRequest { r#type: 2, ..track };
    let data = proto::JoinRequest { add_track_requests: vec![data], ..request() };
    assert_eq!(v1(&URL_SAFE.encode(wrapped(data.encode_to_vec(), 0))), Err(JoinRequestError::Track));
}
