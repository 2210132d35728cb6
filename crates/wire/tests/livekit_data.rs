//! Data packets: what is stamped, what is kept, who gets them (L-44, L-47, livekit.md 2.6).
#![allow(deprecated)] // older clients read the names and destinations of the user packet

use prost::Message as _;
use proto::data_packet::Value;
use room::media::DataSender;
use room::{Identity, Origin, ParticipantSid};
use wire::livekit::data::{DataError, MAX_DATA_PACKET_BYTES, Stamped, from_server, payload, stamp, wrap};
use wire::livekit::proto;
use wire::livekit::rpc::request;

fn alice() -> DataSender {
    DataSender::new(ParticipantSid::new("PA_alice"), Identity::token("alice"))
}

fn user(payload: &[u8]) -> proto::UserPacket {
    proto::UserPacket { payload: payload.to_vec(), topic: Some("chat".into()), ..Default::default() }
}

fn packet(value: Value) -> proto::DataPacket {
    proto::DataPacket { value: Some(value), ..Default::default() }
}

fn stamped(sender: &DataSender, packet: &proto::DataPacket) -> (proto::DataPacket, Stamped) {
    let stamped = stamp(sender, true, &packet.encode_to_vec()).unwrap();
    (proto::DataPacket::decode(&*stamped.bytes).unwrap(), stamped)
}

fn user_of(packet: proto::DataPacket) -> proto::UserPacket {
    match packet.value {
        Some(Value::User(user)) => user,
        other => panic!("{other:?}"),
    }
}

#[test]
fn l_44_the_senders_names_replace_whatever_the_client_said() {
    // L-44
    let claimed = proto::DataPacket {
        participant_identity: "bob".into(),
        participant_sid: "PA_bob".into(),
        sequence: 41,
        ..packet(Value::User(proto::UserPacket {
            participant_sid: "PA_bob".into(),
            participant_identity: "bob".into(),
            ..user(b"hello")
        }))
    };
    let (packet, stamped) = stamped(&alice(), &claimed);
    assert_eq!((packet.participant_identity.as_str(), packet.participant_sid.as_str()), ("alice", "PA_alice"));
    assert_eq!(packet.sequence, 41);
    assert!(stamped.destinations.is_empty());
    let user = user_of(packet);
    assert_eq!((user.participant_identity.as_str(), user.participant_sid.as_str()), ("alice", "PA_alice"));
    assert_eq!((&user.payload[..], user.topic.as_deref()), (&b"hello"[..], Some("chat")));
}

#[test]
fn l_47_destinations_are_mirrored_both_ways() {
    // L-47: 2.x names identities on the packet, 1.x in the user packet.
    let outer = proto::DataPacket {
        destination_identities: vec!["bob".into(), "eve".into()],
        ..packet(Value::User(proto::UserPacket { destination_identities: vec!["old".into()], ..user(b"x") }))
    };
    let inner = packet(Value::User(proto::UserPacket {
        destination_identities: vec!["bob".into(), "eve".into()],
        ..user(b"x")
    }));
    for sent in [outer, inner] {
        let (packet, stamped) = stamped(&alice(), &sent);
        assert_eq!(stamped.destinations, ["bob", "eve"]);
        assert_eq!(packet.destination_identities, ["bob", "eve"]);
        assert_eq!(user_of(packet).destination_identities, ["bob", "eve"]);
    }
}

#[test]
fn l_47_destination_sids_of_1_x_clients_never_become_everybody() {
    // L-47
    let sent = packet(Value::User(proto::UserPacket { destination_sids: vec!["PA_bob".into()], ..user(b"x") }));
    assert_eq!(stamped(&alice(), &sent).1.destinations, ["PA_bob"]);
}

#[test]
fn l_44_a_packets_sequence_is_told() {
    // L-44
    let sequence = |sent: &proto::DataPacket| stamped(&alice(), sent).1.sequence;
    let numbered = proto::DataPacket { sequence: u32::MAX, ..packet(Value::User(user(b"x"))) };
    assert_eq!(sequence(&numbered), u32::MAX);
    assert_eq!(sequence(&packet(Value::User(user(b"x")))), 0);
}

#[test]
fn l_65_an_answer_to_a_call_names_it() {
    // L-65
    let answers = |value| stamped(&alice(), &packet(value)).1.answers;
    assert_eq!(answers(Value::RpcAck(proto::RpcAck { request_id: "7".into() })), Some(("7".into(), false)));
    let response = proto::RpcResponse { request_id: "7".into(), ..Default::default() };
    assert_eq!(answers(Value::RpcResponse(response)), Some(("7".into(), true)));
    assert_eq!(answers(Value::User(user(b"x"))), None);
}

