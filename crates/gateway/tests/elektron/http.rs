//! Stored messages (E-14), the video webhook (E-15), CORS (E-19).

use crate::harness::{Answer, SECRET, Server, message, token_rooms};
use serde_json::{Value, json};

const OPEN: &str = "/messages?secret=open%20sesame";

fn kept(flag: &str, kind: &str, room: &str, value: Value) -> Value {
    let mut message = message(kind, room, "a", value);
    message[flag] = json!(true);
    message
}

#[tokio::test]
async fn e_14_messages_that_ask_for_it_are_stored() {
    // E-14
    let server = Server::start().await;
    let mut alice = server.open().await;
    let said = [
        kept("store", "ANYTHING", "first", json!(1)),
        kept("history", "CHAT", "first", json!("two")),
        kept("save", "SENSOR", "second", json!([3])),
        kept("store", "ANYTHING", "", json!(4)),
    ];
    for message in &said {
        alice.say(message.clone()).await;
        assert_eq!(alice.hears_type(message["type"].as_str().unwrap()).await, *message);
    }
    for value in [json!(false), json!(1), json!("true"), Value::Null] {
        let mut not = message("ANYTHING", "first", "a", json!("not kept"));
        not["store"] = value;
        alice.say(not).await;
        alice.hears_type("ANYTHING").await;
    }
    let get = async |query: &str| server.get(&format!("{OPEN}{query}")).await.json();
    assert_eq!(get("").await, json!(said), "oldest first");
    assert_eq!(get("&type=ANYTHING").await, json!([said[0], said[3]]));
    assert_eq!(get("&channel=first").await, json!([said[0], said[1]]));
    assert_eq!(get("&channel=first&type=CHAT").await, json!([said[1]]));
    assert_eq!(get("&channel=nowhere").await, json!([]));
    assert_eq!(server.get("/history").await.json(), json!(said));
    assert_eq!(server.get("/history?type=SENSOR").await.json(), json!([said[2]]));
    let answer = server.get("/messages/clear?secret=open%20sesame").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
    assert_eq!(get("").await, json!([]));
}

