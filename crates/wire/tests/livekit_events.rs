//! What a session is told, as LiveKit's clients read it (livekit.md 2.3 to 2.10).

use proto::signal_response::Message;
use room::data_track::{DataTrack, ReceivedDataTrack};
use room::effect::{LeaveAction, RequestOutcome, RequestSubject, RoomInfo, SubscriptionFailure, WantedCodec};
use room::media::{ConnectionMode, Target};
use room::participant::{ClientInfo, DisconnectReason, Participant, ParticipantKind, ParticipantState};
use room::permission::Permission;
use room::track::{Layer, Track, TrackKind, TrackRequest, TrackSource};
use room::{Identity, Origin, ParticipantSid, RoomEvent, RoomSid, TrackSid};
use std::sync::Arc;
use wire::livekit::data_track;
use wire::livekit::event::{Encoding, encode, leave, responses};
use wire::livekit::join_response::ServerFacts;
use wire::livekit::{info, proto};

fn facts() -> ServerFacts {
    ServerFacts { node_id: "ND_1".into(), sif_trailer: vec![1, 2, 3], ..ServerFacts::default() }
}

fn messages(event: &RoomEvent, mode: ConnectionMode) -> Vec<Message> {
    responses(event, mode, &facts()).into_iter().filter_map(|response| response.message).collect()
}

