//! The page and its tokens (product.md, «Page token»; Q-19, Q-21).

use crate::harness::{Answer, Server, backend, keys, now, token_with};
use gateway::rooms::{Access, RegistryConfig};
use serde_json::json;

async fn server() -> Server {
    Server::start(RegistryConfig::default()).await
}

async fn ask(server: &Server, room: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let origin = format!("http://{}", server.addr);
    let own = [("Origin", origin.as_str()), ("Content-Type", "application/json")];
    let headers: Vec<_> = own.iter().chain(headers).copied().collect();
    server.request("POST", &format!("/api/rooms/{room}/join"), &headers, body.as_bytes()).await
}

fn invitation(room: &str, identity: &str) -> String {
    token_with(identity, |claims| {
        claims.video.room = room.into();
        claims.video.room_admin = true;
    })
}

#[tokio::test]
async fn an_open_room_gives_a_page_token_that_joins() {
    let server = server().await;
    let answer = ask(&server, "r%20%C3%B5", &[], r#"{"name":" Ann "}"#).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let pass = answer.json();
    assert_eq!(pass["room"], "r õ");
    let claims = auth::verify(pass["token"].as_str().unwrap(), &keys(), now()).unwrap();
    assert_eq!((claims.name.as_str(), claims.participant_identity()), ("Ann", pass["identity"].as_str().unwrap()));
    assert!(claims.odeon_page && claims.exp <= now() + 600 && !claims.video.room_admin);
    assert!(server.gateway.registry().is_empty(), "asking makes no room");
    let mut guest = server.join_with(pass["token"].as_str().unwrap()).await;
    assert_eq!(guest.joined().await.room.unwrap().name, "r õ");
    assert_eq!(server.gateway.registry().access("r õ"), Access::Open);
}

#[tokio::test]
async fn a_token_room_is_404_without_an_invitation() {
    let server = server().await;
    let creator = backend(|video| video.room_create = true);
    server.api("CreateRoom", &creator, r#"{"name":"closed"}"#).await;
    let refused = ask(&server, "closed", &[], r#"{"name":"Ann"}"#).await;
    assert_eq!((refused.status, refused.json()), (404, json!({"error": "there is no such room"})));
    let bearer = format!("Bearer {}", invitation("closed", ""));
    let pass = ask(&server, "closed", &[("Authorization", &bearer)], r#"{"name":"Ann"}"#).await.json();
    let claims = auth::verify(pass["token"].as_str().unwrap(), &keys(), now()).unwrap();
    assert!(!claims.video.room_admin && claims.exp <= now() + 600 && claims.name == "Ann");
    server.join_with(pass["token"].as_str().unwrap()).await.joined().await;
    let fixed = format!("Bearer {}", invitation("closed", "alice"));
    let pass = ask(&server, "closed", &[("Authorization", &fixed)], r#"{"name":"Al"}"#).await.json();
    assert_eq!(pass["identity"], "alice");
}

#[tokio::test]
async fn an_invitation_must_be_one_and_for_this_room() {
    let server = server().await;
    let page = token_with("guest-1", |claims| claims.odeon_page = true);
    let expired = token_with("", |claims| claims.exp = 1);
    for (token, status) in [("nonsense", 401), (&page, 401), (&expired, 401), (&invitation("other", ""), 403)] {
        let bearer = format!("Bearer {token}");
        let answer = ask(&server, "r", &[("Authorization", &bearer)], r#"{"name":"Ann"}"#).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn q_19_only_our_own_pages_get_tokens() {
    // Q-19
    let server = server().await;
    let body = br#"{"name":"Ann"}"#;
    let port = server.addr.port();
    let foreign = [
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://sub.127.0.0.1:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("http://localhost:{port}"),
    ];
    for origin in &foreign {
        let answer = server.request("POST", "/api/rooms/r/join", &[("Origin", origin)], body).await;
        assert_eq!(answer.status, 403, "{origin}");
    }
    assert_eq!(server.request("POST", "/api/rooms/r/join", &[], body).await.status, 403);
}

#[tokio::test]
async fn names_are_checked_and_bodies_are_small() {
    let server = server().await;
    for body in ["", "[]", "{}", r#"{"name":""}"#, r#"{"name":"  "}"#, r#"{"name":"a\u0000"}"#, r#"{"name":5}"#] {
        assert_eq!(ask(&server, "r", &[], body).await.status, 400, "{body}");
    }
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(257));
    assert_eq!(ask(&server, "r", &[], &long).await.status, 400);
    assert_eq!(ask(&server, "r", &[], &"x".repeat(100_000)).await.status, 400);
    for room in ["websocket", "longpoll", "%00", &"x".repeat(257)] {
        assert_eq!(ask(&server, room, &[], r#"{"name":"Ann"}"#).await.status, 400, "{room}");
    }
}

#[tokio::test]
async fn an_address_that_asks_too_often_waits() {
    let server = server().await;
    let mut last = 200;
    for _ in 0..80 {
        last = ask(&server, "r", &[], r#"{"name":"Ann"}"#).await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn browsers_get_the_page_and_others_the_health() {
    let server = server().await;
    let html = [("Accept", "text/html,application/xhtml+xml")];
    for path in ["/", "/residence", "/room/rtc", "/room/residence?display_name=x"] {
        let page = server.get(path, &html).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
    let health = server.get("/", &[]).await;
    assert_eq!((health.status, health.body.as_str()), (200, "OK"));
    assert_eq!(server.request("HEAD", "/", &[], b"").await.status, 200);
    for path in ["/residence", "/room/websocket", "/room/longpoll"] {
        assert_eq!(server.get(path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/room/websocket", &html).await.status, 404);
}

#[tokio::test]
async fn q_21_no_path_leads_out_of_the_page() {
    // Q-21
    let server = server().await;
    let ways_up = ["..", "%2e%2e", "%2E%2E", "..%2f", "..%5c", ".%2e", "%252e%252e", "....//", "%c0%ae%c0%ae", "%00.."];
    let targets = ["etc/passwd", "Cargo.toml", "..%2f..%2fetc%2fpasswd", "C:%5cWindows%5cwin.ini", "index.html%00.js"];
    let nowhere = server.get("/assets/nothing", &[]).await.body;
    for up in ways_up {
        for depth in 1..=6 {
            for target in targets {
                for prefix in ["/assets/", "/", "/room/", "//"] {
                    let path = format!("{prefix}{}{target}", format!("{up}/").repeat(depth));
                    let answer = server.get(&path, &[]).await;
                    assert!(matches!(answer.status, 400 | 404), "{path} {}", answer.status);
                    if answer.status == 404 {
                        assert_eq!(answer.body, nowhere, "{path}");
                    }
                }
            }
        }
    }
}