#[test]
fn l_65_a_request_of_the_servers_is_made_in_the_calls_own_name() {
    // L-65
    let packet = proto::DataPacket::decode(&*request("id1", "greet", "hello", 900)).unwrap();
    assert_eq!(packet.participant_identity, "id1", "answers are addressed to it, and nobody has it");
    let Some(Value::RpcRequest(request)) = packet.value else { panic!("no request") };
    assert_eq!((&*request.id, &*request.method, &*request.payload), ("id1", "greet", "hello"));
    assert_eq!((request.version, request.response_timeout_ms), (1, 900));
}

#[test]
fn messages_without_a_label_become_packets_and_packets_become_messages() {
    let wrapped = wrap(&alice(), b"hello").unwrap();
    let packet = proto::DataPacket::decode(&*wrapped.bytes).unwrap();
    assert_eq!(packet.participant_identity, "alice");
    assert_eq!(user_of(packet).payload, b"hello");
    assert_eq!(payload(&wrapped.bytes).map(|part| &wrapped.bytes[part]), Some(&b"hello"[..]));
    let chat = proto::DataPacket { value: Some(Value::ChatMessage(Default::default())), ..Default::default() };
    assert_eq!(payload(&chat.encode_to_vec()), None);
    assert_eq!(wrap(&alice(), &[0; 64_001]), Err(DataError::TooLarge));
    assert!(wrap(&alice(), &[0; 64_000]).unwrap().bytes.len() < MAX_DATA_PACKET_BYTES);
}

#[test]
fn the_channel_says_the_kind() {
    let lying = proto::DataPacket { kind: 1, ..packet(Value::User(user(b"x"))) };
    for (reliable, kind) in [(true, 0), (false, 1)] {
        let stamped = stamp(&alice(), reliable, &lying.encode_to_vec()).unwrap();
        assert_eq!(proto::DataPacket::decode(&*stamped.bytes).unwrap().kind, kind);
    }
}

#[test]
fn l_66_what_is_not_understood_passes_byte_for_byte() {
    // L-66: encrypted packets, and fields and payloads of later versions.
    let secret = proto::EncryptedPacket { iv: vec![1; 12], encrypted_value: vec![9; 40], ..Default::default() };
    let (packet, _) = stamped(&alice(), &packet(Value::EncryptedPacket(secret.clone())));
    assert_eq!(packet.value, Some(Value::EncryptedPacket(secret)));
    // Fields 900 (text), 901 (varint), 902 (fixed32) and 903 (fixed64), and a user packet with an unknown field 99.
    let future: &[u8] =
        b"\xa2\x38\x03new\xa8\x38\x96\x01\xb5\x38\x01\x02\x03\x04\xb9\x38\x01\x02\x03\x04\x05\x06\x07\x08";
    let bytes = [future, b"\x12\x07\x12\x01x\x9a\x06\x01y"].concat();
    let stamped = stamp(&alice(), true, &bytes).unwrap();
    assert!(stamped.bytes.windows(future.len()).any(|window| window == future));
    assert!(stamped.bytes.windows(4).any(|window| window == b"\x9a\x06\x01y"));
}

#[test]
fn l_67_a_hidden_sender_has_no_name() {
    // L-67
    let hidden = DataSender { hidden: true, ..alice() };
    let claimed = proto::DataPacket { participant_identity: "bob".into(), ..packet(Value::User(user(b"x"))) };
    let (packet, _) = stamped(&hidden, &claimed);
    assert_eq!((packet.participant_identity.as_str(), packet.participant_sid.as_str()), ("", ""));
    assert_eq!(user_of(packet).participant_identity, "");
}

#[test]
fn a_sender_of_another_origin_is_stamped_with_its_prefix() {
    let phoenix = DataSender { identity: Identity { origin: Origin::Phoenix, id: "alice".into() }, ..alice() };
    let (packet, _) = stamped(&phoenix, &packet(Value::User(user(b"x"))));
    assert_eq!(packet.participant_identity, "phoenix:alice");
}

#[test]
fn l_51_without_the_grant_nothing_goes_out() {
    // L-51
    let mute = DataSender { can_publish_data: false, ..alice() };
    let bytes = packet(Value::User(user(b"x"))).encode_to_vec();
    assert_eq!(stamp(&mute, true, &bytes), Err(DataError::NotPermitted));
}

