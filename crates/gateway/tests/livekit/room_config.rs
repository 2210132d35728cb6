//! What a room is made with (livekit.md 2.13): presets, CreateRoom, tokens; and the operator's limits.

use crate::harness::{Server, auto_subscribing, backend, join_request, token, token_with};
use gateway::rooms::RegistryConfig;
use room::RoomConfig;
use room::limits::RoomLimits;
use serde_json::json;

fn creator() -> String {
    backend(|video| video.room_create = true)
}

fn path(token: &str) -> String {
    format!("/rtc/v1?access_token={token}&join_request={}", join_request(&auto_subscribing()))
}

#[tokio::test]
async fn l_55_a_preset_is_the_ground_for_what_create_room_says() {
    // L-55
    let server = Server::start(RegistryConfig::default()).await;
    let body = r#"{"name":"r","room_preset":"small","empty_timeout":7}"#;
    let room = server.api("CreateRoom", &creator(), body).await.json();
    assert_eq!((&room["max_participants"], &room["empty_timeout"]), (&json!(1), &json!(7)));
    let unknown = server.api("CreateRoom", &creator(), r#"{"name":"x","room_preset":"huge"}"#).await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (400, &json!("invalid_argument")));
}

#[tokio::test]
async fn l_55_a_token_says_what_the_room_is_made_with_that_it_makes() {
    // L-55, L-49
    let server = Server::start(RegistryConfig::default()).await;
    let token_for =
        |extra: serde_json::Value| token_with("alice", |claims| claims.extra = extra.as_object().unwrap().clone());
    let both = token_for(json!({"roomPreset": "small", "roomConfig": {"metadata": "act 1", "departureTimeout": 3}}));
    let mut alice = server.join_with(&both).await;
    let room = alice.joined().await.room.unwrap();
    assert_eq!((room.max_participants, room.empty_timeout, room.departure_timeout), (1, 9, 3));
    assert_eq!(room.metadata, "act 1");
    // The room is there: what another token says of it comes too late, and there is no place.
    let late = token_with("bob", |claims| {
        claims.extra = [("roomConfig".into(), json!({"maxParticipants": 9}))].into_iter().collect()
    });
    assert_eq!(server.open(&path(&late)).await.err().unwrap().status, 503);
    for wrong in [json!({"roomPreset": "huge"}), json!({"roomConfig": {"maxParticipants": "many"}})] {
        assert_eq!(server.open(&path(&token_for(wrong))).await.err().unwrap().status, 400);
    }
}

#[tokio::test]
async fn the_operators_limits_stand_at_the_door_and_in_the_room() {
    let limits = RoomLimits { identity_bytes: 8, metadata_bytes: 4, ..RoomLimits::default() };
    let room = RoomConfig { limits, ..RoomConfig::default() };
    let server = Server::start(RegistryConfig { room, max_room_name_bytes: 3, ..RegistryConfig::default() }).await;
    server.join("alice").await.joined().await;
    assert_eq!(server.open(&path(&token("alice-the-great"))).await.err().unwrap().status, 400);
    let elsewhere = token_with("alice", |claims| claims.video.room = "long".into());
    assert_eq!(server.open(&path(&elsewhere)).await.err().unwrap().status, 400);
    let create = async |body: &str| server.api("CreateRoom", &creator(), body).await.status;
    assert_eq!(create(r#"{"name":"long"}"#).await, 400);
    assert_eq!(create(r#"{"name":"new","metadata":"12345"}"#).await, 400);
    assert_eq!(create(r#"{"name":"new","metadata":"1234"}"#).await, 200);
}
