//! The room's chat in LiveKit's data packets (product.md, the row «chat»; L-48).
#![allow(deprecated)] // names of the sender, which older clients read in the user packet

use flate2::Compression;
use flate2::write::DeflateEncoder;
use prost::Message as _;
use proto::data_packet::Value;
use proto::data_stream::{self, header::ContentHeader};
use room::media::{ChatPart, DataSender};
use room::{Identity, ParticipantSid};
use std::io::Write as _;
use wire::livekit::chat::{Author, MAX_STREAMS, MAX_TEXT_BYTES, Spoken, Streams, packets};
use wire::livekit::data::stamp;
use wire::livekit::proto;

fn packet(value: Value) -> proto::DataPacket {
    proto::DataPacket { value: Some(value), ..Default::default() }
}

fn user(topic: &str, payload: &str) -> proto::DataPacket {
    let user = proto::UserPacket { payload: payload.into(), topic: Some(topic.into()), ..Default::default() };
    packet(Value::User(user))
}

fn header(id: &str, topic: &str) -> data_stream::Header {
    data_stream::Header {
        stream_id: id.into(),
        topic: topic.into(),
        content_header: Some(ContentHeader::TextHeader(data_stream::TextHeader::default())),
        ..Default::default()
    }
}

fn begins(id: &str) -> proto::DataPacket {
    packet(Value::StreamHeader(header(id, "lk.chat")))
}

fn chunk(id: &str, index: u64, content: &[u8]) -> proto::DataPacket {
    let chunk = data_stream::Chunk {
        stream_id: id.into(),
        chunk_index: index,
        content: content.to_vec(),
        ..Default::default()
    };
    packet(Value::StreamChunk(chunk))
}

fn ends(id: &str, reason: &str) -> proto::DataPacket {
    packet(Value::StreamTrailer(data_stream::Trailer {
        stream_id: id.into(),
        reason: reason.into(),
        ..Default::default()
    }))
}

fn part_of(packet: &proto::DataPacket) -> Option<ChatPart> {
    let sender = DataSender::new(ParticipantSid::new("PA_alice"), Identity::token("alice"));
    stamp(&sender, true, &packet.encode_to_vec()).unwrap().chat
}

fn heard(streams: &mut Streams, packet: &proto::DataPacket) -> Option<Spoken> {
    streams.read(&packet.encode_to_vec())
}

fn says(id: &str, text: &str) -> Option<Spoken> {
    Some(Spoken { id: id.into(), text: text.into() })
}

#[test]
fn what_is_chat_is_told_from_what_is_not() {
    let chat = packet(Value::ChatMessage(proto::ChatMessage { message: "tere".into(), ..Default::default() }));
    for whole in [&user("chat", "{}"), &user("lk-chat-topic", "{}"), &chat] {
        assert_eq!(part_of(whole), Some(ChatPart::Whole));
    }
    assert_eq!(part_of(&begins("s")), Some(ChatPart::Begins { stream: "s".into() }));
    assert_eq!(part_of(&chunk("s", 0, b"x")), Some(ChatPart::GoesOn { stream: "s".into(), last: false }));
    assert_eq!(part_of(&ends("s", "")), Some(ChatPart::GoesOn { stream: "s".into(), last: true }));
    let inline = data_stream::Header { inline_content: Some(b"tere".to_vec()), ..header("s", "lk.chat") };
    assert_eq!(part_of(&packet(Value::StreamHeader(inline))), Some(ChatPart::Whole));
    let file = data_stream::Header { content_header: None, ..header("s", "lk.chat") };
    for other in
        [user("game", "{}"), packet(Value::StreamHeader(header("s", "notes"))), packet(Value::StreamHeader(file))]
    {
        assert_eq!(part_of(&other), None);
    }
    let private = proto::DataPacket { destination_identities: vec!["bob".into()], ..begins("s") };
    assert_eq!(part_of(&private), None, "what is said to some is not said in the room");
}

#[test]
fn a_text_stream_is_heard_when_it_is_all_there() {
    let mut streams = Streams::default();
    assert_eq!(heard(&mut streams, &begins("s")), None);
    let (first, second) = "tere kõik".as_bytes().split_at(6); // in the middle of a letter
    assert_eq!(heard(&mut streams, &chunk("s", 0, first)), None);
    assert_eq!(heard(&mut streams, &chunk("s", 1, second)), None);
    assert_eq!(heard(&mut streams, &ends("s", "")), says("s", "tere kõik"));
    assert_eq!(heard(&mut streams, &ends("s", "")), None, "once");
}

