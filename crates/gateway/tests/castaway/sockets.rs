//! Who gets in, and the words for the others (C-01 to C-09, C-23).

use crate::harness::{Server, token};
use serde_json::json;

const UNAUTHORIZED: &str = "User is not authorized to livestream in this room.";

#[tokio::test]
async fn c_01_c_02_c_03_c_04_a_socket_is_let_in_then_checked_and_told_why() {
    // C-01, C-02, C-03, C-04
    let server = Server::start().await;
    let account = server.account("ann").await;
    for namespace in ["/streamer", "/listener"] {
        for (auth, text) in [
            (json!({}), "Id token not provided."),
            (json!({ "livestream-id": "x" }), "Id token not provided."),
            (json!({ "id-token": account.token }), "Livestream id not provided."),
            (json!({ "id-token": "a.b.c", "livestream-id": "x" }), "Id token is invalid."),
        ] {
            let mut client = server.socket(&[]).await;
            client.join(namespace, &auth).await;
            client.is_refused(text).await;
        }
    }
}

#[tokio::test]
async fn c_05_only_who_has_the_right_streams() {
    // C-05
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let livestream = server.livestream(&ann).await;
    for (token, room) in [
        (ben.token.clone(), livestream.as_str()),
        (ann.token.clone(), "unknown"),
        (token("other", "eve", |_| {}), livestream.as_str()),
        (token(&livestream, "eve", |video| video.can_publish = Some(false)), livestream.as_str()),
    ] {
        server.join("/streamer", &token, room).await.is_refused(UNAUTHORIZED).await;
    }
}

#[tokio::test]
async fn c_06_c_09_streamer_and_listener_are_welcomed_by_their_ids() {
    // C-06, C-09
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.join("/streamer", &ann.token, &livestream).await;
    streamer.hears("success", &format!("User {} connected as streamer to livestream {livestream}.", ann.id)).await;
    let mut listener = server.join("/listener", &ben.token, &livestream).await;
    listener.hears("success", &format!("User {} connected as listener to livestream {livestream}.", ben.id)).await;
}

#[tokio::test]
async fn c_07_c_08_a_listener_is_told_whether_there_is_nothing_or_nothing_yet() {
    // C-07, C-08
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut client = server.join("/listener", &ann.token, "unknown").await;
    client.is_refused("Livestream unknown does not exist.").await;
    let mut client = server.join("/listener", &ann.token, &livestream).await;
    client.is_refused(&format!("Livestream {livestream} has not started.")).await;
}

#[tokio::test]
async fn headers_say_it_too_and_a_refused_socket_may_try_again() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let headers = [("id-token", ann.token.as_str()), ("livestream-id", livestream.as_str())];
    let mut client = server.socket(&headers).await;
    client.join("/listener", &json!({})).await;
    client.is_refused(&format!("Livestream {livestream} has not started.")).await;
    let mut streamer = server.socket(&headers).await;
    streamer.join("/streamer", &json!(null)).await;
    streamer.succeeds().await;
    client.join("/listener", &json!({})).await;
    client.succeeds().await;
}

#[tokio::test]
async fn a_token_of_ours_lets_its_bearer_stream_to_its_room() {
    let server = Server::start().await;
    let alice = token("residence", "alice", |_| {});
    let mut streamer = server.join("/streamer", &alice, "residence").await;
    streamer.hears("success", "User alice connected as streamer to livestream residence.").await;
    server.room_holds("residence", &["castaway:token:alice"]).await;
}

#[tokio::test]
async fn another_namespace_is_none() {
    let server = Server::start().await;
    let mut client = server.socket(&[]).await;
    client.say("40/other,").await;
    assert_eq!(client.text().await, r#"44/other,{"message":"Invalid namespace"}"#);
    client.say("40").await;
    assert!(client.text().await.starts_with("40{\"sid\":"));
}

#[tokio::test]
async fn c_23_the_server_says_that_it_is_up() {
    // C-23
    let server = Server::start().await;
    assert_eq!(server.get("/healthcheck").await.status, 200);
    assert_eq!(gateway::castaway::front().await, "Media server is up and running.");
}
