//! Text and people in one place, by HTTP (docs/moderation.md).

use crate::harness::{Answer, Server, keys, message, operator_token, token, token_rooms, unix_s};
use gateway::rooms::{Credential, JoinError};
use serde_json::{Value, json};

async fn ask(server: &Server, verb: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {}", operator_token());
    server.request(verb, path, &[("Authorization", &bearer)], body.as_bytes()).await
}

async fn does(server: &Server, verb: &str, path: &str, body: &str) {
    let answer = ask(server, verb, path, body).await;
    assert_eq!(answer.status, 204, "{verb} {path}: {answer:?}");
}

async fn in_force(server: &Server, room: &str) -> Value {
    ask(server, "GET", &format!("/api/rooms/{room}/moderation"), "").await.json()
}

#[tokio::test]
async fn whoever_is_no_operator_moderates_nothing() {
    let server = Server::start().await;
    let join = format!("Bearer {}", token("foyer"));
    for (verb, path) in [
        ("DELETE", "/api/rooms/foyer/chat"),
        ("DELETE", "/api/rooms/foyer/chat/some"),
        ("PUT", "/api/rooms/foyer/chat-rules"),
        ("GET", "/api/rooms/foyer/moderation"),
        ("PUT", "/api/rooms/foyer/mutes/bob"),
        ("DELETE", "/api/rooms/foyer/mutes/bob"),
        ("PUT", "/api/rooms/foyer/bans/bob"),
        ("DELETE", "/api/rooms/foyer/bans/bob"),
        ("DELETE", "/api/rooms/foyer/participants/bob"),
        ("GET", "/api/bans"),
        ("PUT", "/api/bans/bob"),
        ("DELETE", "/api/bans/bob"),
    ] {
        for headers in [&[][..], &[("Authorization", join.as_str())]] {
            let answer = server.request(verb, path, headers, b"{}").await;
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{verb} {path}");
        }
    }
    assert!(server.registry().is_empty(), "nothing was made of it");
}

#[tokio::test]
async fn a_message_is_deleted_and_all_of_them_are() {
    let server = Server::start().await;
    let mut alice = server.person("foyer", "alice").await;
    for text in ["tere", "rude", "head aega"] {
        let mut chat = message("CHAT", "foyer", "alice", json!(text));
        chat["id"] = json!(format!("id-{}", text.len()));
        alice.say(chat).await;
        alice.hears_type("CHAT").await;
    }
    does(&server, "DELETE", "/api/rooms/foyer/chat/id-4", "").await;
    assert_eq!(alice.hears_type("CHAT_DELETED").await["value"], "id-4");
    let log = server.get("/api/rooms/foyer/chat").await.json();
    let texts: Vec<_> = log.as_array().unwrap().iter().map(|said| said["text"].clone()).collect();
    assert_eq!(texts, ["head aega"], "both of that id");
    assert_eq!(ask(&server, "DELETE", "/api/rooms/foyer/chat/none", "").await.status, 404);
    does(&server, "DELETE", "/api/rooms/foyer/chat", "").await;
    alice.hears_type("CHAT_CLEARED").await;
    assert_eq!(server.get("/api/rooms/foyer/chat").await.json(), json!([]));
}

