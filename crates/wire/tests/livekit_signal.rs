//! A client's messages, and what the room is told.

use prost::Message as _;
use proto::signal_request::Message;
use room::media::{ConnectionMode, Target};
use room::participant::DisconnectReason;
use room::settings::WantedPicture;
use room::track::{TrackKind, TrackSource};
use room::{RoomInput, SessionId, TrackSid};
use wire::livekit::event::Encoding;
use wire::livekit::proto;
use wire::livekit::signal::{MAX_SIGNAL_BYTES, MAX_SUBSCRIPTION_TRACKS, Sender, Signal, SignalError, decode};

const DUAL: Sender = Sender { session: SessionId(7), mode: ConnectionMode::Dual };
const SINGLE: Sender = Sender { session: SessionId(7), mode: ConnectionMode::Single };

fn read(sender: Sender, message: Message) -> Result<Signal, SignalError> {
    let frame = proto::SignalRequest { message: Some(message) }.encode_to_vec();
    decode(sender, &frame, Encoding::Binary)
}

fn input(sender: Sender, message: Message) -> RoomInput {
    match read(sender, message) {
        Ok(Signal::Room(input)) => *input,
        other => panic!("{other:?}"),
    }
}

fn json(text: &str) -> Result<Signal, SignalError> {
    decode(SINGLE, text.as_bytes(), Encoding::Json)
}

