//! RESET and UPDATE (E-13), removal and bans.

use crate::harness::{Server, eventually, message, types};
use room::{Banned, Identity, Moderation, Origin};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

fn bus(id: &str) -> Identity {
    Identity { origin: Origin::Bus, id: id.into() }
}

#[tokio::test]
async fn e_13_reset_is_for_operators() {
    // E-13
    let server = Server::start().await;
    let mut alice = server.person("first", "alice").await;
    alice.say(message("CHAT", "first", "alice", json!("tere"))).await;
    alice.say(message("LIKE", "first", "alice", json!("x"))).await;
    alice.hears_type("LIKE").await;
    for kind in ["RESET", "UPDATE"] {
        alice.say(message(kind, "first", "alice", json!("/reset"))).await;
        let told = alice.hears_type("ERROR").await;
        assert_eq!(told["value"], "this is for operators only");
    }
    let mut narrow = server.open_with("/?channel=other", &[]).await;
    let mut operator = server.open_as_operator().await;
    operator.say(message("UPDATE", "", "", json!(""))).await;
    operator.say(message("RESET", "first", "op", json!("/reset"))).await;
    for client in [&mut operator, &mut narrow, &mut alice] {
        assert_eq!(client.hears_type("UPDATE").await["value"], "");
        assert_eq!(types(&[client.hear().await]), ["RESET"]);
        assert_eq!(client.hears_type("CHANNELS_UPDATED").await["value"], json!({}));
    }
    server.room_holds("first", &[]).await;
    eventually("the chat is empty", || async { server.registry().chat_history("first", 9).await.unwrap().is_empty() })
        .await;
    alice.say(message("CHANNEL_JOIN", "first", "alice", Value::Null)).await;
    assert_eq!(alice.hears_type("CHAT_SYNC").await["value"], json!([]));
    assert_eq!(alice.hears_type("LIKE_SYNC").await["value"].as_array().map(Vec::len), Some(1), "likes stay");
}

#[tokio::test]
async fn whom_an_operator_removes_is_closed_with_4003() {
    let server = Server::start().await;
    let mut alice = server.person("first", "alice").await;
    let mut second = server.open().await;
    second.say(message("ANYTHING", "first", "alice", json!(1))).await;
    let mut bob = server.person("first", "bob").await;
    server.room_holds("first", &["bus:alice", "bus:bob"]).await;
    assert!(server.registry().find("first").unwrap().remove(bus("alice")).await.unwrap());
    assert_eq!(alice.close_code().await, Some(4003));
    assert_eq!(second.close_code().await, Some(4003));
    bob.sees("first", &["bob"]).await;
}

#[tokio::test]
async fn whom_an_operator_bans_stays_outside() {
    let server = Server::start().await;
    let mut alice = server.person("first", "alice").await;
    let mut bob = server.person("first", "bob").await;
    server.room_holds("first", &["bus:alice", "bus:bob"]).await;
    let room = server.registry().find("first").unwrap();
    room.moderate(Moderation::Ban(Banned::Identity(bus("alice")))).await.unwrap().unwrap();
    assert_eq!(alice.close_code().await, Some(4003));
    let mut again = server.open().await;
    for kind in ["CHANNEL_JOIN", "CHAT", "ANYTHING", "IMAGE", "CHANNEL_USER_UPDATE", "LIKE"] {
        again.say(message(kind, "first", "alice", json!({"userX": 1}))).await;
        let told = again.hears_type("ERROR").await;
        assert!(told["value"].as_str().unwrap().contains("banned"), "{kind}: {told}");
    }
    let heard = bob.hears_until_now().await;
    assert!(!heard.iter().any(|heard| heard["userId"] == "alice" && heard["type"] != "CHANNEL_JOIN"), "{heard:?}");
    again.say(message("CHAT", "second", "alice", json!("elsewhere"))).await;
    assert_eq!(bob.hears_type("CHAT").await["value"], "elsewhere");
}

#[tokio::test]
async fn an_address_that_is_banned_from_the_house_is_heard_nowhere() {
    let server = Server::start().await;
    let mut bob = server.person("first", "bob").await;
    server.room_holds("first", &["bus:bob"]).await;
    server.registry().ban(Banned::Address(IpAddr::V4(Ipv4Addr::LOCALHOST))).await.unwrap();
    assert_eq!(bob.close_code().await, Some(4003));
    let mut again = server.open().await;
    for kind in ["CHANNEL_JOIN", "CHAT", "ANYTHING"] {
        again.say(message(kind, "second", "carol", json!(1))).await;
        assert_eq!(again.hear().await["type"], "ERROR", "{kind}");
    }
}

#[tokio::test]
async fn a_room_that_the_api_deletes_is_empty_and_sockets_stay() {
    let server = Server::start().await;
    let mut alice = server.person("first", "alice").await;
    server.room_holds("first", &["bus:alice"]).await;
    assert!(server.registry().delete("first").await);
    while alice.hears_type("CHANNELS_UPDATED").await["value"] != json!({}) {}
    alice.join("first", "alice").await;
    server.room_holds("first", &["bus:alice"]).await;
}

#[tokio::test]
async fn when_the_server_goes_down_all_are_told() {
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    server.registry().stop_joins();
    let refused = server.try_open("/", &[]).await.err().expect("no socket");
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    alice.say_text("still served").await;
    bob.frame().await;
    server.gateway.go_away().await;
    assert_eq!((alice.close_code().await, bob.close_code().await), (Some(1001), Some(1001)));
}
