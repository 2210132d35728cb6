//! Up to the upgrade: statuses, texts and CORS (livekit.md 2.1).

use crate::harness::{Heard, Server, auto_subscribing, join_request, token, token_with};
use gateway::rooms::{Access, RegistryConfig};
use wire::livekit::proto;

fn v1(token: &str) -> String {
    format!("/rtc/v1?access_token={token}&join_request={}", join_request(&auto_subscribing()))
}

fn without_auto_create() -> RegistryConfig {
    RegistryConfig { auto_create: false, ..RegistryConfig::default() }
}

#[tokio::test]
async fn l_25_validate_says_success_with_cors() {
    // L-25
    let server = Server::start(RegistryConfig::default()).await;
    let bearer = format!("Bearer {}", token("alice"));
    for (path, headers) in [
        (format!("/rtc/validate?access_token={}", token("alice")), vec![]),
        (v1(&token("alice")).replace("/v1?", "/v1/validate?"), vec![]),
        ("/rtc/validate".to_owned(), vec![("Authorization", bearer.as_str())]),
    ] {
        let answer = server.get(&path, &headers).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "success"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    assert!(server.gateway.registry().is_empty(), "asking makes no room");
}

#[tokio::test]
async fn l_07_l_49_without_the_right_token_it_is_401() {
    // L-07, L-49, L-54
    let server = Server::start(RegistryConfig::default()).await;
    let expired = token_with("alice", |claims| claims.exp = 1);
    let no_join = token_with("alice", |claims| claims.video.room_join = false);
    let forged = format!("{}x", token("alice"));
    let foreign = token_with("bus:alice", |_| {});
    for token in ["", "nonsense", &expired, &no_join, &forged, &foreign] {
        for path in [v1(token), v1(token).replace("/v1?", "/v1/validate?"), format!("/rtc?access_token={token}")] {
            let answer = match path.contains("validate") {
                true => server.get(&path, &[]).await,
                false => server.open(&path).await.err().expect("no upgrade"),
            };
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_400() {
    let server = Server::start(RegistryConfig::default()).await;
    let alice = token("alice");
    let long = "x".repeat(257);
    let cases = [
        (format!("/rtc/v1?access_token={alice}"), "join_request is required"),
        (format!("/rtc/v1?access_token={alice}&join_request=***"), "cannot base64 decode join_request"),
        (format!("/rtc/v1?access_token={alice}&join_request=_____w"), "cannot unmarshal join_request"),
        (v1(&token("")), "identity cannot be empty"),
        (v1(&token(&long)), "identity exceeds limits"),
        (v1(&token_with("a", |claims| claims.video.room = String::new())), "no room name"),
        (v1(&token_with("a", |claims| claims.video.room = long.clone())), "room name exceeds limits"),
    ];
    for (path, text) in cases {
        let answer = server.open(&path).await.err().expect("no upgrade");
        assert_eq!((answer.status, answer.body.as_str()), (400, text), "{path}");
    }
    assert!(server.gateway.registry().is_empty());
}

#[tokio::test]
async fn l_13_where_rooms_are_not_made_by_joining_the_404_says_the_words_that_clients_know() {
    // L-13: any other 404 would send them to the older path.
    let server = Server::start(without_auto_create()).await;
    let validate = server.get(&v1(&token("alice")).replace("/v1?", "/v1/validate?"), &[]).await;
    let upgrade = server.open(&v1(&token("alice"))).await.err().expect("no upgrade");
    for answer in [validate, upgrade] {
        assert_eq!((answer.status, answer.body.as_str()), (404, "requested room does not exist"));
    }
}

#[tokio::test]
async fn a_token_room_does_not_exist_for_a_page_token() {
    let config = RegistryConfig { undeclared: Access::Token, ..RegistryConfig::default() };
    let server = Server::start(config).await;
    let page = token_with("guest-1", |claims| claims.odeon_page = true);
    let refused = server.open(&v1(&page)).await.err().expect("no upgrade");
    let validate = server.get(&v1(&page).replace("/v1?", "/v1/validate?"), &[]).await;
    for answer in [refused, validate] {
        assert_eq!((answer.status, answer.body.as_str()), (404, "requested room does not exist"));
    }
    assert!(server.open(&v1(&token("alice"))).await.is_ok());
}

#[tokio::test]
async fn without_an_upgrade_there_is_nothing() {
    let server = Server::start(RegistryConfig::default()).await;
    for path in [format!("/rtc?access_token={}", token("alice")), v1(&token("alice"))] {
        assert_eq!(server.get(&path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_doubled_slash_is_one() {
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.open(&format!("/{}", v1(&token("alice")))).await.expect("an upgrade");
    alice.joined().await;
    let answer = server.get(&format!("//rtc/validate?access_token={}", token("alice")), &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(server.get("//nothing/here", &[]).await.status, 404);
}

#[tokio::test]
async fn q_8_while_draining_nobody_comes_in() {
    //
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    server.gateway.registry().stop_joins();
    let refused = server.open(&v1(&token("bob"))).await.err().expect("no upgrade");
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    assert_eq!(server.get("/", &[]).await.status, 503);
}

#[tokio::test]
async fn own_metadata_in_a_join_needs_the_grant() {
    let server = Server::start(RegistryConfig::default()).await;
    let request = proto::JoinRequest { metadata: "mine".into(), ..Default::default() };
    let path = |token: &str| format!("/rtc/v1?access_token={token}&join_request={}", join_request(&request));
    assert_eq!(server.open(&path(&token("alice"))).await.err().expect("no upgrade").status, 401);
    let granted = token_with("alice", |claims| claims.video.can_update_own_metadata = Some(true));
    let mut alice = server.open(&path(&granted)).await.expect("an upgrade");
    assert_eq!(alice.joined().await.participant.unwrap().metadata, "mine");
}

/// v0's second connection of somebody: a participant of its own that only publishes (livekit.md 2.1).
#[tokio::test]
async fn l_25_a_publish_only_connection_is_a_participant_of_its_own() {
    // L-25
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let mut second = server.open(&format!("/rtc?access_token={}&publish=cam", token("alice"))).await.unwrap();
    let join = second.joined().await;
    let you = join.participant.unwrap();
    assert_eq!((you.identity.as_str(), you.permission.unwrap().can_subscribe), ("alice#cam", false));
    assert_eq!(join.other_participants[0].identity, "alice", "the first one is still there");
    let fresh =
        second.hear_until(|heard| if let Heard::RefreshToken(token) = heard { Some(token) } else { None }).await;
    drop(second);
    let mut again = server.open(&format!("/rtc?access_token={fresh}&publish=cam")).await.unwrap();
    assert_eq!(again.joined().await.participant.unwrap().identity, "alice#cam");
    let mute = token_with("bob", |claims| claims.video.can_publish = Some(false));
    assert_eq!(server.open(&format!("/rtc?access_token={mute}&publish=cam")).await.err().unwrap().status, 401);
}
