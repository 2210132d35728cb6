//! Nonsense closes the one who sends it, and nobody else is affected.

use crate::harness::{Heard, Say, Server, backend, token};
use gateway::rooms::RegistryConfig;
use tokio_tungstenite::tungstenite::Message;
use wire::livekit::proto;

async fn still_there(client: &mut crate::harness::Client) {
    client.say(Say::PingReq(proto::Ping { timestamp: 1, rtt: 0 })).await;
    client.hear_until(|heard| matches!(heard, Heard::PongResp(_)).then_some(())).await;
}

#[tokio::test]
async fn q_18_malformed_and_oversized_frames_cost_their_sender_only() {
    // Q-18
    let server = Server::start(RegistryConfig::default()).await;
    let mut witness = server.join("witness").await;
    witness.joined().await;
    let frames = [
        Message::binary(vec![0xff; 64]),
        Message::text("not json"),
        Message::text(r#"{"offer":5}"#),
        Message::binary(vec![0; 2 * 1024 * 1024 + 1]),
    ];
    for (index, frame) in frames.into_iter().enumerate() {
        let mut mallory = server.join(&format!("mallory-{index}")).await;
        mallory.joined().await;
        mallory.send(frame).await;
        assert_ne!(mallory.close_code().await, Some(1000), "frame {index}");
    }
    still_there(&mut witness).await;
}

#[tokio::test]
async fn q_18_a_flood_of_tiny_frames_is_cut() {
    // Q-18
    let server = Server::start(RegistryConfig::default()).await;
    let mut witness = server.join("witness").await;
    witness.joined().await;
    let mut mallory = server.join("mallory").await;
    mallory.joined().await;
    for _ in 0..3_000 {
        mallory.send_or_give_up(Message::binary(vec![])).await;
    }
    assert!(matches!(mallory.close_code().await, Some(1008) | None));
    still_there(&mut witness).await;
}

#[tokio::test]
async fn candidates_and_descriptions_of_nonsense_are_borne_by_the_room() {
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let nonsense = proto::SessionDescription { sdp: "\0\u{fffd}".repeat(1_000), id: 9, ..Default::default() };
    alice.say(Say::Answer(nonsense.clone())).await;
    alice.say(Say::Mute(proto::MuteTrackRequest { sid: "TR_none".into(), muted: true })).await;
    let subscription = proto::UpdateSubscription { track_sids: vec!["TR_none".into()], ..Default::default() };
    alice.say(Say::Subscription(subscription)).await;
    still_there(&mut alice).await;
}

#[tokio::test]
async fn q_20_long_and_odd_tokens_are_refused_everywhere() {
    // Q-20
    let server = Server::start(RegistryConfig::default()).await;
    let long = "a".repeat(20_000);
    for odd in [long.as_str(), "..", "a.b.c", "%00", "eyJhbGciOiJub25lIn0.e30."] {
        let answer = server.get(&format!("/rtc/validate?access_token={odd}"), &[]).await;
        assert_eq!(answer.status, 401);
        assert_eq!(server.api("ListRooms", odd, "{}").await.status, 401);
    }
    assert_eq!(server.get(&format!("/rtc/validate?access_token={}", token("a")), &[]).await.status, 200);
}

#[tokio::test]
async fn a_body_over_ten_mebibytes_is_not_read_to_its_end() {
    let server = Server::start(RegistryConfig::default()).await;
    let creator = backend(|video| video.room_create = true);
    let body = format!(r#"{{"name":"{}"}}"#, "x".repeat(10 * 1024 * 1024));
    assert_eq!(server.api("CreateRoom", &creator, &body).await.status, 400);
    assert_eq!(server.api("CreateRoom", "", &body[..1000]).await.status, 401);
}