#[tokio::test]
async fn e_14_what_is_stored_is_there_before_it_is_heard_and_after_a_restart() {
    // E-14
    let store = {
        let server = Server::start().await;
        let (mut alice, mut bob) = (server.open().await, server.open().await);
        let text = r#"{"type":"ANYTHING", "channel":"first","value":"\u00f5","store":true}"#;
        for _ in 0..20 {
            alice.say_text(text).await;
            bob.hears_type("ANYTHING").await;
        }
        let stored = server.get(OPEN).await;
        assert_eq!(stored.json().as_array().map(Vec::len), Some(20));
        assert!(stored.body.contains(text), "as it was written: {}", stored.body);
        server.store
    };
    let server = Server::start_with(|setting| setting.store = Some(store)).await;
    assert_eq!(server.get(OPEN).await.json().as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn e_14_without_the_secret_nothing_is_told() {
    // E-14
    let server = Server::start().await;
    let open = Server::start_with(|setting| setting.bus.secret = None).await;
    for path in
        ["/messages", "/messages?secret=", "/messages?secret=open", "/messages/clear", "/messages/clear?secret=x"]
    {
        for server in [&server, &open] {
            let answer = server.get(path).await;
            assert_eq!((answer.status, answer.body.as_str()), (403, "No access"), "{path}");
        }
    }
    assert_eq!(open.get(OPEN).await.status, 403, "where none is configured none is right");
}

#[tokio::test]
async fn e_14_ten_wrong_guesses_a_minute() {
    // E-14
    let server = Server::start().await;
    for _ in 0..20 {
        assert_eq!(server.get(OPEN).await.status, 200, "who knows it may ask as often as they like");
    }
    for guess in 0..10 {
        assert_eq!(server.get(&format!("/messages?secret={guess}")).await.status, 403);
    }
    assert_eq!(server.get("/messages?secret=11").await.status, 429);
    assert_eq!(server.get(OPEN).await.status, 429, "not even the right one is heard");
    assert_eq!(server.request("POST", "/webhooks/video?secret=x", JSON, b"{}").await.status, 429);
}

#[tokio::test]
async fn e_14_rooms_are_made_sparingly_and_what_is_said_goes_on() {
    // E-14
    let server = Server::start_with(|setting| setting.bus.max_rooms = 3).await;
    let mut alice = server.open().await;
    let mut refused = 0;
    for room in 0..6 {
        alice.say(kept("store", "ANYTHING", &format!("r{room}"), json!(room))).await;
        loop {
            let heard = alice.hear().await;
            if heard["type"] == "ERROR" {
                refused += 1;
            } else {
                assert_eq!(heard["value"], room);
                break;
            }
        }
    }
    assert_eq!(refused, 3);
    assert_eq!(server.get(OPEN).await.json().as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn e_14_an_address_makes_so_many_rooms_a_minute() {
    // E-14
    let server = Server::start_with(|setting| setting.bus.messages_per_s = 1_000).await;
    let mut alice = server.open().await;
    for room in 0..61 {
        alice.say(message("CHANNEL_USER_UPDATE", &format!("r{room}"), "a", json!({"userX": 1}))).await;
    }
    let told = alice.hears_type("ERROR").await;
    assert_eq!(
        (&told["channel"], told["value"].as_str().unwrap().contains("too many new rooms")),
        (&json!("r60"), true)
    );
    assert_eq!(alice.hears("CHANNEL_USER_UPDATE", "r60").await["channel"], "r60");
}

#[tokio::test]
async fn e_14_logs_are_bounded() {
    // E-14
    let server = Server::start_with(|setting| {
        setting.bus.kept = store::Retention { entries: 5, bytes: 0, family_bytes: 4_000 };
    })
    .await;
    let mut alice = server.open().await;
    for number in 0..10 {
        alice.say(kept("store", "ANYTHING", "first", json!(number))).await;
        alice.hears_type("ANYTHING").await;
    }
    let values = |answer: Answer| -> Vec<Value> {
        answer.json().as_array().unwrap().iter().map(|message| message["value"].clone()).collect()
    };
    assert_eq!(values(server.get(OPEN).await), [5, 6, 7, 8, 9]);
    alice.say(kept("store", "ANYTHING", "second", json!("x".repeat(3_500)))).await;
    alice.hears_type("ANYTHING").await;
    let left = server.get(&format!("{OPEN}&channel=first")).await.json().as_array().map(Vec::len);
    assert!(left < Some(5), "the oldest of all rooms went: {left:?}");
}

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

#[tokio::test]
async fn e_15_a_video_webhook_is_stored_and_sent() {
    // E-15
    let server = Server::start().await;
    let mut alice = server.open().await;
    let body = br#"{"channel":"residence", "url":"https://x.example/1.m3u8","n":1.50}"#;
    let answer = server.request("POST", "/webhooks/video?secret=open%20sesame", JSON, body).await;
    let body = std::str::from_utf8(body).unwrap();
    assert_eq!((answer.status, answer.body), (200, format!(r#"{{"status":200,"received":{body}}}"#)));
    let heard = alice.hears_type("VIDEO").await;
    assert_eq!((&heard["channel"], &heard["store"]), (&json!("residence"), &json!(true)));
    assert_eq!(heard["value"], serde_json::from_str::<Value>(body).unwrap());
    assert_eq!(server.get(&format!("{OPEN}&type=VIDEO")).await.json(), json!([heard]));
    for nameless in [&b"{\"a\":1}"[..], b"[1]", b"5", br#"{"channel":7}"#, br#"{"channel":""}"#] {
        assert_eq!(server.request("POST", "/webhooks/video?secret=open%20sesame", JSON, nameless).await.status, 200);
        assert_eq!(alice.hears_type("VIDEO").await["channel"], "elektron");
    }
}

#[tokio::test]
async fn e_15_a_video_webhook_that_is_none_is_told_why() {
    // E-15
    let server = Server::start_with(token_rooms).await;
    let right = "/webhooks/video?secret=open%20sesame";
    let post = async |path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = server.request("POST", path, headers, body).await;
        (answer.status, answer.body)
    };
    let no = |text: &str| (403, text.to_owned());
    assert_eq!(post(right, &[], b"").await, no("No application/json payload"));
    assert_eq!(post(right, JSON, b"").await, no("No application/json payload"));
    assert_eq!(post(right, &[("Content-Type", "text/plain")], b"{}").await, no("No application/json payload"));
    assert_eq!(post(right, JSON, b"{").await, no("No application/json payload"));
    assert_eq!(post(right, JSON, &vec![b' '; 300_000]).await, no("No application/json payload"));
    assert_eq!(post("/webhooks/video", JSON, b"{}").await, no("No ?secret="));
    assert_eq!(post("/webhooks/video?secret=wrong", JSON, b"{}").await, no("No access"));
    assert_eq!(post(right, JSON, br#"{"channel":"stage"}"#).await.0, 404, "a token room is none");
    let none = Server::start_with(|setting| setting.bus.secret = None).await;
    assert_eq!(none.request("POST", right, JSON, b"{}").await.body, "No access");
    assert!(!SECRET.is_empty());
}

#[tokio::test]
async fn e_19_pages_of_any_origin_may_read_it() {
    // E-19
    let server = Server::start().await;
    for path in ["/messages", "/messages?secret=x", OPEN, "/messages/clear?secret=x", "/history"] {
        let answer = server.request("GET", path, &[("Origin", "https://elektron.live")], b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    for path in ["/messages", "/messages/clear", "/history", "/webhooks/video"] {
        let asked = [("Origin", "https://elektron.live"), ("Access-Control-Request-Method", "POST")];
        let answer = server.request("OPTIONS", path, &asked, b"").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert!(answer.header("access-control-allow-headers").is_some_and(|all| all.contains("content-type")));
    }
}

/// Q-23: what is kept is told as data, never as a page.
#[tokio::test]
async fn q_23_stored_markup_is_json_and_nothing_else() {
    // Q-23
    let server = Server::start().await;
    let mut alice = server.open().await;
    let payload = "</script><img src=x onerror=alert(1)>";
    alice.say(kept("store", "ANYTHING", payload, json!(payload))).await;
    alice.hears_type("ANYTHING").await;
    for path in [OPEN, "/history"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        assert_eq!(answer.json()[0]["value"], payload);
    }
}
