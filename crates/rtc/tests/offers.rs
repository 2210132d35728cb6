//! Offers as real clients make them, and what becomes of them; then the same offers, damaged.

use rtc::crypto::Certificate;
use rtc::negotiation::ReceivePlan;
use rtc::{Candidates, Codec, Connection, ConnectionConfig, Credentials, Mid, Sdp, SectionKind, SectionPlan, fuzz};
use std::time::Instant;

const CHROMIUM_SINGLE: &str = include_str!("fixtures/chromium_single_first_offer.sdp");
const CHROMIUM_DUAL: &str = include_str!("fixtures/chromium_dual_publisher_offer.sdp");
const PYTHON: &str = include_str!("fixtures/python_first_offer.sdp");

#[allow(clippy::disallowed_methods, reason = "a connection begins at some instant")]
fn connection(shard: u8) -> Connection {
    let config = ConnectionConfig {
        certificate: Certificate::generate().unwrap(),
        candidates: Candidates::udp(vec!["192.0.2.1:7882".parse().unwrap()]),
        congestion_control: true,
        playout_delay: None,
    };
    Connection::new(&config, Credentials::new(shard, &[3; Credentials::ENTROPY]), Instant::now())
}

fn fresh(shard: u8) -> Credentials {
    Credentials::new(shard, &[9; Credentials::ENTROPY])
}

#[test]
fn the_first_offer_of_a_single_connection_maps_its_first_tracks() {
    for offer in [CHROMIUM_SINGLE, PYTHON] {
        let mut connection = connection(2);
        let sections = connection.accept_offer(offer, fresh(2)).unwrap();
        let audio = sections.iter().filter(|section| section.kind == SectionKind::Audio).count();
        assert!(audio >= 3 && sections.iter().all(|section| !section.client_sends));
        let send = SectionPlan::Send { stream_id: "PA_1|TR_1".into(), track_id: "TR_1".into() };
        let plans: Vec<_> = sections
            .iter()
            .enumerate()
            .map(|(index, section)| match (index, section.kind) {
                (0, _) => send.clone(),
                (_, SectionKind::Application) => SectionPlan::Data,
                _ => SectionPlan::Unused,
            })
            .collect();
        let answer = Sdp::parse(&connection.finish(&plans).unwrap()).unwrap();
        assert_eq!(answer.sections.len(), sections.len());
        assert_eq!(answer.sections[0].attribute("msid"), Some("PA_1|TR_1 TR_1"));
        assert!(answer.sections[1..].iter().all(|section| section.attribute("msid").is_none()));
        assert_eq!(answer.sections[0].attribute("ice-ufrag").and_then(Credentials::shard_of), Some(2));
        let video = answer.sections.iter().find(|section| section.kind == "video").unwrap();
        for kept in ["transport-wide-cc", "sdes:rtp-stream-id", "sdes:repaired-rtp-stream-id"] {
            assert!(video.attributes("extmap").any(|map| map.contains(kept)), "Chromium would not offer {kept} again");
        }
        assert!(video.attributes("rtcp-fb").any(|fb| fb.ends_with("transport-cc")));
        assert!(video.attributes("rtcp-fb").all(|fb| !fb.ends_with("goog-remb")), "nothing sends REMB");
        let application = answer.sections.iter().find(|section| section.kind == "application").unwrap();
        assert_eq!(application.attribute("max-message-size"), Some("65535"));
        assert!(!connection.candidate_lines().is_empty());
    }
}

/// The answer to a browser's offer of data, a camera and a microphone.
fn answer_to_publisher(audio: ReceivePlan) -> Sdp {
    let mut connection = connection(0);
    let sections = connection.accept_offer(CHROMIUM_DUAL, fresh(0)).unwrap();
    assert_eq!(sections[1].rids, ["q", "h", "f"]);
    assert!(sections[1].track_id.is_some());
    assert_eq!(sections[2].codecs[..2], ["opus", "red"]);
    let video = ReceivePlan { codecs: vec!["vp8".into()], ..ReceivePlan::default() };
    let plans = [SectionPlan::Data, SectionPlan::Receive(video), SectionPlan::Receive(audio)];
    Sdp::parse(&connection.finish(&plans).unwrap()).unwrap()
}

#[test]
fn a_publishers_offer_is_answered_with_its_layers() {
    let answer = answer_to_publisher(ReceivePlan::default()).to_string();
    assert!(answer.contains("a=simulcast:recv q;h;f\r\n"), "{answer}");
    assert!(answer.contains("a=recvonly\r\n") && !answer.contains("a=sendonly\r\n"));
    assert!(answer.contains("transport-cc"), "the publisher's way up is estimated by the publisher");
}

#[test]
fn l_64_the_answer_asks_for_red_first_or_for_opus() {
    let named = |codecs: &[&str]| ReceivePlan {
        codecs: codecs.iter().map(|codec| (*codec).to_owned()).collect(),
        ..ReceivePlan::default()
    };
    for (plan, formats) in [(named(&["red", "opus"]), ["63", "111"]), (named(&["opus"]), ["111", "63"])] {
        let answer = answer_to_publisher(plan);
        let audio = &answer.sections[2];
        assert_eq!(audio.formats, formats);
        assert!(audio.attributes("rtpmap").any(|map| map == "63 red/48000/2"), "{answer}");
        assert!(audio.attributes("fmtp").any(|format| format == "63 111/111"), "{answer}");
    }
}

