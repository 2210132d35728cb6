//! Who hears what (E-01, E-12).

use crate::harness::{Server, message};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn e_01_every_message_comes_back_to_all_byte_for_byte() {
    // E-01, E-12
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    let odd = [
        r#"{"type":"ANYTHING", "channel" : "residence","value":{"b":1,"a":[1.50,1e3,"\u00f5"]},"mine":true}"#,
        r#"{"channel":"residence","type":"FLIP_THE_TABLE","userid":"m","username":"Max","value":null}"#,
        "[object Object]",
        "",
        "5",
        r#"{"type":"ANYTHING","channel":"residence","value":"half a \ud83d pair"}"#,
    ];
    for text in odd {
        alice.say_text(text).await;
        for client in [&mut alice, &mut bob] {
            assert_eq!(client.frame().await, Some(Message::Text(text.into())), "{text}");
        }
    }
    for bytes in [&br#"{"type":"ANYTHING","channel":"residence","value":1}"#[..], &[0xff, 0, 1, 2]] {
        alice.send(Message::Binary(bytes.into())).await;
        for client in [&mut alice, &mut bob] {
            assert_eq!(client.frame().await, Some(Message::Binary(bytes.into())));
        }
    }
}

#[tokio::test]
async fn e_01_an_empty_binary_frame_is_never_sent() {
    // E-01
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    alice.send(Message::Binary(Default::default())).await;
    alice.say_text("after it").await;
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.frame().await, Some(Message::Text("after it".into())));
    }
}

#[tokio::test]
async fn e_01_sizes_up_to_the_limit_pass_whole() {
    // E-01: one frame for each length that WebSocket writes in another way.
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    for length in [0, 64, 125, 126, 127, 65_535, 65_536, 500_000, 1024 * 1024 - 100] {
        let text = json!({ "type": "ANYTHING", "channel": "r", "value": "x".repeat(length) }).to_string();
        alice.say_text(&text).await;
        assert_eq!(bob.frame().await, Some(Message::Text(text.as_str().into())), "{length}");
        assert_eq!(alice.frame().await, Some(Message::Text(text.as_str().into())), "{length}");
    }
}

#[tokio::test]
async fn e_01_messages_of_one_sender_come_in_their_order() {
    // E-01
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    for number in 0..200 {
        let kind = ["ANYTHING", "CHAT", "LIKE", "CHANNEL_LEAVE"][number % 4];
        alice.say(message(kind, "r", "a", json!(number))).await;
    }
    let mut numbers = Vec::new();
    while numbers.len() < 200 {
        numbers.extend(bob.hear().await["value"].as_u64());
    }
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[tokio::test]
async fn e_01_a_url_narrows_a_socket_to_rooms() {
    // E-01
    let server = Server::start().await;
    let mut alice = server.open().await;
    let mut narrow = server.open_with("/?channel=a,b%20c", &[]).await;
    for room in ["a", "x", "b c", ""] {
        alice.say(message("ANYTHING", room, "a", json!(room))).await;
    }
    assert_eq!(narrow.hear().await["channel"], "a");
    assert_eq!(narrow.hear().await["channel"], "b c");
    narrow.say(message("ANYTHING", "x", "n", json!("mine"))).await;
    assert_eq!(narrow.hear().await["value"], "mine");
}

#[tokio::test]
async fn e_01_a_name_that_no_room_can_have_is_refused() {
    // E-01
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    alice.say(message("ANYTHING", &"x".repeat(257), "a", json!(1))).await;
    alice.say(message("ANYTHING", "fine", "a", json!(2))).await;
    assert_eq!(alice.hear().await["type"], "ERROR");
    assert_eq!(bob.hear().await["value"], 2);
}
