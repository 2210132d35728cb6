//! Castaway × {open, token}: a token room is none to those without one, and operators remove people (product.md).

use crate::harness::{Server, token};
use gateway::rooms::Access;
use room::{Identity, Origin, RoomConfig};

#[tokio::test]
async fn to_an_account_a_token_room_is_none() {
    let server = Server::start_with(|setting| {
        setting.registry.declared.insert("rehearsal".into(), Access::Token);
    })
    .await;
    let ann = server.account("ann").await;
    let _streamer = server.streamer(&token("rehearsal", "alice", |_| {}), "rehearsal").await;
    let mut stranger = server.join("/listener", &ann.token, "rehearsal").await;
    stranger.is_refused("Livestream rehearsal does not exist.").await;
    let mut stranger = server.join("/streamer", &ann.token, "rehearsal").await;
    stranger.is_refused("User is not authorized to livestream in this room.").await;
    server.listener(&token("rehearsal", "ben", |_| {}), "rehearsal").await;
    let deaf = token("rehearsal", "eve", |video| video.can_subscribe = Some(false));
    server.join("/listener", &deaf, "rehearsal").await.is_refused("Livestream rehearsal does not exist.").await;
}

#[tokio::test]
async fn when_the_room_becomes_a_token_room_those_without_one_are_told_and_go() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    assert_eq!(server.get("/api/livestreams").await.json().as_array().unwrap().len(), 1);
    server.registry().create(&livestream, RoomConfig::default()).await.unwrap();
    let removed = format!("You were removed from livestream {livestream}.");
    streamer.is_refused(&removed).await;
    listener.is_refused(&removed).await;
    assert_eq!(server.get("/api/livestreams").await.json().as_array().unwrap().len(), 0);
    assert_eq!(server.get(&format!("/api/livestreams/{livestream}")).await.status, 404);
}

#[tokio::test]
async fn an_operator_removes_a_listener_and_the_others_hear_on() {
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut removed = server.listener(&ben.token, &livestream).await;
    let mut other = server.listener(&ann.token, &livestream).await;
    let identity = Identity { origin: Origin::Castaway, id: ben.id.as_str().into() };
    assert!(server.registry().find(&livestream).unwrap().remove(identity).await.unwrap());
    removed.is_refused(&format!("You were removed from livestream {livestream}.")).await;
    streamer.upload(b"on").await;
    other.hears_sound(b"on").await;
}

#[tokio::test]
async fn when_the_room_is_deleted_the_livestream_has_ended() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    assert!(server.registry().delete(&livestream).await);
    let ended = format!("Livestream {livestream} has ended.");
    listener.is_refused(&ended).await;
    streamer.is_refused(&ended).await;
}
