//! Bodies of the fuzz targets: whatever the bytes, an error or a value, within the limits, and no panic.

use crate::elektron::frame::Frame;
use crate::elektron::{attributes, message};
use crate::livekit::data_track::Header;
use crate::livekit::event::Encoding;
use crate::livekit::join_request::JoinParams;
use crate::livekit::query::Query;
use crate::livekit::twirp::{self, Format};
use crate::livekit::{agent, data, proto, rpc, signal};
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

fn data_sender() -> DataSender {
    DataSender {
        sid: ParticipantSid::new("PA_alice"),
        identity: Identity::token("alice"),
        can_publish_data: true,
        can_subscribe: true,
        hidden: false,
        agent: false,
    }
}
