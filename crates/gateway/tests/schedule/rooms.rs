//! What events want of their rooms.

use crate::harness::{Server, in_hours, store, tallinn};
use gateway::rooms::{Access, Credential, JoinError};
use room::{ChatPost, ChatRefused, Identity, Origin};
use serde_json::{Value, json};

const EVENTS: &str = "/api/schedule/events";

fn show(room: &str, options: Value) -> Value {
    json!({ "title": "show", "start": in_hours(-1), "end": in_hours(1), "room": room, "options": options })
}

impl Server {
    /// Where the event is, once its room knows of it.
    async fn announces(&self, event: &Value) -> String {
        let made = self.operator("POST", EVENTS, event).await;
        assert_eq!(made.status, 201, "{made:?}");
        format!("{EVENTS}/{}", made.json()["id"].as_str().unwrap())
    }

    /// Says something in a room, as the bus does.
    async fn says(&self, room: &str) -> Result<(), ChatRefused> {
        let author = Identity { origin: Origin::Bus, id: "mako".into() };
        let post = ChatPost { author, name: "Mako".into(), text: "hello".into(), id: None, frame: None };
        let room = self.registry.open(room, Credential::Public, None).await.unwrap();
        room.chat(post).await.unwrap().map(drop)
    }
}

#[tokio::test]
async fn e_32_an_event_with_tokens_closes_its_room_to_everybody_else_and_the_next_one_may_be_open() {
    // E-32
    let server = Server::start(tallinn(), &store()).await;
    assert_eq!(server.says("stage").await, Ok(()));
    assert_eq!(server.get("/api/rooms/stage/chat").await.status, 200);
    let event = server.announces(&show("stage", json!({ "access": "token" }))).await;
    assert_eq!(server.get("/api/rooms/stage/chat").await.status, 404);
    let stranger = server.registry.open("stage", Credential::Public, None).await;
    assert_eq!(stranger.err(), Some(JoinError::NoSuchRoom));
    assert_eq!(server.operator("PUT", &event, &show("stage", json!({ "access": "open" }))).await.status, 200);
    assert_eq!(server.says("stage").await, Ok(()));
}

#[tokio::test]
async fn e_32_a_room_that_is_not_there_yet_is_declared_too() {
    // E-32
    let server = Server::start(tallinn(), &store()).await;
    let event = server.announces(&show("stage", json!({ "access": "token" }))).await;
    assert_eq!(server.registry.access("stage"), Access::Token);
    assert_eq!(server.operator("DELETE", &event, &Value::Null).await.status, 204);
    assert_eq!(server.registry.access("stage"), Access::Open);
}

#[tokio::test]
async fn e_32_an_open_event_does_not_open_a_room_that_was_made_for_tokens() {
    // E-32
    let server = Server::start(tallinn(), &store()).await;
    let config = server.registry.room_defaults().clone();
    server.registry.create("private", config).await.unwrap();
    server.announces(&show("private", json!({ "access": "open" }))).await;
    assert_eq!(server.registry.access("private"), Access::Token);
}

#[tokio::test]
async fn e_32_an_event_without_chat_closes_it_for_as_long_as_it_is_on() {
    // E-32
    let store = store();
    let server = Server::start(tallinn(), &store).await;
    assert_eq!(server.says("stage").await, Ok(()));
    let event = server.announces(&show("stage", json!({ "chat": "no" }))).await;
    assert_eq!(server.says("stage").await, Err(ChatRefused::Closed));
    let orders = server.operator("GET", "/api/rooms/stage/moderation", &Value::Null).await.json();
    assert_eq!((&orders["closed"], &orders["closedByEvent"]), (&json!(false), &json!(true)));
    // A server that starts again knows it when the room begins.
    let second = Server::start(tallinn(), &store).await;
    assert_eq!(second.titles().await, ["show"]);
    assert_eq!(second.says("stage").await, Err(ChatRefused::Closed));
    assert_eq!(server.operator("PUT", &event, &show("stage", json!({}))).await.status, 200);
    assert_eq!(server.says("stage").await, Ok(()));
}
