//! The live audience (E-11).

use crate::harness::{Server, message};
use serde_json::{Value, json};

fn image(number: usize) -> Value {
    json!(format!("data:image/jpeg;base64,{number:0>8000}"))
}

#[tokio::test]
async fn e_11_images_go_to_everybody_the_sender_included() {
    // E-11
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    for (kind, value) in [("IMAGE_JOIN", json!("")), ("IMAGE", image(1)), ("IMAGE_LEAVE", json!(""))] {
        let said = message(kind, "r", "alice", value);
        alice.say(said.clone()).await;
        assert_eq!((alice.hear().await, bob.hear().await), (said.clone(), said));
    }
}

/// A socket that reads nothing for a while skips older images and misses no chat.
#[tokio::test]
async fn e_11_a_slow_socket_skips_images_and_never_chat() {
    // E-11
    let server = Server::start_with(|setting| setting.bus.messages_per_s = 10_000).await;
    let (mut alice, mut slow) = (server.open().await, server.open().await);
    // More than the kernel's buffers hold.
    const IMAGES: usize = 2_000;
    for number in 0..IMAGES {
        alice.say(message("IMAGE", "r", &format!("u{}", number % 4), image(number))).await;
        alice.hears_type("IMAGE").await;
        if number % 100 == 0 {
            alice.say(message("CHAT", "r", "alice", json!(number))).await;
            alice.hears_type("CHAT").await;
        }
    }
    let (mut images, mut chat) = (Vec::new(), Vec::new());
    let last = |images: &[Value], user: &str| {
        images.iter().rev().find(|image: &&Value| image["userId"] == user).map(|image| image["value"].clone())
    };
    while (0..4).any(|user| last(&images, &format!("u{user}")) != Some(image(IMAGES - 4 + user))) {
        let heard = slow.hear().await;
        match heard["type"].as_str() {
            Some("IMAGE") => images.push(heard),
            Some("CHAT") => chat.push(heard["value"].as_u64().unwrap() as usize),
            _ => {}
        }
    }
    assert!(images.len() < IMAGES - 100, "some were skipped: {}", images.len());
    assert_eq!(chat, (0..IMAGES).step_by(100).collect::<Vec<_>>());
}

#[tokio::test]
async fn e_11_an_image_that_is_no_image_is_passed_on_too() {
    // E-11, E-12
    let server = Server::start().await;
    let mut alice = server.open().await;
    for value in [json!(5), json!("javascript:alert(1)"), json!({"a": 1}), json!("data:text/html,<script>")] {
        alice.say(message("IMAGE", "r", "alice", value.clone())).await;
        assert_eq!(alice.hear().await["value"], value);
    }
}
