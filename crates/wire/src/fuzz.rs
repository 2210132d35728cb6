//! Bodies of the fuzz targets: whatever the bytes, an error or a value, within the limits, and no panic.

use crate::calendar::{self, Question, Series, Tz, Window};
use crate::castaway::multipart::{Event, Multipart};
use crate::castaway::packet::Packet;
use crate::castaway::{engine, fields, handshake, mpeg, packet, range, sniff, validate};
use crate::elektron::frame::Frame;
use crate::elektron::{attributes, message};
use crate::ics;
use crate::livekit::data_track::Header;
use crate::livekit::event::Encoding;
use crate::livekit::join_request::JoinParams;
use crate::livekit::query::Query;
use crate::livekit::twirp::{self, Format};
use crate::livekit::{agent, chat, data, proto, rpc, signal};
use chrono::{DateTime, TimeDelta};
use prost::Message as _;
use room::media::{ConnectionMode, DataSender};
use room::{Identity, ParticipantSid, SessionId};
use serde::de::IgnoredAny;

/// The query of a join, v0 and v1.
pub fn livekit_join(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let query = Query::parse(text);
    let _ = JoinParams::v0(&query);
    let _ = JoinParams::v1(&query);
}

/// A wrapped join request before base64: what a client controls most of.
pub fn livekit_wrapped_join(bytes: &[u8]) {
    use base64::Engine as _;
    let text = format!("join_request={}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes));
    let _ = JoinParams::v1(&Query::parse(&text));
}

/// A message of a client, as protobuf and as JSON.
pub fn livekit_signal(bytes: &[u8]) {
    for mode in [ConnectionMode::Single, ConnectionMode::Dual] {
        let sender = signal::Sender { session: SessionId(1), mode };
        let _ = signal::decode(sender, bytes, Encoding::Binary);
        let _ = signal::decode(sender, bytes, Encoding::Json);
    }
}

/// A data packet: if it is stamped, nobody else's name is on it, and it still is a packet if it was one.
pub fn livekit_data(bytes: &[u8]) {
    let sender = data_sender();
    let Ok(stamped) = data::stamp(&sender, true, bytes) else {
        return;
    };
    let Ok(packet) = proto::DataPacket::decode(&*stamped.bytes) else {
        assert!(proto::DataPacket::decode(bytes).is_err(), "stamping broke a packet");
        return;
    };
    assert_eq!(packet.participant_identity, "alice");
    assert_eq!(packet.participant_sid, "PA_alice");
    assert!(stamped.destinations.len() <= data::MAX_DESTINATIONS);
    if let Some(proto::data_packet::Value::User(user)) = packet.value {
        #[allow(deprecated)] // older clients read it
        let name = user.participant_identity;
        assert_eq!(name, "alice");
    }
}

/// A chat packet of a client's: what is heard of it has words, and not too many.
pub fn livekit_chat(bytes: &[u8]) {
    let mut streams = chat::Streams::default();
    let _ = chat::id_in(bytes);
    // Several packets, of which the first byte tells the length.
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first() {
        let (packet, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        if let Some(said) = streams.read(packet) {
            assert!(!said.text.trim().is_empty() && said.text.len() <= chat::MAX_TEXT_BYTES);
        }
    }
}

/// A data track's packet: if it is taken, another handle can be written over its own and nothing else changes.
pub fn livekit_data_track(bytes: &[u8]) {
    let Ok(header) = Header::parse(bytes) else { return };
    let mut packet = bytes.to_vec();
    Header::set_handle(&mut packet, header.handle.wrapping_add(1).max(1));
    assert_ne!(Header::parse(&packet), Ok(header));
    Header::set_handle(&mut packet, header.handle);
    assert_eq!(packet, bytes);
}

/// An answer to a call of the server's, and a packet's payload for somebody without packets.
pub fn livekit_rpc(bytes: &[u8]) {
    let _ = rpc::answer(bytes);
    if let Some(payload) = data::payload(bytes) {
        assert!(bytes.get(payload).is_some());
    }
    if let Ok(wrapped) = data::wrap(&data_sender(), bytes) {
        assert_eq!(data::payload(&wrapped.bytes).and_then(|payload| wrapped.bytes.get(payload)), payload_of(bytes));
    }
}

/// Protobuf leaves an empty field out.
fn payload_of(message: &[u8]) -> Option<&[u8]> {
    (!message.is_empty()).then_some(message)
}

/// A message of an agents' worker, as protobuf and as JSON.
pub fn livekit_worker(bytes: &[u8]) {
    let _ = agent::decode(bytes, Encoding::Binary);
    let _ = agent::decode(bytes, Encoding::Json);
}

/// A request to the server API in both encodings.
pub fn livekit_twirp(bytes: &[u8]) {
    for format in [Format::Json, Format::Protobuf] {
        let _ = twirp::decode::<proto::CreateRoomRequest>(format, bytes);
        let _ = twirp::decode::<proto::SendDataRequest>(format, bytes);
        let _ = twirp::decode::<proto::PerformRpcRequest>(format, bytes);
        let _ = twirp::decode::<proto::ListRoomsRequest>(format, bytes);
        let _ = twirp::decode::<proto::RoomParticipantIdentity>(format, bytes);
        let _ = twirp::decode::<proto::UpdateParticipantRequest>(format, bytes);
        let _ = twirp::decode::<proto::UpdateSubscriptionsRequest>(format, bytes);
        let _ = twirp::decode::<proto::CreateAgentDispatchRequest>(format, bytes);
    }
}

/// A message on the bus: what is taken of it is within the limits, and it can be replayed among others.
pub fn elektron_frame(bytes: &[u8]) {
    let Ok(frame) = Frame::parse(bytes) else { return };
    let _ = frame.value_text();
    if let Some(Ok(attributes)) = frame.value.map(attributes::parse) {
        assert!(attributes.len() <= attributes::MAX_KEYS);
        for (key, json) in &attributes {
            let text = attributes::as_text(json).unwrap_or_default();
            assert_json(attributes::from_text(key, &text).as_bytes());
        }
    }
    let stamp = message::Stamp::new([0; 16], 0);
    assert_json(&message::sync(&stamp, "CHAT_SYNC", &frame.channel, [bytes, bytes]));
    let mut channels = message::ChannelsUpdated::new(&stamp, 0);
    channels.room(&frame.channel);
    channels.user(&frame.user_id);
    channels.attribute(&frame.user_name, frame.value.unwrap_or("0"));
    assert_json(&channels.finish());
}

fn assert_json(text: &[u8]) {
    let read = serde_json::from_slice::<IgnoredAny>(text);
    assert!(read.is_ok(), "{}", String::from_utf8_lossy(text));
}

/// A Socket.IO packet: what is cut out of it can be sent on as it is.
pub fn castaway_packet(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = handshake::Claimed::in_auth(text);
    let Ok(Packet::Event { namespace, attachments, arguments }) = packet::decode(text) else { return };
    let Ok(event) = packet::event(arguments) else { return };
    let Some(payload) = event.argument else { return };
    let fits = packet::fits_attachments(payload, attachments);
    let sent = packet::event_packet(namespace, "audio", payload, attachments);
    let Ok(Packet::Event { arguments, .. }) = packet::decode(&sent) else { panic!("it was a packet") };
    assert_eq!(packet::event(arguments).ok().and_then(|event| event.argument), Some(payload));
    assert_eq!(packet::fits_attachments(payload, attachments), fits);
}

/// The body of a poll: what is in it can be written again.
pub fn castaway_engine(bytes: &[u8]) {
    let Ok(packets) = engine::decode_payload(bytes) else { return };
    assert!(packets.len() <= engine::MAX_PACKETS);
    for packet in packets {
        let mut payload = engine::Payload::default();
        match &packet {
            engine::Packet::Text(text) => payload.text(&format!("4{text}")),
            engine::Packet::Binary(bytes) => payload.binary(bytes),
            _ => continue,
        }
        assert_eq!(engine::decode_payload(payload.finish().as_bytes()), Ok(vec![packet]));
    }
}

/// A body of Castaway's REST, as JSON and as a form.
pub fn castaway_body(bytes: &[u8]) {
    for content_type in ["application/json", "application/x-www-form-urlencoded"] {
        let Ok(fields) = fields::parse(content_type, bytes) else { continue };
        let mut checks = validate::Checks::of(&fields);
        let title = checks.text(validate::TITLE);
        let (email, genres) = (checks.email(), checks.genres());
        checks.optional(validate::ID_TOKEN);
        checks.new_password();
        checks.public();
        if checks.done(()).is_ok() {
            assert!(!title.is_empty() && !email.is_empty() && !genres.is_empty());
        }
    }
}

/// A multipart body: the same fields however it is cut.
pub fn castaway_multipart(bytes: &[u8]) {
    let whole = multipart_fields(bytes.chunks(bytes.len().max(1)));
    assert_eq!(whole, multipart_fields(bytes.chunks(1)));
}

/// Names and contents, and whether the body was whole.
type Form = (Vec<(String, Vec<u8>)>, bool);

fn multipart_fields<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Option<Form> {
    let mut parser = Multipart::new("multipart/form-data; boundary=XX").ok()?;
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for piece in pieces {
        for event in parser.push(piece).ok()? {
            match (event, fields.last_mut()) {
                (Event::Part { name }, _) => fields.push((name, Vec::new())),
                (Event::Data(data), Some((_, content))) => content.extend(data),
                (Event::End, Some(_)) => {}
                (event, None) => panic!("{event:?} without a part"),
            }
        }
    }
    Some((fields, parser.is_complete()))
}

/// An iCalendar: its events fit their limits, and what is written of them is read as the same.
pub fn ics_calendar(bytes: &[u8]) {
    let Ok(read) = ics::parse(bytes, Tz::Europe__Tallinn) else { return };
    let events = occurrences(&read.series);
    let now = window().from;
    let written = ics::write("Odeon", events.iter(), now, Tz::Europe__Tallinn);
    let again = ics::parse(written.as_bytes(), Tz::Europe__Tallinn).map(|read| read.series).unwrap_or_default();
    if written.len() <= calendar::limits::MAX_CALENDAR_BYTES && events.len() <= calendar::limits::MAX_SERIES {
        let spans = |events: &[calendar::Event]| events.iter().map(|event| event.span).collect::<Vec<_>>();
        let again: Vec<_> = again.into_iter().map(|series| series.event).collect();
        assert_eq!(spans(&again), spans(&events));
    }
}

/// A page of Google's, and what we answer of it.
pub fn calendar_page(bytes: &[u8]) {
    let zone = Tz::Europe__Tallinn;
    let Ok(page) = calendar::parse_page(bytes, zone) else { return };
    let events = occurrences(&page.series);
    let Ok(question) = Question::parse("maxResults=2500", zone) else { return };
    let answer = question.answer(events.iter(), window().from, zone).to_json("Odeon");
    let again = calendar::parse_page(answer.to_string().as_bytes(), zone).map(|page| page.series.len());
    if events.len() <= 2500 && answer.to_string().len() <= calendar::limits::MAX_CALENDAR_BYTES {
        assert_eq!(again.ok(), Some(events.len()));
    }
}

/// A query to our calendar.
pub fn calendar_question(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Question::parse(text, Tz::Europe__Tallinn);
}

/// A description: taken apart and put together it says the same.
pub fn calendar_description(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let text = calendar::clean(&calendar::to_text(text), calendar::limits::MAX_TEXT_BYTES);
    let (above, options) = calendar::split(&text);
    let _ = (options.color(), options.image(), options.room(), options.hidden());
    assert_eq!(calendar::split(&calendar::join(&above, &options)), (above, options));
}

fn window() -> Window {
    let now = DateTime::from_timestamp(1_795_150_662, 0).unwrap_or_default();
    Window::around(now, TimeDelta::days(400), TimeDelta::days(400))
}

fn occurrences(series: &[Series]) -> Vec<calendar::Event> {
    let zone = Tz::Europe__Tallinn;
    assert!(series.len() <= calendar::limits::MAX_SERIES);
    let mut events = Vec::new();
    for series in series {
        let found = series.occurrences(&window(), zone);
        assert!(found.len() <= calendar::limits::MAX_OCCURRENCES);
        assert!(found.iter().all(|event| event.span.start(zone) <= event.span.end(zone)));
        events.extend(found);
    }
    events
}

/// Sound: frames that were found are found again, and nothing else is there.
pub fn castaway_mpeg(bytes: &[u8]) {
    let _ = (sniff::sound(bytes), sniff::picture(bytes));
    for kind in [mpeg::Kind::Mp3, mpeg::Kind::Adts] {
        let once = mpeg_frames(kind, bytes);
        assert!(once.len() <= bytes.len());
        assert_eq!(mpeg_frames(kind, &once), once);
    }
}

fn mpeg_frames(kind: mpeg::Kind, bytes: &[u8]) -> Vec<u8> {
    let (mut frames, mut found) = (mpeg::Frames::of(kind), Vec::new());
    bytes.chunks(100).for_each(|piece| frames.push(piece, &mut found));
    frames.finish(&mut found);
    assert_eq!(frames.bytes(), found.len() as u64);
    let _ = (frames.duration_ms(), frames.is_sound(), frames.summary());
    found
}

/// A `Range` header: what is to be sent is there.
pub fn castaway_range(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for length in [0, 1, 1000] {
        if let range::Wanted::Part(part) = range::parse(Some(text), length) {
            assert!(part.start() <= part.end() && *part.end() < length);
        }
    }
}

fn data_sender() -> DataSender {
    DataSender::new(ParticipantSid::new("PA_alice"), Identity::token("alice"))
}
