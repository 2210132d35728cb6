//! One chat for all gateways (E-07).

use crate::harness::{Server, message};
use room::{ChatPost, ChatRules, Identity, Moderation, Origin};
use serde_json::{Value, json};
use std::time::Duration;

fn post(author: Identity, text: &str) -> ChatPost {
    ChatPost { author, name: "Alice".into(), text: text.into(), id: Some("uuid-1".into()), frame: None }
}

#[tokio::test]
async fn e_07_what_others_say_is_chat_on_the_bus() {
    // E-07
    let server = Server::start().await;
    let mut bob = server.person("foyer", "bob").await;
    server.room_holds("foyer", &["bus:bob"]).await;
    let room = server.registry().find("foyer").unwrap();
    room.chat(post(Identity::token("alice"), "tere \"kõik\"")).await.unwrap().unwrap();
    let heard = bob.hears_type("CHAT").await;
    let expected = json!({
        "id": "uuid-1", "datetime": heard["datetime"], "type": "CHAT", "channel": "foyer",
        "userId": "token:alice", "userName": "Alice", "value": "tere \"kõik\"",
    });
    assert_eq!(heard, expected);
    assert!(heard["datetime"].as_str().is_some_and(|text| text.len() == 24 && text.ends_with('Z')), "{heard}");
    let mut carol = server.open().await;
    carol.say(message("CHANNEL_JOIN", "foyer", "carol", Value::Null)).await;
    assert_eq!(carol.hears_type("CHAT_SYNC").await["value"], json!([expected]));
}

#[tokio::test]
async fn e_07_what_the_bus_says_is_chat_for_others() {
    // E-07
    let server = Server::start().await;
    let mut bob = server.open().await;
    bob.say(message("CHAT", "foyer", "bob", json!("tere"))).await;
    bob.say(message("CHAT", "foyer", "bob", json!({"x": 1}))).await;
    bob.say(message("CHAT", "foyer", "", json!("nobody"))).await;
    for _ in 0..3 {
        bob.hears_type("CHAT").await;
    }
    let history = server.registry().chat_history("foyer", 10).await.unwrap();
    let said: Vec<_> =
        history.iter().map(|said| (said.author.origin, said.name.as_str(), said.text.as_str())).collect();
    assert_eq!(said, [(Origin::Bus, "BOB", "tere"), (Origin::Bus, "BOB", r#"{"x":1}"#), (Origin::Bus, "", "nobody")]);
    assert_eq!(&*history[0].author.id, "bob");
    assert!(history[2].author.id.starts_with("nameless-"));
}

#[tokio::test]
async fn whoever_may_not_write_is_told_and_nobody_hears_it() {
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.person("foyer", "alice").await, server.person("foyer", "bob").await);
    server.room_holds("foyer", &["bus:alice", "bus:bob"]).await;
    let room = server.registry().find("foyer").unwrap();
    let identity = Identity { origin: Origin::Bus, id: "bob".into() };
    let mute = Moderation::Mute { identity: identity.clone(), muted: true };
    let closed = Moderation::SetRules(ChatRules { closed: true, slow_mode_s: 0 });
    let slow = Moderation::SetRules(ChatRules { closed: false, slow_mode_s: 60 });
    let unmute = Moderation::Mute { identity, muted: false };
    for (orders, refusal) in [(vec![mute], "muted"), (vec![unmute, closed], "closed")] {
        for order in orders {
            room.moderate(order).await.unwrap().unwrap();
        }
        bob.say(message("CHAT", "foyer", "bob", json!("tere"))).await;
        let told = bob.hears_type("ERROR").await;
        assert!(told["value"].as_str().unwrap().contains(refusal), "{told}");
    }
    room.moderate(slow).await.unwrap().unwrap();
    for text in ["one", "two"] {
        bob.say(message("CHAT", "foyer", "bob", json!(text))).await;
    }
    assert_eq!(bob.hears_type("CHAT").await["value"], "one");
    assert!(bob.hears_type("ERROR").await["value"].as_str().unwrap().contains("slow mode"));
    let heard = alice.hears_until_now().await;
    let chat: Vec<_> = heard.iter().filter(|heard| heard["type"] == "CHAT").map(|heard| &heard["value"]).collect();
    assert_eq!(chat, ["one"]);
    bob.say(message("ANYTHING", "foyer", "bob", json!("anything else goes"))).await;
    assert_eq!(alice.hears_type("ANYTHING").await["value"], "anything else goes");
}

#[tokio::test]
async fn what_moderators_take_away_is_told() {
    let server = Server::start().await;
    let mut alice = server.open().await;
    alice.say(message("CHAT", "foyer", "alice", json!("rude"))).await;
    alice.hears_type("CHAT").await;
    let room = server.registry().find("foyer").unwrap();
    room.moderate(Moderation::DeleteMessage { id: "abcdefghijklmnop".into() }).await.unwrap().unwrap();
    let told = alice.hears_type("CHAT_DELETED").await;
    assert_eq!((&told["channel"], &told["value"]), (&json!("foyer"), &json!("abcdefghijklmnop")));
    room.moderate(Moderation::ClearChat).await.unwrap().unwrap();
    assert_eq!(alice.hears_type("CHAT_CLEARED").await["channel"], "foyer");
    alice.say(message("CHANNEL_JOIN", "foyer", "alice", Value::Null)).await;
    assert_eq!(alice.hears_type("CHAT_SYNC").await["value"], json!([]));
}

#[tokio::test]
async fn a_message_that_is_too_long_for_a_chat_is_refused() {
    let server = Server::start().await;
    let mut alice = server.open().await;
    alice.say(message("CHAT", "foyer", "alice", json!("x".repeat(20_000)))).await;
    assert_eq!(alice.hear().await["type"], "ERROR");
    alice.say(message("CHAT", "", "alice", json!("x".repeat(20_000)))).await;
    assert_eq!(alice.hear().await["type"], "CHAT", "without a room it is nobody's chat, and passed on");
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn e_14_chat_is_stored_before_it_is_acknowledged_and_not_at_all_if_it_is_refused() {
    // E-07, E-14
    let server = Server::start().await;
    let mut bob = server.person("foyer", "bob").await;
    let room = server.registry().find("foyer").unwrap();
    let stored = |text: &str| {
        let mut chat = message("CHAT", "foyer", "bob", json!(text));
        chat["store"] = json!(true);
        chat
    };
    let kept = || async { server.get("/messages?secret=open%20sesame&channel=foyer").await.json() };
    bob.say(stored("tere")).await;
    assert_eq!(bob.hears_type("CHAT").await["value"], "tere");
    assert_eq!(kept().await[0]["value"], "tere", "what has come back is there");
    let closed = Moderation::SetRules(ChatRules { closed: true, slow_mode_s: 0 });
    room.moderate(closed).await.unwrap().unwrap();
    bob.say(stored("once more")).await;
    bob.hears_type("ERROR").await;
    assert_eq!(kept().await.as_array().unwrap().len(), 1);
}