#[tokio::test]
async fn the_chat_is_closed_and_slowed_down_and_what_is_left_out_stays() {
    let server = Server::start().await;
    let mut bob = server.person("foyer", "bob").await;
    does(&server, "PUT", "/api/rooms/foyer/chat-rules", r#"{"closed":true}"#).await;
    bob.say(message("CHAT", "foyer", "bob", json!("tere"))).await;
    assert_eq!(bob.hears_type("ERROR").await["value"], "the chat is closed");
    does(&server, "PUT", "/api/rooms/foyer/chat-rules", r#"{"slowModeS":30}"#).await;
    let expected = json!({"closed": true, "closedByEvent": false, "slowModeS": 30, "muted": [], "banned": []});
    assert_eq!(in_force(&server, "foyer").await, expected);
    does(&server, "PUT", "/api/rooms/foyer/chat-rules", r#"{"closed":false}"#).await;
    bob.say(message("CHAT", "foyer", "bob", json!("one"))).await;
    bob.hears_type("CHAT").await;
    bob.say(message("CHAT", "foyer", "bob", json!("two"))).await;
    assert!(bob.hears_type("ERROR").await["value"].as_str().unwrap().starts_with("slow mode"));
    for body in ["", "[]", r#"{"slow":1}"#, r#"{"slowModeS":-1}"#, r#"{"slowModeS":99999999}"#] {
        let answer = ask(&server, "PUT", "/api/rooms/foyer/chat-rules", body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert!(answer.json()["error"].is_string());
    }
}

#[tokio::test]
async fn somebody_is_muted_and_may_write_again() {
    let server = Server::start().await;
    let mut bob = server.person("foyer", "bob").await;
    does(&server, "PUT", "/api/rooms/foyer/mutes/bus:bob", "").await;
    bob.say(message("CHAT", "foyer", "bob", json!("tere"))).await;
    assert_eq!(bob.hears_type("ERROR").await["value"], "you are muted in this chat");
    assert_eq!(in_force(&server, "foyer").await["muted"], json!(["bus:bob"]));
    does(&server, "DELETE", "/api/rooms/foyer/mutes/bus:bob", "").await;
    assert_eq!(ask(&server, "DELETE", "/api/rooms/foyer/mutes/bus:bob", "").await.status, 404);
    bob.say(message("CHAT", "foyer", "bob", json!("tere"))).await;
    bob.hears_type("CHAT").await;
}

#[tokio::test]
async fn somebody_is_removed_and_may_come_back() {
    let server = Server::start().await;
    let mut bob = server.person("foyer", "bob").await;
    server.room_holds("foyer", &["bus:bob"]).await;
    does(&server, "DELETE", "/api/rooms/foyer/participants/bus:bob", "").await;
    assert_eq!(bob.close_code().await, Some(4003));
    server.room_holds("foyer", &[]).await;
    assert_eq!(ask(&server, "DELETE", "/api/rooms/foyer/participants/bus:bob", "").await.status, 404);
    let _again = server.person("foyer", "bob").await;
    server.room_holds("foyer", &["bus:bob"]).await;
}

#[tokio::test]
async fn bans_hold_by_identity_and_by_address_in_a_room_and_in_the_house_and_outlive_the_room() {
    let server = Server::start().await;
    let mut bob = server.person("foyer", "bob").await;
    server.room_holds("foyer", &["bus:bob"]).await;
    does(&server, "PUT", "/api/rooms/foyer/bans/bus:bob", "").await;
    assert_eq!(bob.close_code().await, Some(4003));
    assert_eq!(in_force(&server, "foyer").await["banned"], json!(["bus:bob"]));
    does(&server, "PUT", "/api/rooms/foyer/bans/dave", "").await;
    assert!(server.registry().delete("foyer").await);
    let comes = async |room: &str| server.try_guest(room, "dave", &[], Credential::Public).await;
    assert!(matches!(comes("foyer").await, Err(JoinError::Banned)), "the room has ended, the ban has not");
    does(&server, "DELETE", "/api/rooms/foyer/bans/dave", "").await;
    assert!(comes("foyer").await.is_ok());
    does(&server, "PUT", "/api/bans/dave", "").await;
    assert_eq!(ask(&server, "GET", "/api/bans", "").await.json(), json!(["dave"]));
    assert!(matches!(comes("elsewhere").await, Err(JoinError::Banned)));
    does(&server, "DELETE", "/api/bans/dave", "").await;
    assert!(comes("elsewhere").await.is_ok());
    let mut carol = server.person("foyer", "carol").await;
    server.room_holds("foyer", &["bus:carol"]).await;
    does(&server, "PUT", "/api/rooms/foyer/bans/address:127.0.0.1", "").await;
    assert_eq!(carol.close_code().await, Some(4003));
    assert_eq!(ask(&server, "PUT", "/api/rooms/foyer/bans/address:nowhere", "").await.status, 400);
}

#[tokio::test]
async fn the_chat_of_a_token_room_is_for_those_with_a_token_for_it() {
    let server = Server::start_with(token_rooms).await;
    let closed = "/api/rooms/stage/chat";
    let page = auth::mint::page_token(&keys(), unix_s(), "stage", "guest-1", "Guest").unwrap();
    for headers in [vec![], vec![format!("Bearer {page}")], vec![format!("Bearer {}", token("another"))]] {
        let headers: Vec<_> = headers.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
        assert_eq!(server.request("GET", closed, &headers, b"").await.status, 404);
    }
    let bearer = format!("Bearer {}", token("stage"));
    assert_eq!(server.request("GET", closed, &[("Authorization", &bearer)], b"").await.json(), json!([]));
    assert_eq!(ask(&server, "GET", closed, "").await.json(), json!([]), "and for operators");
}

#[tokio::test]
async fn a_chat_is_read_as_often_as_people_do_and_in_bounded_answers() {
    let server = Server::start().await;
    let mut alice = server.person("foyer", "alice").await;
    for number in 0..5 {
        alice.say(message("CHAT", "foyer", "alice", json!(number.to_string()))).await;
        alice.hears_type("CHAT").await;
    }
    let log = server.get("/api/rooms/foyer/chat?limit=2").await.json();
    assert_eq!((&log[0]["text"], &log[1]["text"], &log[2]), (&json!("3"), &json!("4"), &Value::Null));
    assert_eq!((&log[0]["identity"], &log[0]["name"]), (&json!("bus:alice"), &json!("ALICE")));
    assert!(log[0]["at"].as_i64().is_some_and(|at| at > 1_700_000_000_000));
    let mut statuses = Vec::new();
    for _ in 0..80 {
        statuses.push(server.get("/api/rooms/foyer/chat").await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}
