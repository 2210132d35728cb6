//! Sockets that close and come back (E-04), with the clock in our hands, and the keep-alive (E-17).

use crate::harness::{Client, Server, message};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{advance, pause, resume};
use tokio_tungstenite::tungstenite::Message;

/// Lets the clock run in steps, so that what falls due meanwhile is done in its order.
async fn pass(seconds: u32) {
    pause();
    for _ in 0..seconds {
        advance(Duration::from_secs(1)).await;
        // Sockets are real: what was written is read in a later turn of the runtime.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    resume();
}

/// Who is in the room, as its task knows.
async fn holds(server: &Server, room: &str, users: &[&str]) {
    server.room_holds(room, users).await;
}

/// A client closes, and the server has seen it.
async fn close(mut client: Client) {
    client.socket.close(None).await.unwrap();
    while let Some(Ok(_)) = client.socket.next().await {}
}

#[tokio::test]
async fn e_04_a_socket_that_closes_leaves_after_half_a_minute() {
    // E-04
    let server = Server::start().await;
    let alice = server.person("first", "alice").await;
    holds(&server, "first", &["bus:alice"]).await;
    close(alice).await;
    pass(28).await;
    holds(&server, "first", &["bus:alice"]).await;
    pass(4).await;
    holds(&server, "first", &[]).await;
}

#[tokio::test]
async fn e_04_a_page_that_comes_back_without_a_word_is_known_by_its_cookie() {
    // E-04
    let server = Server::start().await;
    let alice = server.person("first", "alice").await;
    let cookie = alice.cookie().expect("one is given").to_owned();
    close(alice).await;
    pass(20).await;
    let back = server.open_with("/", &[("cookie", &format!("other=1; {cookie}")), ("user-agent", "another")]).await;
    assert_eq!(back.cookie(), None, "it has one");
    pass(18).await;
    let mut bob = server.person("first", "bob").await;
    bob.sees("first", &["alice", "bob"]).await;
}

#[tokio::test]
async fn e_04_a_page_whose_new_socket_is_there_before_the_old_one_says_goodbye_stays() {
    // E-04: `reconnect()` closes and opens at once, and which comes first is chance.
    let server = Server::start().await;
    let alice = server.person("first", "alice").await;
    let cookie = alice.cookie().expect("one is given").to_owned();
    let back = server.open_with("/", &[("cookie", &cookie), ("user-agent", "another")]).await;
    close(alice).await;
    pass(40).await;
    holds(&server, "first", &["bus:alice"]).await;
    drop(back);
}

#[tokio::test]
async fn e_04_a_client_without_cookies_is_known_by_address_and_program() {
    // E-04
    let server = Server::start().await;
    for (agent, stays) in [("sketch/1", true), ("sketch/2", false)] {
        let user = if stays { "alice" } else { "carol" };
        let mut alice = server.open_with("/", &[("user-agent", "sketch/1")]).await;
        alice.join("first", user).await;
        close(alice).await;
        pass(5).await;
        let back = server.open_with("/", &[("user-agent", agent)]).await;
        pass(40).await;
        let expected: &[&str] = if stays { &["bus:alice"] } else { &[] };
        holds(&server, "first", expected).await;
        drop(back);
        pass(40).await;
    }
}

#[tokio::test]
async fn e_04_whoever_speaks_is_known_by_their_user_id() {
    // E-04
    for kind in ["CHAT", "ANYTHING", "CHANNEL_USER_UPDATE", "LIKE", "IMAGE"] {
        let server = Server::start().await;
        let mut alice = server.open_with("/", &[("cookie", "odeon_visitor=00000000000000000000000000000001")]).await;
        alice.join("first", "alice").await;
        close(alice).await;
        let mut back = server.open_with("/", &[("user-agent", "another")]).await;
        back.say(message(kind, "second", "alice", json!({"userX": 1}))).await;
        back.hears_type(kind).await;
        pass(40).await;
        holds(&server, "first", &["bus:alice"]).await;
    }
}

#[tokio::test]
async fn e_04_a_leave_is_a_leave() {
    // E-04
    let server = Server::start().await;
    let mut alice = server.person("first", "alice").await;
    let mut bob = server.person("first", "bob").await;
    alice.say(message("CHANNEL_LEAVE", "first", "alice", Value::Null)).await;
    bob.hears_type("CHANNEL_LEAVE").await;
    bob.sees("first", &["bob"]).await;
    holds(&server, "first", &["bus:bob"]).await;
}

#[tokio::test]
async fn e_17_silent_sockets_are_pinged_and_dead_ones_dropped() {
    // E-17
    let server = Server::start().await;
    let mut alice = server.open().await;
    alice.join("first", "alice").await;
    let mut dead = deaf_socket(&server).await;
    pause();
    let mut pings = 0;
    for _ in 0..70 {
        advance(Duration::from_secs(1)).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        // Reading answers the ping.
        while let Some(Some(frame)) = futures_util::FutureExt::now_or_never(alice.socket.next()) {
            pings += u32::from(matches!(frame, Ok(Message::Ping(_))));
        }
        alice.socket.flush().await.unwrap();
    }
    resume();
    assert!((2..=4).contains(&pings), "{pings}");
    alice.say_text("alive").await;
    assert_eq!(alice.frame().await, Some(Message::Text("alive".into())));
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), dead.read_to_end(&mut rest)).await.expect("dropped").unwrap();
    assert!(rest.windows(2).any(|two| two == [0x89, 0]), "it was pinged before");
}

#[tokio::test]
async fn e_17_a_ping_is_answered() {
    // E-17
    let server = Server::start().await;
    let mut alice = server.open().await;
    alice.send(Message::Ping(b"hello"[..].into())).await;
    assert_eq!(alice.socket.next().await.unwrap().unwrap(), Message::Pong(b"hello"[..].into()));
}

/// A socket that never answers anything.
async fn deaf_socket(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    stream
}