#[test]
fn short_words_come_in_the_header_as_they_are_or_deflated() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"tere tere tere").unwrap();
    let deflated = encoder.finish().unwrap();
    let mut streams = Streams::default();
    for (content, compression, text) in [(b"tere".to_vec(), 0, "tere"), (deflated, 1, "tere tere tere")] {
        let inline = data_stream::Header { inline_content: Some(content), compression, ..header("s", "lk.chat") };
        assert_eq!(heard(&mut streams, &packet(Value::StreamHeader(inline))), says("s", text));
    }
}

#[test]
fn a_bomb_a_gap_and_an_interruption_say_nothing() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b'x'; 100 * MAX_TEXT_BYTES]).unwrap();
    let bomb = data_stream::Header {
        inline_content: Some(encoder.finish().unwrap()),
        compression: 1,
        ..header("s", "lk.chat")
    };
    let mut streams = Streams::default();
    assert_eq!(heard(&mut streams, &packet(Value::StreamHeader(bomb))), None);
    for packets in [
        vec![begins("gap"), chunk("gap", 1, b"late"), ends("gap", "")],
        vec![begins("cut"), chunk("cut", 0, b"half"), ends("cut", "interrupted")],
        vec![begins("long"), chunk("long", 0, &vec![b'x'; MAX_TEXT_BYTES]), chunk("long", 1, b"x"), ends("long", "")],
        vec![begins("binary"), chunk("binary", 0, &[0xff, 0xfe]), ends("binary", "")],
        vec![chunk("nowhere", 0, b"x"), ends("nowhere", "")],
    ] {
        assert_eq!(packets.iter().filter_map(|packet| heard(&mut streams, packet)).count(), 0, "{packets:?}");
    }
}

#[test]
fn of_many_open_streams_the_oldest_are_forgotten() {
    let mut streams = Streams::default();
    for number in 0..=MAX_STREAMS {
        heard(&mut streams, &begins(&number.to_string()));
        heard(&mut streams, &chunk(&number.to_string(), 0, b"tere"));
    }
    assert_eq!(heard(&mut streams, &ends("0", "")), None);
    assert_eq!(heard(&mut streams, &ends("1", "")), says("1", "tere"));
}

#[test]
fn packets_on_chat_are_read_as_livekits_json_or_as_text() {
    let mut streams = Streams::default();
    for (payload, expected) in [
        (r#"{"id":"1","timestamp":5,"message":"tere"}"#, says("1", "tere")),
        (r#"{"text":"tere"}"#, says("", "tere")),
        (r#""tere""#, says("", "tere")),
        ("tere", says("", "tere")),
        ("42", says("", "42")),
        (r#"{"message":"twice","ignoreLegacy":true}"#, None),
        (r#"{"message":7}"#, None),
        ("  ", None),
    ] {
        assert_eq!(heard(&mut streams, &user("chat", payload)), expected, "{payload}");
    }
}

#[test]
fn what_others_say_is_written_as_a_stream_and_once_more_for_clients_without_streams() {
    let sid = ParticipantSid::new("PA_bus");
    let author = Author { identity: "bus:mako", sid: Some(&sid), name: "Mako" };
    let long = "õ".repeat(8_000);
    for text in ["tere", &long] {
        let packets: Vec<_> =
            packets("abcd", 7, author, text).iter().map(|bytes| proto::DataPacket::decode(&**bytes).unwrap()).collect();
        assert!(
            packets
                .iter()
                .all(|packet| packet.participant_identity == "bus:mako" && packet.participant_sid == "PA_bus")
        );
        assert!(packets.iter().all(|packet| packet.encoded_len() < 17_000));
        let Some(Value::StreamHeader(header)) = &packets[0].value else { panic!("{packets:?}") };
        assert_eq!((header.stream_id.as_str(), header.topic.as_str(), header.timestamp), ("abcd", "lk.chat", 7));
        assert_eq!(header.total_length, Some(text.len() as u64));
        let mut streams = Streams::default();
        let heard: Vec<_> = packets.iter().filter_map(|packet| heard(&mut streams, packet)).collect();
        assert_eq!(heard, [says("abcd", text).unwrap()], "the last packet says itself that it is the same");
    }
}
