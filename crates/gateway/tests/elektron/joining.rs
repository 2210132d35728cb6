//! What a newcomer is told (E-02), and what is kept for that (E-07, E-09, E-10).

use crate::harness::{Server, message, types};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn e_02_the_joiner_alone_gets_what_was_said_then_all_hear_of_the_join() {
    // E-02
    let server = Server::start().await;
    let mut bob = server.open().await;
    bob.say(message("CHAT", "first", "bob", json!("tere"))).await;
    assert_eq!(bob.hears_type("CHAT").await["value"], "tere");
    let mut alice = server.open().await;
    alice.say(message("CHANNEL_JOIN", "first", "mako", Value::Null)).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last: &Value| last["type"] != "CHANNELS_UPDATED") {
        heard.push(alice.hear().await);
    }
    assert_eq!(types(&heard), ["CHAT_SYNC", "LIKE_SYNC", "CHANNEL_JOIN", "CHANNELS_UPDATED"]);
    assert_eq!(heard[0]["channel"], "first");
    assert_eq!(heard[0]["value"], json!([message("CHAT", "first", "bob", json!("tere"))]));
    assert_eq!((&heard[1]["channel"], &heard[1]["value"]), (&json!("first"), &json!([])));
    assert_eq!(heard[3]["value"], json!({"first": {"users": {"mako": {"userName": "MAKO"}}}}));
    assert_eq!(
        (&heard[3]["channel"], &heard[3]["userId"], &heard[3]["userName"]),
        (&json!(""), &json!(""), &json!(""))
    );
    assert_eq!(types(&[bob.hear().await, bob.hear().await]), ["CHANNEL_JOIN", "CHANNELS_UPDATED"]);
}

#[tokio::test]
async fn e_07_e_09_e_10_chat_likes_and_hearts_are_kept_for_each_room() {
    // E-07, E-09, E-10
    let server = Server::start().await;
    let mut alice = server.open().await;
    let said = [
        message("CHAT", "first", "a", json!("one")),
        message("CHAT", "first", "a", json!({"any": ["json", 1]})),
        message("LIKE", "first", "a", json!("message id")),
        message("HEART", "first", "a", json!("")),
        message("CHAT", "second", "a", json!("elsewhere")),
        message("LIKE", "second", "a", json!(7)),
        message("ANYTHING", "first", "a", json!("not kept")),
    ];
    for message in &said {
        alice.say(message.clone()).await;
        assert_eq!(alice.hear().await, *message);
    }
    let mut bob = server.open().await;
    bob.say(message("CHANNEL_JOIN", "first", "bob", Value::Null)).await;
    assert_eq!(bob.hears_type("CHAT_SYNC").await["value"], json!([said[0], said[1]]));
    assert_eq!(bob.hears_type("LIKE_SYNC").await["value"], json!([said[2], said[3]]));
    bob.say(message("CHANNEL_JOIN", "second", "bob", Value::Null)).await;
    assert_eq!(bob.hears_type("CHAT_SYNC").await["value"], json!([said[4]]));
    assert_eq!(bob.hears_type("LIKE_SYNC").await["value"], json!([said[5]]));
}

#[tokio::test]
async fn e_02_e_07_what_was_said_outlives_the_server() {
    // E-02, E-07, E-09
    let store = {
        let server = Server::start().await;
        let mut alice = server.open().await;
        alice.say_text(r#"{"type" : "CHAT","channel":"first","userId":"a","value":"as it \u0077as"}"#).await;
        alice
            .send(Message::Binary(br#"{"type":"CHAT","channel":"first","userId":"a","value":"bytes"}"#[..].into()))
            .await;
        alice.say(message("LIKE", "first", "a", json!("x"))).await;
        alice.hears_type("LIKE").await;
        server.store
    };
    let server = Server::start_with(|setting| setting.store = Some(store)).await;
    let mut bob = server.open().await;
    bob.say(message("CHANNEL_JOIN", "first", "bob", Value::Null)).await;
    let Some(Message::Text(sync)) = bob.frame().await else { panic!() };
    assert!(sync.contains(r#"[{"type" : "CHAT","channel":"first","userId":"a","value":"as it \u0077as"},"#), "{sync}");
    let sync: Value = serde_json::from_str(&sync).unwrap();
    assert_eq!(sync["value"][1]["value"], "bytes");
    assert_eq!(bob.hears_type("LIKE_SYNC").await["value"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn e_07_chat_comes_back_as_it_was_written() {
    // E-07, E-01
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    let text = r#"{"type": "CHAT","channel":"first","id":"zzz","userId":"a","extra":[1, 2],"value":"tere"}"#;
    alice.say_text(text).await;
    alice.send(Message::Binary(text.as_bytes().to_vec().into())).await;
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.frame().await, Some(Message::Text(text.into())));
        assert_eq!(client.frame().await, Some(Message::Binary(text.as_bytes().to_vec().into())));
    }
}

#[tokio::test]
async fn e_02_a_long_history_is_cut_to_its_end() {
    // E-02
    let server = Server::start_with(|setting| setting.bus.messages_per_s = 10_000).await;
    let mut alice = server.open().await;
    for number in 0..600 {
        alice.say(message("CHAT", "first", "a", json!(format!("{number} {}", "x".repeat(500))))).await;
    }
    for _ in 0..600 {
        alice.hears_type("CHAT").await;
    }
    let mut bob = server.open().await;
    bob.say(message("CHANNEL_JOIN", "first", "bob", Value::Null)).await;
    let sync = bob.hears_type("CHAT_SYNC").await;
    let kept = sync["value"].as_array().unwrap();
    assert!(kept.len() < 500 && sync.to_string().len() < 256 * 1024, "{} of {}", kept.len(), sync.to_string().len());
    assert!(kept.last().unwrap()["value"].as_str().unwrap().starts_with("599 "));
}