fn message(event: &RoomEvent) -> Message {
    let mut all = messages(event, ConnectionMode::Single);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn participant(identity: Identity) -> Participant {
    Participant {
        sid: ParticipantSid::new("PA_1"),
        identity,
        name: "Ann".into(),
        metadata: "m".into(),
        attributes: [("seat".to_owned(), "4".to_owned())].into(),
        state: ParticipantState::Active,
        permission: Permission::default(),
        tracks: vec![Arc::new(track())],
        data_tracks: vec![Arc::new(data_track())],
        joined_at_ms: 1_795_149_759_677,
        version: 3,
        kind: ParticipantKind::Standard,
        client: ClientInfo { client_protocol: 2, capabilities: vec![2], ..ClientInfo::default() },
        disconnect_reason: None,
        is_publisher: true,
        region: String::new(),
    }
}

fn data_track() -> DataTrack {
    let encoding = proto::data_track_frame_encoding::Value::Custom("cbor-x".into());
    let encoding = proto::DataTrackFrameEncoding { value: Some(encoding) };
    let request = proto::PublishDataTrackRequest {
        pub_handle: 7,
        name: "pose".into(),
        encryption: 1,
        frame_encoding: Some(encoding),
        ..Default::default()
    };
    DataTrack { sid: TrackSid::new("DTR_1"), handle: 7, request: data_track::request(request) }
}

fn track() -> Track {
    let layer = |rid: &str, quality| Layer { rid: rid.into(), quality, ..Layer::default() };
    let request = TrackRequest {
        cid: "c".into(),
        kind: TrackKind::Video,
        source: TrackSource::Camera,
        name: "cam".into(),
        muted: false,
        width: 1280,
        height: 720,
        layers: vec![],
        codecs: vec![],
        disable_dtx: false,
        disable_red: false,
        stereo: false,
        stream: "camera".into(),
        encryption: 1,
        backup_codec_policy: 1,
        audio_features: vec![],
        packet_trailer_features: vec![],
    };
    Track {
        sid: TrackSid::new("TR_VC1"),
        request: Arc::new(request),
        muted: true,
        mime: "video/VP8".into(),
        mid: "3".into(),
        layers: vec![layer("q", 0), layer("h", 1), layer("f", 2)],
        codecs: vec![],
        version_us: 9,
    }
}

fn room_info() -> RoomInfo {
    RoomInfo {
        sid: RoomSid::new("RM_1"),
        name: "residence".into(),
        empty_timeout_s: 300,
        departure_timeout_s: 20,
        max_participants: 0,
        created_at_ms: 1_795_149_759_677,
        metadata: String::new(),
        enabled_codecs: room::codecs::forwarded(),
        num_participants: 2,
        num_publishers: 1,
        active_recording: false,
    }
}

fn joined() -> RoomEvent {
    let you = Arc::new(participant(Identity::token("alice")));
    RoomEvent::Joined {
        room: room_info(),
        you: you.clone(),
        others: vec![you],
        publish_codecs: room::codecs::forwarded(),
        transport: Default::default(),
    }
}

#[test]
fn l_23_the_join_has_every_field_that_clients_need() {
    // L-23, livekit.md 2.3 and 2.10
    for (mode, subscriber_primary) in [(ConnectionMode::Single, false), (ConnectionMode::Dual, true)] {
        let Message::Join(join) = messages(&joined(), mode).remove(0) else { panic!() };
        assert_eq!(join.subscriber_primary, subscriber_primary);
        assert_eq!((join.ping_interval, join.ping_timeout), (5, 15));
        let server = join.server_info.unwrap();
        assert_eq!((server.version.as_str(), server.protocol, server.agent_protocol), ("1.13.5", 17, 1));
        assert_eq!((server.node_id.as_str(), join.server_version.as_str()), ("ND_1", "1.13.5"));
        assert!(join.fast_publish && !join.sif_trailer.is_empty());
        let you = join.participant.unwrap();
        assert!(you.permission.unwrap().can_publish);
        assert_eq!((you.client_protocol, you.capabilities), (2, vec![2]));
        assert_eq!(join.other_participants.len(), 1);
        let room = join.room.unwrap();
        assert_eq!((room.creation_time, room.creation_time_ms), (1_795_149_759, 1_795_149_759_677));
        let codecs: Vec<_> = join.enabled_publish_codecs.iter().map(|codec| codec.mime.as_str()).collect();
        assert!(codecs.contains(&"video/VP8") && codecs.contains(&"video/H264"));
        assert!(codecs.contains(&"audio/red") && !codecs.contains(&"video/H265"));
    }
}

#[test]
fn a_participant_of_another_origin_appears_with_its_prefix() {
    let bus = Identity { origin: Origin::Bus, id: "alice".into() };
    let Message::Update(update) = message(&RoomEvent::ParticipantsUpdated(vec![Arc::new(participant(bus))])) else {
        panic!()
    };
    assert_eq!(update.participants[0].identity, "bus:alice");
    assert_eq!(update.participants[0].version, 3);
}

#[test]
#[allow(deprecated)] // read by older clients
fn l_19_a_published_track_is_told_with_its_cid() {
    // L-19
    let event = RoomEvent::TrackPublished { cid: "c".into(), track: Arc::new(track()) };
    let Message::TrackPublished(published) = message(&event) else { panic!() };
    let track = published.track.unwrap();
    assert_eq!((published.cid.as_str(), track.sid.as_str(), track.mid.as_str()), ("c", "TR_VC1", "3"));
    assert!(track.simulcast && track.muted);
    assert_eq!((track.encryption, track.version.unwrap().unix_micro), (1, 9));
}

#[test]
#[allow(deprecated)] // read by older clients
fn l_63_wanted_layers_are_listed_for_each_codec() {
    let codec = |name: &str, highest| WantedCodec { name: name.into(), highest };
    let codecs = vec![codec("vp9", Some(1)), codec("vp8", None)];
    let event = RoomEvent::LayersWanted { track: TrackSid::new("TR_1"), codecs };
    let Message::SubscribedQualityUpdate(update) = message(&event) else { panic!() };
    let enabled = |qualities: &[proto::SubscribedQuality]| -> Vec<_> {
        qualities.iter().map(|quality| (quality.quality, quality.enabled)).collect()
    };
    assert_eq!(update.track_sid, "TR_1");
    assert_eq!(enabled(&update.subscribed_qualities), [(0, true), (1, true), (2, false)], "of the primary codec");
    let codecs: Vec<_> =
        update.subscribed_codecs.iter().map(|of| (of.codec.as_str(), enabled(&of.qualities))).collect();
    let primary = vec![(0, true), (1, true), (2, false)];
    assert_eq!(codecs, [("vp9", primary), ("vp8", vec![(0, false), (1, false), (2, false)])]);
}

#[test]
fn answers_and_offers_map_every_mid_to_its_track() {
    let tracks = vec![("0".to_owned(), TrackSid::new("TR_1")), ("3".to_owned(), TrackSid::new("TR_2"))];
    let event = RoomEvent::Answer { id: 4, sdp: "v=0".into(), tracks: tracks.clone() };
    let Message::Answer(answer) = message(&event) else { panic!() };
    assert_eq!((answer.id, answer.r#type.as_str(), answer.mid_to_track_id["3"].as_str()), (4, "answer", "TR_2"));
    let Message::Offer(offer) = message(&RoomEvent::Offer { id: 5, sdp: "v=0".into(), tracks }) else { panic!() };
    assert_eq!((offer.id, offer.r#type.as_str(), offer.mid_to_track_id.len()), (5, "offer", 2));
}

#[test]
fn candidates_never_have_a_null_mid_and_the_last_is_final() {
    // livekit.md 2.5: Rust clients panic otherwise.
    let candidates = vec!["candidate:1 1 udp 1 192.0.2.2 7882 typ host".to_owned(), "candidate:2 \"x\"".to_owned()];
    let event = RoomEvent::Candidates { target: Target::Subscriber, candidates, ufrag: "u".into() };
    let all = messages(&event, ConnectionMode::Dual);
    let trickle = |message: &Message| match message {
        Message::Trickle(trickle) => trickle.clone(),
        other => panic!("{other:?}"),
    };
    let (first, last) = (trickle(&all[0]), trickle(&all[1]));
    let expected = r#"{"candidate":"candidate:1 1 udp 1 192.0.2.2 7882 typ host","sdpMid":"","sdpMLineIndex":0,"usernameFragment":null}"#;
    assert_eq!(first.candidate_init, expected, "our sections' names are random, and a wrong one is an error");
    assert!(!first.r#final && last.r#final && last.target == 1);
    serde_json::from_str::<serde_json::Value>(&last.candidate_init).unwrap();
    let none = RoomEvent::Candidates { target: Target::Publisher, candidates: vec![], ufrag: "u".into() };
    assert!(messages(&none, ConnectionMode::Single).is_empty());
}

#[test]
fn l_16_a_leave_says_why_and_what_next() {
    // L-16
    let Some(Message::Leave(told)) = leave(DisconnectReason::DuplicateIdentity, LeaveAction::Disconnect).message else {
        panic!()
    };
    assert_eq!((told.reason, told.action, told.can_reconnect), (2, 0, false));
    let Some(Message::Leave(told)) = leave(DisconnectReason::StateMismatch, LeaveAction::Reconnect).message else {
        panic!()
    };
    assert_eq!((told.reason, told.action, told.can_reconnect), (6, 2, true));
}

#[test]
fn requests_are_answered_by_id_and_by_subject() {
    let event = |subject| RoomEvent::RequestResponse {
        request_id: 7,
        outcome: RequestOutcome::NotAllowed,
        message: "no".into(),
        subject,
    };
    use proto::request_response::Request;
    let Message::RequestResponse(metadata) = message(&event(RequestSubject::Metadata)) else { panic!() };
    assert_eq!((metadata.request_id, metadata.reason), (7, 2));
    assert!(matches!(metadata.request, Some(Request::UpdateMetadata(_))));
    let Message::RequestResponse(track) = message(&event(RequestSubject::AddTrack { cid: "c".into() })) else {
        panic!()
    };
    assert!(matches!(track.request, Some(Request::AddTrack(add)) if add.cid == "c"));
}

#[test]
fn both_encodings_say_the_same() {
    for response in responses(&joined(), ConnectionMode::Dual, &facts()) {
        let json = encode(&response, Encoding::Json);
        let back: proto::SignalResponse = serde_json::from_slice(&json).unwrap();
        assert_eq!(back, response);
        assert!(String::from_utf8(json).unwrap().contains("\"otherParticipants\""));
        let binary = encode(&response, Encoding::Binary);
        assert_eq!(<proto::SignalResponse as prost::Message>::decode(&*binary).unwrap(), response);
    }
}

#[test]
fn l_65_data_tracks_are_announced_shown_and_numbered() {
    // L-65
    let track = Arc::new(data_track());
    let Message::PublishDataTrackResponse(published) = message(&RoomEvent::DataTrackPublished { track: track.clone() })
    else {
        panic!("no response")
    };
    let info = published.info.unwrap();
    assert_eq!((info.pub_handle, &*info.sid, &*info.name, info.encryption), (7, "DTR_1", "pose", 1));
    assert!(info.frame_encoding.is_some() && info.schema.is_none(), "passed through");
    let Message::Update(update) =
        message(&RoomEvent::ParticipantsUpdated(vec![Arc::new(participant(Identity::token("ann")))]))
    else {
        panic!("no update")
    };
    assert_eq!(update.participants[0].data_tracks, std::slice::from_ref(&info));
    let Message::UnpublishDataTrackResponse(ended) = message(&RoomEvent::DataTrackUnpublished { track }) else {
        panic!("no response")
    };
    assert_eq!(ended.info, Some(info));
    let received = ReceivedDataTrack {
        handle: 3,
        track: TrackSid::new("DTR_1"),
        publisher: ParticipantSid::new("PA_1"),
        identity: Identity { origin: Origin::Bus, id: "ann".into() },
    };
    let Message::DataTrackSubscriberHandles(handles) = message(&RoomEvent::DataTracksReceived(vec![received])) else {
        panic!("no handles")
    };
    let track = &handles.sub_handles[&3];
    assert_eq!((&*track.publisher_identity, &*track.publisher_sid, &*track.track_sid), ("bus:ann", "PA_1", "DTR_1"));
}

#[test]
fn l_65_a_refused_data_track_is_echoed_by_its_handle() {
    // L-65
    use proto::request_response::{Reason, Request};
    for (outcome, reason) in [
        (RequestOutcome::InvalidHandle, Reason::InvalidHandle),
        (RequestOutcome::InvalidName, Reason::InvalidName),
        (RequestOutcome::DuplicateHandle, Reason::DuplicateHandle),
        (RequestOutcome::DuplicateName, Reason::DuplicateName),
    ] {
        let subject = RequestSubject::PublishDataTrack { handle: 70_000, name: "n".into() };
        let event = RoomEvent::RequestResponse { request_id: 0, outcome, message: String::new(), subject };
        let Message::RequestResponse(response) = message(&event) else { panic!("no response") };
        assert_eq!(response.reason, reason as i32);
        let Some(Request::PublishDataTrack(echo)) = response.request else { panic!("no echo") };
        assert_eq!((echo.pub_handle, &*echo.name), (70_000, "n"));
    }
}

#[test]
fn l_06_the_server_asks_for_silence() {
    // L-06
    let asked = RoomEvent::MuteRequested { track: TrackSid::new("TR_1"), muted: true };
    assert_eq!(message(&asked), Message::Mute(proto::MuteTrackRequest { sid: "TR_1".into(), muted: true }));
}

#[test]
fn l_35_a_failed_subscription_says_why() {
    // L-35
    let why = |failure| {
        let track = TrackSid::new("TR_1");
        match message(&RoomEvent::SubscriptionFailed { track, failure }) {
            Message::SubscriptionResponse(response) => response.err(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(why(SubscriptionFailure::NotFound), proto::SubscriptionError::SeTrackNotfound);
    assert_eq!(why(SubscriptionFailure::Refused), proto::SubscriptionError::SeUnknown);
}

#[test]
fn l_67_what_is_not_granted_is_revoked_but_an_agent_stays_one() {
    // L-67
    let said = proto::ParticipantPermission { can_publish: true, can_publish_sources: vec![2], ..Default::default() };
    let granted = info::granted(&said, &Permission { agent: true, ..Permission::default() });
    let expected = Permission {
        can_subscribe: false,
        can_publish_data: false,
        can_publish_sources: vec![TrackSource::Microphone],
        agent: true,
        ..Permission::default()
    };
    assert_eq!(granted, expected);
    assert_eq!(info::granted(&info::permission(&expected), &expected), expected);
}

#[test]
fn l_39_a_paused_stream_and_its_return_are_told() {
    // L-39
    for (paused, state) in [(true, proto::StreamState::Paused), (false, proto::StreamState::Active)] {
        let (participant, track) = (ParticipantSid::new("PA_1"), TrackSid::new("TR_2"));
        let Message::StreamStateUpdate(update) = message(&RoomEvent::StreamPaused { participant, track, paused })
        else {
            panic!()
        };
        let told = &update.stream_states[0];
        assert_eq!((told.participant_sid.as_str(), told.track_sid.as_str()), ("PA_1", "TR_2"));
        assert_eq!(told.state, state as i32);
    }
}
