//! Data tracks on the wire (L-65, livekit.md 2.6).

use proto::signal_request::Message;
use room::media::ConnectionMode;
use room::{RoomInput, SessionId, TrackSid};
use wire::livekit::data_track::{DataTrackError, Header, MAX_DATA_TRACK_PACKET_BYTES};
use wire::livekit::event::{Encoding, encode};
use wire::livekit::proto;
use wire::livekit::signal::{Sender, Signal, SignalError, decode};

const PACKET: [u8; 14] = [0x10, 0, 0x12, 0x34, 0, 1, 0, 2, 0, 0, 0, 3, b'x', b'y'];

fn signal(message: Message) -> Result<Signal, SignalError> {
    use prost::Message as _;
    let sender = Sender { session: SessionId(1), mode: ConnectionMode::Single };
    decode(sender, &proto::SignalRequest { message: Some(message) }.encode_to_vec(), Encoding::Binary)
}

#[test]
fn l_65_only_the_handle_is_written_over() {
    // L-65
    assert_eq!(Header::parse(&PACKET), Ok(Header { handle: 0x1234, starts_frame: true }));
    let mut packet = PACKET;
    Header::set_handle(&mut packet, 9);
    assert_eq!(packet, [&PACKET[..2], &[0, 9], &PACKET[4..]].concat()[..]);
    let inner = [&[0x08], &PACKET[1..]].concat();
    assert_eq!(Header::parse(&inner).map(|header| header.starts_frame), Ok(false));
}

#[test]
fn l_65_what_is_no_packet_goes_nowhere() {
    // L-65
    assert_eq!(Header::parse(&PACKET[..11]), Err(DataTrackError::TooShort));
    assert!(Header::parse(&PACKET[..12]).is_ok(), "an empty frame");
    assert_eq!(Header::parse(&[&[0x30], &PACKET[1..]].concat()), Err(DataTrackError::Version));
    assert_eq!(Header::parse(&[0; 12]), Err(DataTrackError::Handle));
    assert_eq!(Header::parse(&[1; MAX_DATA_TRACK_PACKET_BYTES + 1]), Err(DataTrackError::TooLarge));
}

#[test]
fn l_65_subscriptions_are_read_within_their_limit() {
    // L-65
    let update = |sid: &str, subscribe| proto::update_data_subscription::Update {
        track_sid: sid.into(),
        subscribe,
        options: None,
    };
    let updates = vec![update("DTR_1", true), update("DTR_2", false)];
    let read = signal(Message::UpdateDataSubscription(proto::UpdateDataSubscription { updates })).unwrap();
    let Signal::Room(input) = read else { panic!("{read:?}") };
    let RoomInput::UpdateDataSubscription { updates, .. } = *input else { panic!("{input:?}") };
    assert_eq!(updates, [(TrackSid::new("DTR_1"), true), (TrackSid::new("DTR_2"), false)]);
    let updates = vec![update("DTR_1", true); 4_097];
    let crowd = signal(Message::UpdateDataSubscription(proto::UpdateDataSubscription { updates }));
    assert_eq!(crowd.err(), Some(SignalError::TooLarge));
}

#[test]
fn data_blobs_are_refused_in_words() {
    let store = Message::StoreDataBlobRequest(proto::StoreDataBlobRequest { request_id: 4, ..Default::default() });
    let get = Message::GetDataBlobRequest(proto::GetDataBlobRequest { request_id: 4, ..Default::default() });
    for message in [store, get] {
        let Ok(Signal::Refused(response)) = signal(message) else { panic!("not refused") };
        assert!(!encode(&response, Encoding::Binary).is_empty());
        let Some(proto::signal_response::Message::RequestResponse(response)) = response.message else { panic!() };
        assert_eq!((response.request_id, response.reason), (4, proto::request_response::Reason::NotAllowed as i32));
    }
}
