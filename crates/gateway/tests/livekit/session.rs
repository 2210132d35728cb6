//! A session from its join to its end (livekit.md 2.3 to 2.9), without media.

use crate::harness::{Client, Heard, Say, Server, token, token_with};
use gateway::rooms::RegistryConfig;
use proto::participant_info::State;
use tokio_tungstenite::tungstenite::Message;
use wire::livekit::proto;

async fn server() -> Server {
    Server::start(RegistryConfig::default()).await
}

fn leave_of(heard: Heard) -> Option<proto::LeaveRequest> {
    match heard {
        Heard::Leave(leave) => Some(leave),
        _ => None,
    }
}

async fn camera(client: &mut Client) -> proto::TrackInfo {
    let add = proto::AddTrackRequest { cid: "cam".into(), r#type: 1, source: 1, ..Default::default() };
    client.say(Say::AddTrack(add)).await;
    client
        .hear_until(|heard| match heard {
            Heard::TrackPublished(published) if published.cid == "cam" => published.track,
            _ => None,
        })
        .await
}

#[tokio::test]
async fn l_23_l_52_the_join_comes_first_and_a_fresh_token_next() {
    // L-15, L-23, L-25, L-52
    let server = server().await;
    let mut alice = server.join("alice").await;
    let join = alice.joined().await;
    let you = join.participant.unwrap();
    assert!(you.sid.starts_with("PA_") && you.identity == "alice");
    assert!(join.room.unwrap().sid.starts_with("RM_"));
    assert_eq!(join.server_info.unwrap().node_id, "ND_test");
    let Heard::RefreshToken(fresh) = alice.hear().await else { panic!() };
    let mut again = server.join_with(&fresh).await;
    assert_eq!(again.joined().await.participant.unwrap().identity, "alice");
}

#[tokio::test]
async fn l_61_v0_joins_with_two_connections() {
    // L-61, L-25
    let server = server().await;
    let path = format!("/rtc?access_token={}&auto_subscribe=1&sdk=js&version=2.23.0&protocol=17", token("alice"));
    let mut alice = server.open(&path).await.expect("an upgrade");
    let join = alice.joined().await;
    assert!(join.subscriber_primary && join.fast_publish);
}

#[tokio::test]
async fn l_10_l_26_l_27_people_see_each_other_come_and_go() {
    // L-10, L-17, L-26, L-27
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let mut bob = server.join("bob").await;
    let others = bob.joined().await.other_participants;
    assert_eq!(others.iter().map(|who| who.identity.as_str()).collect::<Vec<_>>(), ["alice"]);
    alice.sees("bob", State::Joined).await;
    bob.say(Say::Leave(Default::default())).await;
    alice.sees("bob", State::Disconnected).await;
    assert_eq!(bob.close_code().await, Some(1000));
}

#[tokio::test]
async fn l_16_l_50_the_same_identity_comes_once() {
    // L-16, L-50
    let server = server().await;
    let mut first = server.join("alice").await;
    first.joined().await;
    let mut second = server.join("alice").await;
    second.joined().await;
    let leave = first.hear_until(leave_of).await;
    assert_eq!(leave.reason, proto::DisconnectReason::DuplicateIdentity as i32);
    assert_eq!(leave.action, proto::leave_request::Action::Disconnect as i32);
    assert_eq!(first.close_code().await, Some(1000));
    second.say(Say::Ping(1)).await;
    second.hear_until(|heard| matches!(heard, Heard::Pong(_)).then_some(())).await;
}

#[tokio::test]
async fn l_19_l_33_an_announced_track_is_published_at_once() {
    // L-19, L-33, L-15
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let track = camera(&mut alice).await;
    assert!(track.sid.starts_with("TR_VC"), "{}", track.sid);
    assert_eq!((track.stream.as_str(), track.source), ("camera", proto::TrackSource::Camera as i32));
}

#[tokio::test]
async fn l_51_without_the_grant_nothing_is_published() {
    // L-51
    let server = server().await;
    let mut audience = server.join_with(&token_with("bob", |claims| claims.video.can_publish = Some(false))).await;
    assert!(!audience.joined().await.fast_publish);
    let add = proto::AddTrackRequest { cid: "cam".into(), r#type: 1, source: 1, ..Default::default() };
    audience.say(Say::AddTrack(add)).await;
    let response = audience
        .hear_until(|heard| match heard {
            Heard::RequestResponse(response) => Some(response),
            _ => None,
        })
        .await;
    assert_eq!(response.reason, proto::request_response::Reason::NotAllowed as i32);
}

#[tokio::test]
async fn l_17_l_42_metadata_comes_from_the_token_and_changes_are_answered() {
    // L-17, L-42
    let server = server().await;
    let mut alice = server
        .join_with(&token_with("alice", |claims| {
            claims.name = "Alice".into();
            claims.metadata = "m".into();
            claims.video.can_update_own_metadata = Some(true);
        }))
        .await;
    let you = alice.joined().await.participant.unwrap();
    assert_eq!((you.name.as_str(), you.metadata.as_str()), ("Alice", "m"));
    let mut bob = server.join("bob").await;
    bob.joined().await;
    let update = proto::UpdateParticipantMetadata { name: "Ann".into(), request_id: 5, ..Default::default() };
    for (client, reason) in
        [(&mut alice, proto::request_response::Reason::Ok), (&mut bob, proto::request_response::Reason::NotAllowed)]
    {
        client.say(Say::UpdateMetadata(update.clone())).await;
        let response = client
            .hear_until(|heard| match heard {
                Heard::RequestResponse(response) => Some(response),
                _ => None,
            })
            .await;
        assert_eq!((response.request_id, response.reason), (5, reason as i32));
    }
}

#[tokio::test]
async fn pings_are_answered_in_milliseconds() {
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    alice.say(Say::Ping(7)).await;
    let pong = alice
        .hear_until(|heard| match heard {
            Heard::Pong(pong) => Some(pong),
            _ => None,
        })
        .await;
    assert!((1_700_000_000_000..10_000_000_000_000).contains(&pong), "{pong}");
    alice.say(Say::PingReq(proto::Ping { timestamp: 41, rtt: 3 })).await;
    let Heard::PongResp(pong) = alice.hear().await else { panic!() };
    assert_eq!(pong.last_ping_timestamp, 41);
}

#[tokio::test]
async fn a_client_that_speaks_json_is_answered_in_json() {
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    alice.send(Message::text(r#"{"pingReq":{"timestamp":"41"}}"#)).await;
    let text = loop {
        if let Some(Message::Text(text)) = alice.frame().await {
            break text;
        }
    };
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["pongResp"]["lastPingTimestamp"], "41");
}

#[tokio::test]
async fn l_24_a_hidden_participant_is_not_seen() {
    // L-67, L-51
    let server = server().await;
    let mut ghost = server.join_with(&token_with("ghost", |claims| claims.video.hidden = true)).await;
    ghost.joined().await;
    let mut bob = server.join("bob").await;
    assert!(bob.joined().await.other_participants.is_empty());
    ghost.sees("bob", State::Joined).await;
}

#[tokio::test]
async fn token_wins_over_those_who_came_by_the_page() {
    // product.md, «Access»
    let server = server().await;
    let mut guest = server.join_with(&token_with("guest-1", |claims| claims.odeon_page = true)).await;
    guest.joined().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let leave = guest.hear_until(leave_of).await;
    assert_eq!(leave.reason, proto::DisconnectReason::ParticipantRemoved as i32);
}