#[test]
fn the_answer_asks_for_quiet_between_words_and_for_two_channels_as_announced() {
    let opus = |plan: ReceivePlan| {
        let answer = answer_to_publisher(plan);
        let format = answer.sections[2].attributes("fmtp").find_map(|format| format.strip_prefix("111 "));
        format.unwrap_or_default().to_owned()
    };
    let plain = opus(ReceivePlan::default());
    assert!(plain.contains("usedtx=1") && plain.contains("useinbandfec=1") && !plain.contains("stereo"), "{plain}");
    let music = opus(ReceivePlan { stereo: true, no_dtx: true, ..ReceivePlan::default() });
    assert!(music.contains("stereo=1;maxaveragebitrate=510000") && !music.contains("usedtx"), "{music}");
}

#[test]
fn l_64_a_receiver_takes_red_on_the_lines_that_name_it() {
    for offer in [CHROMIUM_SINGLE, PYTHON] {
        let mut with = connection(0);
        let sections = with.accept_offer(offer, fresh(0)).unwrap();
        let audio: Vec<_> = sections.iter().filter(|section| section.kind == SectionKind::Audio).collect();
        let (first, second) = (Mid::from(audio[0].mid.as_str()), Mid::from(audio[1].mid.as_str()));
        assert_eq!(with.payload_type(first, Codec::Red), Some(63));
        assert_eq!(with.payload_type(first, Codec::Opus), Some(111));
        // The first section's only, as after RTCRtpTransceiver.setCodecPreferences.
        let stripped = offer.replacen(" 111 63 ", " 111 ", 1).replacen("a=rtpmap:63 red/48000/2\r\n", "", 1);
        let mut without = connection(0);
        without.accept_offer(&stripped, fresh(0)).unwrap();
        assert_eq!(without.payload_type(first, Codec::Red), None);
        assert_eq!(without.payload_type(first, Codec::Opus), Some(111));
        assert_eq!(without.payload_type(second, Codec::Red), Some(63));
    }
}

#[test]
fn what_may_not_be_published_is_left_out_of_the_answer() {
    let mut connection = connection(0);
    connection.take_only(&["vp8".into(), "opus".into()]);
    let sections = connection.accept_offer(CHROMIUM_DUAL, fresh(0)).unwrap();
    assert_eq!((&sections[1].codecs[..], &sections[2].codecs[..]), (&["vp8".into()][..], &["opus".into()][..]));
    let plan = |codec: &str| ReceivePlan { codecs: vec![codec.into()], ..ReceivePlan::default() };
    // Somebody who asks for what the room refuses gets what it allows.
    let plans = [SectionPlan::Data, SectionPlan::Receive(plan("vp9")), SectionPlan::Receive(plan("red"))];
    let answer = Sdp::parse(&connection.finish(&plans).unwrap()).unwrap();
    assert_eq!((answer.sections[1].codecs(), answer.sections[2].codecs()), (vec!["vp8".into()], vec!["opus".into()]));
    for refused in ["VP9", "H264", "AV1", "red/"] {
        assert!(!answer.to_string().contains(refused), "{refused} in {answer}");
    }
    assert_eq!(answer.sections[1].formats.len(), 2, "and its repair format: {:?}", answer.sections[1].formats);
}

#[test]
fn what_is_no_offer_is_an_error() {
    for offer in ["", "v=0", "v=0\r\n", "nonsense", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"] {
        assert!(connection(0).accept_offer(offer, fresh(0)).is_err(), "{offer:?}");
    }
}

/// cut anywhere, with any bit flipped, an offer is taken or refused.
#[test]
fn q_6_damaged_offers_are_taken_or_refused() {
    for offer in [CHROMIUM_DUAL, PYTHON] {
        let bytes = offer.as_bytes();
        for cut in (0..bytes.len()).step_by(97) {
            fuzz::offer(&bytes[..cut]);
        }
        for (position, bit) in (0..bytes.len()).step_by(61).zip((0..8).cycle()) {
            let mut flipped = bytes.to_vec();
            flipped[position] ^= 1 << bit;
            fuzz::sdp(&flipped);
            fuzz::offer(&flipped);
        }
    }
}

/// every first byte, every length.
#[test]
fn q_16_datagrams_of_every_first_byte_and_length_do_nothing() {
    let mut datagram = vec![0u8; 2001];
    datagram[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    for first in 0..=255u8 {
        datagram[0] = first;
        for length in (0..=2000).step_by(if first < 2 { 1 } else { 41 }) {
            fuzz::stun(&datagram[..length]);
        }
        for length in [0, 1, 2, 3, 12, 20, 28, 64, 1200, 2000] {
            fuzz::datagram(&datagram[..length]);
        }
    }
}