#[test]
fn l_37_l_38_settings_are_read_by_size_where_there_is_one() {
    // L-37, L-38: as livekit-client 2.23.0 sends them, in JSON mode.
    let settings = |text: &str| match json(text) {
        Ok(Signal::Room(input)) => match *input {
            RoomInput::UpdateTrackSettings { session: SessionId(7), tracks, settings } => (tracks, settings),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let (tracks, high) = settings(r#"{"trackSetting":{"trackSids":["TR_1","TR_2"],"quality":"HIGH","fps":15}}"#);
    assert_eq!(tracks, [TrackSid::new("TR_1"), TrackSid::new("TR_2")]);
    assert_eq!((high.disabled, high.picture, high.fps), (false, WantedPicture::Quality(2), 15));
    let (_, sized) = settings(r#"{"trackSetting":{"trackSids":["TR_1"],"width":320,"height":180,"priority":9}}"#);
    assert_eq!((sized.picture, sized.priority), (WantedPicture::Size(320, 180), 9));
    let (_, off) = settings(r#"{"trackSetting":{"trackSids":["TR_1"],"disabled":true}}"#);
    assert!(off.disabled);
    let many = vec![String::from("TR_1"); MAX_SUBSCRIPTION_TRACKS + 1];
    let too_many = Message::TrackSetting(proto::UpdateTrackSettings { track_sids: many, ..Default::default() });
    assert!(matches!(read(SINGLE, too_many), Err(SignalError::TooLarge)));
}

fn trickle(init: &str, target: i32) -> Message {
    Message::Trickle(proto::TrickleRequest { candidate_init: init.into(), target, r#final: false })
}

#[test]
fn l_33_the_camera_of_livekit_client_is_read_whole() {
    // L-33: as in the trace of livekit-client 2.23.0 in Chromium, in JSON mode.
    let text = r#"{"addTrack":{"cid":"3a345e5b","type":"VIDEO","width":1280,"height":720,"source":"CAMERA",
        "layers":[{"width":320,"height":180,"bitrate":160000},{"quality":"MEDIUM","width":640,"height":360},
        {"quality":"HIGH","width":1280,"height":720}],"simulcastCodecs":[{"codec":"vp8","cid":"3a345e5b"}]}}"#;
    let Ok(Signal::Room(input)) = json(text) else { panic!() };
    let RoomInput::AddTrack { session, request } = *input else { panic!() };
    assert_eq!((session, request.kind, request.source), (SessionId(7), TrackKind::Video, TrackSource::Camera));
    assert_eq!((request.cid.as_str(), request.width, request.layers.len()), ("3a345e5b", 1280, 3));
    assert_eq!(request.stream, "camera");
    let codec = &request.codecs[0];
    assert_eq!((codec.mime.as_str(), codec.layers.len(), codec.layers[2].quality), ("video/vp8", 3, 2));
}

#[test]
fn l_33_the_microphone_and_its_features_are_read() {
    // L-33
    let add = proto::AddTrackRequest {
        cid: "mic".into(),
        source: 2,
        audio_features: vec![0, 1, 3],
        disable_red: true,
        ..Default::default()
    };
    let RoomInput::AddTrack { request, .. } = input(DUAL, Message::AddTrack(add)) else { panic!() };
    assert_eq!((request.kind, request.source), (TrackKind::Audio, TrackSource::Microphone));
    assert!(request.stereo && request.disable_dtx && request.disable_red);
    assert_eq!(request.codecs.len(), 1);
    assert_eq!(request.codecs[0].cid, "mic");
}

#[test]
fn l_63_a_request_that_names_a_track_adds_a_codec_to_it() {
    let codec = proto::SimulcastCodec { codec: "vp8".into(), cid: "backup".into(), ..Default::default() };
    let add = proto::AddTrackRequest {
        sid: "TR_1".into(),
        cid: "backup".into(),
        r#type: 1,
        simulcast_codecs: vec![codec],
        ..Default::default()
    };
    let RoomInput::AddCodec { track, codec, .. } = input(SINGLE, Message::AddTrack(add)) else { panic!() };
    assert_eq!((track.as_str(), codec.mime.as_str(), codec.cid.as_str()), ("TR_1", "video/vp8", "backup"));
}

#[test]
fn an_unknown_kind_of_track_is_refused_in_words() {
    let message = Message::AddTrack(proto::AddTrackRequest { r#type: 2, cid: "c".into(), ..Default::default() });
    let Ok(Signal::Refused(response)) = read(SINGLE, message) else { panic!() };
    let Some(proto::signal_response::Message::RequestResponse(response)) = response.message else { panic!() };
    assert_eq!(response.reason, proto::request_response::Reason::UnsupportedType as i32);
    assert!(response.request.is_some() && !response.message.is_empty());
}

#[test]
fn candidates_belong_to_the_connection_that_there_is() {
    let init = r#"{"candidate":"candidate:1 1 udp 1 192.0.2.2 9 typ host","sdpMid":"0","sdpMLineIndex":0}"#;
    for (sender, number, expected) in
        [(DUAL, 0, Target::Publisher), (DUAL, 1, Target::Subscriber), (SINGLE, 1, Target::Publisher)]
    {
        let RoomInput::Candidate { target, candidate, .. } = input(sender, trickle(init, number)) else { panic!() };
        assert_eq!(target, expected);
        assert!(candidate.starts_with("candidate:1 "));
    }
}

#[test]
fn the_end_of_candidates_is_nothing_and_nonsense_is_an_error() {
    for end in [r#"{"candidate":""}"#, r#"{"candidate":null}"#, "{}"] {
        assert!(matches!(read(DUAL, trickle(end, 0)), Ok(Signal::Ignored(_))), "{end}");
    }
    for bad in ["", "candidate:1", r#"{"candidate":5}"#, "[]", "null"] {
        assert_eq!(read(DUAL, trickle(bad, 0)).unwrap_err(), SignalError::Candidate, "{bad}");
    }
    assert_eq!(read(DUAL, trickle(&"x".repeat(5_000), 0)).unwrap_err(), SignalError::TooLarge);
}

#[test]
fn l_22_both_lists_of_a_subscription_update_count() {
    // L-22
    let update = proto::UpdateSubscription {
        track_sids: vec!["TR_1".into()],
        subscribe: false,
        participant_tracks: vec![proto::ParticipantTracks {
            participant_sid: "PA_1".into(),
            track_sids: vec!["TR_2".into(), "TR_3".into()],
        }],
    };
    let RoomInput::UpdateSubscription { tracks, subscribe, .. } = input(DUAL, Message::Subscription(update)) else {
        panic!()
    };
    assert_eq!(tracks, ["TR_1", "TR_2", "TR_3"].map(TrackSid::new));
    assert!(!subscribe);
    let flood = proto::UpdateSubscription { track_sids: vec![String::new(); 10_001], ..Default::default() };
    assert_eq!(read(DUAL, Message::Subscription(flood)).unwrap_err(), SignalError::TooLarge);
}

#[test]
fn l_11_l_27_mute_and_leave_reach_the_room() {
    // L-11, L-27
    let mute = Message::Mute(proto::MuteTrackRequest { sid: "TR_1".into(), muted: true });
    assert!(matches!(input(DUAL, mute), RoomInput::Mute { muted: true, .. }));
    let leave = Message::Leave(proto::LeaveRequest { reason: 3, ..Default::default() });
    let RoomInput::Leave { reason, .. } = input(DUAL, leave) else { panic!() };
    assert_eq!(reason, DisconnectReason::ClientInitiated, "a client speaks for itself only");
}

#[test]
fn empty_metadata_is_unchanged_and_an_empty_attribute_is_kept_for_removal() {
    let update = proto::UpdateParticipantMetadata {
        name: "Ann".into(),
        attributes: [("gone".to_owned(), String::new())].into(),
        request_id: 9,
        ..Default::default()
    };
    let RoomInput::UpdateMetadata { request_id, name, metadata, attributes, .. } =
        input(DUAL, Message::UpdateMetadata(update))
    else {
        panic!()
    };
    assert_eq!((request_id, name.as_deref(), metadata), (9, Some("Ann"), None));
    assert_eq!(attributes["gone"], "");
}

#[test]
fn pings_are_for_the_gateway_and_the_rest_is_borne() {
    assert!(matches!(read(DUAL, Message::Ping(5)), Ok(Signal::Ping)));
    let ping = Message::PingReq(proto::Ping { timestamp: 5, rtt: 1 });
    assert!(matches!(read(DUAL, ping), Ok(Signal::PingReq { timestamp: 5 })));
    // JS sends it right after every connect.
    assert!(matches!(json(r#"{"subscriptionPermission":{"allParticipants":true}}"#), Ok(Signal::Ignored(_))));
    assert!(matches!(json(r#"{"somethingNew":{}}"#), Ok(Signal::Ignored("unknown"))));
    assert!(matches!(decode(DUAL, &[], Encoding::Binary), Ok(Signal::Ignored("unknown"))));
}

#[test]
fn what_is_no_message_is_an_error() {
    assert_eq!(decode(DUAL, &[0xff; 4], Encoding::Binary).unwrap_err(), SignalError::Malformed);
    assert_eq!(json("not json").unwrap_err(), SignalError::Malformed);
    assert_eq!(json(r#"{"offer":5}"#).unwrap_err(), SignalError::Malformed);
    let long = vec![0; MAX_SIGNAL_BYTES + 1];
    assert_eq!(decode(DUAL, &long, Encoding::Binary).unwrap_err(), SignalError::TooLarge);
    let layers = vec![proto::VideoLayer::default(); 9];
    let add = Message::AddTrack(proto::AddTrackRequest { cid: "c".into(), layers, ..Default::default() });
    assert!(matches!(read(DUAL, add), Ok(Signal::Refused(_))));
}