#[test]
fn speakers_and_metrics_are_not_forwarded_and_transcriptions_only_from_agents() {
    for value in [Value::Speaker(Default::default()), Value::Metrics(Default::default())] {
        let bytes = packet(value).encode_to_vec();
        assert_eq!(stamp(&alice(), true, &bytes), Err(DataError::NotForwarded));
    }
    let transcription = packet(Value::Transcription(Default::default()));
    assert_eq!(stamp(&alice(), true, &transcription.encode_to_vec()), Err(DataError::NotPermitted));
    let agent = DataSender { agent: true, ..alice() };
    assert_eq!(stamped(&agent, &transcription).0.value, transcription.value);
    // Hidden behind a second value: the packet is judged by all that it holds.
    let both =
        [packet(Value::Metrics(Default::default())).encode_to_vec(), packet(Value::User(user(b"x"))).encode_to_vec()];
    assert_eq!(stamp(&alice(), true, &both.concat()), Err(DataError::NotForwarded));
}

#[test]
fn an_agent_may_speak_for_somebody_and_the_text_says_so() {
    let agent = DataSender { agent: true, ..alice() };
    let chat = Value::ChatMessage(proto::ChatMessage { message: "hi".into(), ..Default::default() });
    let sent = proto::DataPacket { participant_identity: "bob".into(), ..packet(chat) };
    let (packet, _) = stamped(&agent, &sent);
    assert_eq!((packet.participant_identity.as_str(), packet.participant_sid.as_str()), ("bob", "PA_alice"));
    assert!(matches!(packet.value, Some(Value::ChatMessage(chat)) if chat.generated && chat.message == "hi"));
    let (packet, _) = stamped(&alice(), &sent);
    assert_eq!(packet.participant_identity, "alice", "others may not");
    assert!(matches!(packet.value, Some(Value::ChatMessage(chat)) if !chat.generated));
}

#[test]
fn an_agents_text_stream_is_marked_and_its_byte_stream_is_its_own() {
    use proto::data_stream::header::ContentHeader;
    let agent = DataSender { agent: true, ..alice() };
    let header = |content| {
        let header = proto::data_stream::Header { content_header: Some(content), ..Default::default() };
        proto::DataPacket { participant_identity: "bob".into(), ..packet(Value::StreamHeader(header)) }
    };
    let (text, _) = stamped(&agent, &header(ContentHeader::TextHeader(Default::default())));
    assert_eq!(text.participant_identity, "bob");
    let Some(Value::StreamHeader(proto::data_stream::Header { content_header: Some(content), .. })) = text.value else {
        panic!()
    };
    assert!(matches!(content, ContentHeader::TextHeader(text) if text.generated));
    let (file, _) = stamped(&agent, &header(ContentHeader::ByteHeader(Default::default())));
    assert_eq!(file.participant_identity, "alice");
}

#[test]
fn what_is_too_large_or_no_packet_goes_nowhere() {
    assert_eq!(stamp(&alice(), true, &vec![0; MAX_DATA_PACKET_BYTES + 1]), Err(DataError::TooLarge));
    let crowd = proto::DataPacket { destination_identities: vec!["b".into(); 2_049], ..Default::default() };
    assert_eq!(stamp(&alice(), true, &crowd.encode_to_vec()), Err(DataError::TooLarge));
    for bad in [&b"\x12"[..], b"\x12\x05ab", b"\x0b", b"\x00", b"\x2a\x02\xff\xfe", b"\x10\x01", b"\x80\x80"] {
        assert_eq!(stamp(&alice(), true, bad), Err(DataError::Malformed), "{bad:?}");
    }
    let endless = [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(stamp(&alice(), true, &endless), Err(DataError::Malformed));
}

#[test]
fn l_45_the_servers_own_packet_names_nobody_as_sender() {
    // L-45
    let request = proto::SendDataRequest {
        data: b"hi".to_vec(),
        kind: 1,
        destination_identities: vec!["bob".into()],
        topic: Some("t".into()),
        ..Default::default()
    };
    let packet = proto::DataPacket::decode(&*from_server(&request)).unwrap();
    assert_eq!((packet.kind, packet.participant_identity.as_str()), (1, ""));
    assert_eq!(packet.destination_identities, ["bob"]);
    let user = user_of(packet);
    assert_eq!((&user.payload[..], user.topic.as_deref()), (&b"hi"[..], Some("t")));
    assert_eq!(user.destination_identities, ["bob"]);
}
