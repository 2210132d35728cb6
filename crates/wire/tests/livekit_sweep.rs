//! Q-6: truncations and bit flips of real messages, through the bodies of the fuzz targets.

mod sweep;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message as _;
use proto::signal_request::Message;
use sweep::{EXTREMES, sweep};
use wire::fuzz;
use wire::livekit::proto;

fn add_track() -> proto::AddTrackRequest {
    proto::AddTrackRequest {
        cid: "3a345e5b-2742".into(),
        name: "camera".into(),
        r#type: 1,
        source: 1,
        layers: vec![proto::VideoLayer { quality: 2, width: 1280, height: 720, ..Default::default() }; 3],
        simulcast_codecs: vec![proto::SimulcastCodec { codec: "vp8".into(), ..Default::default() }],
        ..Default::default()
    }
}

fn offer() -> proto::SessionDescription {
    proto::SessionDescription { r#type: "offer".into(), sdp: "v=0\r\n".into(), id: 3, ..Default::default() }
}

fn signals() -> Vec<proto::SignalRequest> {
    let trickle = proto::TrickleRequest {
        candidate_init: r#"{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0}"#.into(),
        target: 1,
        r#final: true,
    };
    let metadata = proto::UpdateParticipantMetadata {
        metadata: "m".into(),
        attributes: [("a".to_owned(), "b".to_owned())].into(),
        ..Default::default()
    };
    let guest = proto::TrackPermission {
        participant_sid: "PA_1".into(),
        track_sids: vec!["TR_1".into()],
        ..Default::default()
    };
    let permission = proto::SubscriptionPermission { track_permissions: vec![guest], ..Default::default() };
    let subscription = proto::UpdateSubscription { track_sids: vec!["TR_1".into()], ..Default::default() };
    [
        Message::Offer(offer()),
        Message::Trickle(trickle),
        Message::AddTrack(add_track()),
        Message::UpdateMetadata(metadata),
        Message::Subscription(subscription),
        Message::SubscriptionPermission(permission),
        Message::PingReq(proto::Ping { timestamp: 5, rtt: 6 }),
        Message::SyncState(proto::SyncState { answer: Some(offer()), ..Default::default() }),
    ]
    .map(|message| proto::SignalRequest { message: Some(message) })
    .into()
}

#[test]
fn q_6_signals() {
    // Q-6
    for signal in signals() {
        sweep(&signal.encode_to_vec(), EXTREMES, fuzz::livekit_signal);
        sweep(&serde_json::to_vec(&signal).unwrap(), EXTREMES, fuzz::livekit_signal);
    }
}

#[test]
fn q_6_join_requests() {
    // Q-6
    let join = proto::JoinRequest {
        publisher_offer: Some(offer()),
        add_track_requests: vec![add_track()],
        participant_sid: "PA_1".into(),
        ..Default::default()
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, &join.encode_to_vec()).unwrap();
    for (compression, join_request) in [(0, join.encode_to_vec()), (1, gzip.finish().unwrap())] {
        let wrapped = proto::WrappedJoinRequest { compression, join_request }.encode_to_vec();
        sweep(&wrapped, EXTREMES, fuzz::livekit_wrapped_join);
        let query = format!("auto_subscribe=1&join_request={}%3D", URL_SAFE_NO_PAD.encode(&wrapped));
        sweep(query.as_bytes(), EXTREMES, fuzz::livekit_join);
    }
    sweep(
        b"reconnect=1&sid=PA_1&protocol=17&attributes=eyJhIjoiYiJ9&capabilities=CAP_UNUSED",
        EXTREMES,
        fuzz::livekit_join,
    );
}

#[test]
fn q_6_data_packets() {
    // Q-6
    use proto::data_packet::Value;
    let user = proto::UserPacket { payload: b"hello".to_vec(), topic: Some("chat".into()), ..Default::default() };
    let text = proto::data_stream::header::ContentHeader::TextHeader(Default::default());
    let header = proto::data_stream::Header { content_header: Some(text), ..Default::default() };
    for value in [Value::User(user), Value::StreamHeader(header), Value::ChatMessage(Default::default())] {
        let packet = proto::DataPacket {
            participant_identity: "mallory".into(),
            destination_identities: vec!["bob".into(), "carol".into()],
            sequence: 300,
            value: Some(value),
            ..Default::default()
        };
        sweep(&packet.encode_to_vec(), EXTREMES, fuzz::livekit_data);
    }
}

#[test]
fn q_6_chat_packets() {
    // Q-6: a header on `lk.chat`, a chunk of its stream and the trailer, each behind its length.
    let header = b"\x6a\x0e\x0a\x01s\x1a\x07lk.chat\x4a\x00";
    let chunk = b"\x72\x09\x0a\x01s\x1a\x04tere";
    let trailer = b"\x7a\x03\x0a\x01s";
    let mut seed = Vec::new();
    for packet in [&header[..], chunk, trailer] {
        seed.push(u8::try_from(packet.len()).unwrap());
        seed.extend_from_slice(packet);
    }
    sweep(&seed, EXTREMES, fuzz::livekit_chat);
}

#[test]
fn q_6_data_track_packets() {
    // Q-6
    sweep(&[0x18, 0, 0, 7, 0, 1, 0, 2, 0, 0, 0, 3, b'x', b'y'], EXTREMES, fuzz::livekit_data_track);
}

#[test]
fn q_6_answers_to_calls() {
    // Q-6
    use proto::data_packet::Value;
    let error = proto::RpcError { code: 1500, message: "m".into(), data: "d".into() };
    let value = Some(proto::rpc_response::Value::Error(error));
    let response = proto::RpcResponse { request_id: "1".into(), value };
    let user = proto::UserPacket { payload: b"hello".to_vec(), ..Default::default() };
    for value in [Value::RpcResponse(response), Value::User(user)] {
        sweep(
            &proto::DataPacket { value: Some(value), ..Default::default() }.encode_to_vec(),
            EXTREMES,
            fuzz::livekit_rpc,
        );
    }
}

#[test]
fn q_6_server_api_requests() {
    // Q-6
    let create = proto::CreateRoomRequest { name: "r".into(), empty_timeout: 9, ..Default::default() };
    sweep(&create.encode_to_vec(), EXTREMES, fuzz::livekit_twirp);
    let permission = Some(proto::ParticipantPermission { can_publish_sources: vec![1, 2], ..Default::default() });
    let update = proto::UpdateParticipantRequest { room: "r".into(), permission, ..Default::default() };
    sweep(&update.encode_to_vec(), EXTREMES, fuzz::livekit_twirp);
    sweep(
        br#"{"room":"r","identity":"a","permission":{"canPublishSources":["CAMERA"]}}"#,
        EXTREMES,
        fuzz::livekit_twirp,
    );
    sweep(
        br#"{"name":"r","emptyTimeout":"9","tags":{"a":"b"},"kind":"LOSSY","data":"aGk="}"#,
        EXTREMES,
        fuzz::livekit_twirp,
    );
}
