//! Offers as real clients make them, and what becomes of them; then the same offers, damaged.

use rtc::crypto::Certificate;
use rtc::negotiation::ReceivePlan;
use rtc::{Connection, ConnectionConfig, Credentials, Sdp, SectionKind, SectionPlan, fuzz};
use std::time::Instant;

const CHROMIUM_SINGLE: &str = include_str!("fixtures/chromium_single_first_offer.sdp");
const CHROMIUM_DUAL: &str = include_str!("fixtures/chromium_dual_publisher_offer.sdp");
const PYTHON: &str = include_str!("fixtures/python_first_offer.sdp");

#[allow(clippy::disallowed_methods, reason = "a connection begins at some instant")]
fn connection(shard: u8) -> Connection {
    let config = ConnectionConfig {
        certificate: Certificate::generate().unwrap(),
        candidates: vec!["192.0.2.1:7882".parse().unwrap()],
        congestion_control: true,
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

#[test]
fn a_publishers_offer_is_answered_with_its_layers_and_opus_alone() {
    let mut connection = connection(0);
    let sections = connection.accept_offer(CHROMIUM_DUAL, fresh(0)).unwrap();
    assert_eq!(sections[1].rids, ["q", "h", "f"]);
    assert!(sections[1].track_id.is_some());
    let receive = SectionPlan::Receive(ReceivePlan { codecs: vec!["vp8".into()], ..ReceivePlan::default() });
    let answer = connection.finish(&[SectionPlan::Data, receive.clone(), receive]).unwrap();
    assert!(answer.contains("a=simulcast:recv q;h;f\r\n"), "{answer}");
    assert!(answer.contains("a=recvonly\r\n") && !answer.contains("a=sendonly\r\n"));
    assert!(!answer.contains("red/48000"), "Opus without RED");
    assert!(answer.contains("usedtx=1"));
    assert!(answer.contains("transport-cc"), "the publisher's way up is estimated by the publisher");
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
