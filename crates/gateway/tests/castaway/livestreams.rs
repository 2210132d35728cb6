//! Livestreams by REST (C-15, C-16).

use crate::harness::{Server, token};
use serde_json::{Value, json};

#[tokio::test]
async fn c_15_a_livestream_is_announced_listed_and_removed_under_both_paths() {
    // C-15
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let id = server.livestream(&ann).await;
    let shown = |connected: bool| {
        json!({
            "livestreamId": id, "title": "Evening", "description": "Sounds", "artistName": "ann",
            "streamerConnected": connected,
        })
    };
    for prefix in ["/api", "/app/api"] {
        assert_eq!(server.get(&format!("{prefix}/livestreams")).await.json(), json!([shown(false)]));
        assert_eq!(server.get(&format!("{prefix}/livestreams/{id}")).await.json(), shown(false));
        let missing = server.get(&format!("{prefix}/livestreams/x")).await;
        assert_eq!((missing.status, crate::harness::error(&missing)), (404, "Livestream x not found.".to_owned()));
    }
    let mut streamer = server.streamer(&ann.token, &id).await;
    assert_eq!(server.get(&format!("/api/livestreams/{id}")).await.json(), shown(true));
    let path = format!("/app/api/livestreams/{id}");
    let refused = server.request("DELETE", &path, &[("idToken", &ben.token)], b"").await;
    let text = format!("User does not have access to livestream {id}");
    assert_eq!((refused.status, crate::harness::error(&refused)), (403, text));
    let removed = server.request("DELETE", &path, &[("idToken", &ann.token)], b"").await;
    let text = "Your livestream has been removed.";
    assert_eq!((removed.status, removed.json()), (200, json!({ "status": "OK", "message": text })));
    streamer.is_refused(&format!("Livestream {id} has ended.")).await;
    let again = server.request("DELETE", &path, &[("idToken", &ann.token)], b"").await;
    assert_eq!((again.status, crate::harness::error(&again)), (404, format!("Livestream {id} not found.")));
}

#[tokio::test]
async fn c_15_a_form_does_as_well_as_json() {
    // C-15
    let server = Server::start().await;
    let alice = token("anywhere", "alice", |_| {});
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("idToken", alice.as_str())];
    let answer = server.request("POST", "/app/api/livestreams", &headers, b"title=J%C3%B5gi&description=a+b").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = server.get("/api/livestreams").await.json();
    assert_eq!((&all[0]["title"], &all[0]["description"]), (&json!("Jõgi"), &json!("a b")));
    assert_eq!(all[0]["artistName"], "alice");
}

#[tokio::test]
async fn c_16_what_is_wrong_with_a_body_is_said_word_for_word() {
    // C-16
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let create = async |body: Value| server.call("POST", "/api/livestreams", &[("idToken", &ann.token)], &body).await;
    let empty = create(json!({ "title": "", "description": "d" })).await;
    let fault = json!({ "value": "", "msg": "Title must not be empty.", "param": "title", "location": "body" });
    assert_eq!((empty.status, empty.json()), (400, json!({ "errors": [fault] })));
    assert_eq!(
        empty.body,
        r#"{"errors":[{"value":"","msg":"Title must not be empty.","param":"title","location":"body"}]}"#
    );
    let missing = create(json!({ "description": "d" })).await;
    let fault = json!({ "msg": "Title must be a string.", "param": "title", "location": "body" });
    assert_eq!((missing.status, missing.json()), (400, json!({ "errors": [fault] })));
    let body = json!({ "title": "t", "description": "d" });
    let nobody = server.call("POST", "/api/livestreams", &[], &body).await;
    assert_eq!((nobody.status, &nobody.json()["errors"][0]["location"]), (400, &json!("headers")));
    let forged = server.call("POST", "/api/livestreams", &[("idToken", "a.b.c")], &body).await;
    assert_eq!((forged.status, crate::harness::error(&forged)), (401, "Id token is invalid.".to_owned()));
    let broken = server.request("POST", "/api/livestreams", &[("content-type", "application/json")], b"{").await;
    assert_eq!(broken.status, 400);
}

#[tokio::test]
async fn nobody_announces_without_end() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    for _ in 0..100 {
        server.livestream(&ann).await;
    }
    let body = json!({ "title": "t", "description": "d" });
    assert_eq!(server.call("POST", "/api/livestreams", &[("idToken", &ann.token)], &body).await.status, 429);
}
