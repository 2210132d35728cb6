//! Floods and malformed sockets (limits of elektron.md, Q-18).

use crate::harness::{Server, message};
use futures_util::StreamExt as _;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_flood_gets_an_error_and_then_1008() {
    let server = Server::start().await;
    let (mut alice, mut bob) = (server.open().await, server.open().await);
    for number in 0..400 {
        if !alice.try_send(Message::Text(message("ANYTHING", "r", "a", json!(number)).to_string().into())).await {
            break;
        }
    }
    let mut last = String::new();
    loop {
        match alice.frame().await {
            Some(Message::Text(text)) => last = text.to_string(),
            Some(Message::Close(frame)) => {
                assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1008));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(last.contains("ERROR") && last.contains("too many messages"), "{last}");
    bob.say_text("still here").await;
    while bob.frame().await != Some(Message::Text("still here".into())) {}
}

#[tokio::test]
async fn a_burst_is_no_flood() {
    let server = Server::start().await;
    let mut alice = server.open().await;
    for number in 0..250 {
        alice.say(message("ANYTHING", "r", "a", json!(number))).await;
    }
    for number in 0..250 {
        assert_eq!(alice.hear().await["value"], number);
    }
}

#[tokio::test]
async fn a_message_over_the_limit_gets_an_error_and_then_1008() {
    let server = Server::start_with(|setting| setting.bus.frame_bytes = 10_000).await;
    for large in [Message::Text("x".repeat(10_001).into()), Message::Binary(vec![0; 10_001].into())] {
        let mut alice = server.open().await;
        alice.try_send(large).await;
        let told = alice.hears_type("ERROR").await;
        assert_eq!(told["value"], "the message is too large");
        assert_eq!(alice.close_code().await, Some(1008));
    }
    let mut alice = server.open().await;
    alice.say_text(&"x".repeat(10_000)).await;
    assert!(alice.frame().await.is_some());
}

/// A socket that writes frames by hand.
async fn raw(server: &Server) -> TcpStream {
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

/// Writes these bytes again and again until the server hangs up; says how long that took, and what it said.
async fn floods(mut stream: TcpStream, first: &[u8], bytes: &[u8]) -> (Duration, Vec<u8>) {
    let start = Instant::now();
    stream.write_all(first).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut heard = Vec::new();
    let writing = async {
        while writer.write_all(bytes).await.is_ok() {}
        std::future::pending::<()>().await;
    };
    let reading = async {
        let mut buf = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut buf).await {
            if heard.len() < 1_000_000 {
                heard.extend_from_slice(&buf[..count]);
            }
        }
    };
    timeout(Duration::from_secs(30), async {
        tokio::select! { () = writing => {}, () = reading => {} }
    })
    .await
    .expect("hung up in time");
    (start.elapsed(), heard)
}

/// Masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

#[tokio::test]
async fn q_18_endless_and_tiny_frames_are_closed_in_time() {
    // Q-18
    let server = Server::start_with(|setting| setting.bus.frame_bytes = 128 * 1024).await;
    let mut bob = server.open().await;
    let cases: [(&str, Vec<u8>, Vec<u8>); 6] = [
        ("endless continuation", frame(0x01, b"x"), frame(0x00, &[b'x'; 100])),
        ("endless empty continuation", frame(0x01, b"x"), frame(0x00, b"").repeat(100)),
        ("a million tiny messages", Vec::new(), frame(0x81, b"x").repeat(100)),
        ("a million empty messages", Vec::new(), frame(0x82, b"").repeat(100)),
        ("a million pings", Vec::new(), frame(0x89, b"x").repeat(100)),
        ("a million pongs", Vec::new(), frame(0x8A, b"x").repeat(100)),
    ];
    for (name, first, rest) in cases {
        let (took, _) = floods(raw(&server).await, &first, &rest).await;
        assert!(took < Duration::from_secs(15), "{name}: {took:?}");
    }
    while let Some(Some(_)) = futures_util::FutureExt::now_or_never(bob.socket.next()) {}
    bob.say(message("ANYTHING", "r", "b", json!("well"))).await;
    while bob.hear_any().await != Some("well".into()) {}
}

#[tokio::test]
async fn q_18_what_is_no_websocket_is_closed() {
    // Q-18
    let server = Server::start().await;
    for (name, bytes) in [
        ("not masked", vec![0x81, 1, b'x']),
        ("reserved bits", frame(0xF1, b"x")),
        ("unknown opcode", frame(0x83, b"x")),
        ("continuation of nothing", frame(0x80, b"x")),
        ("fragmented ping", frame(0x09, b"x")),
        ("no UTF-8", frame(0x81, &[0xff, 0xfe])),
        ("a frame of 2^63 bytes", vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        let mut stream = raw(&server).await;
        stream.write_all(&bytes).await.unwrap();
        let mut rest = Vec::new();
        let ended = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn a_goodbye_is_answered() {
    let server = Server::start().await;
    let mut stream = raw(&server).await;
    stream.write_all(&frame(0x88, &[0x03, 0xE8])).await.unwrap();
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, [0x88, 2, 0x03, 0xE8]);
}

/// Q-20: a flood of nonsense tokens opens nothing; each is refused before the socket.
#[tokio::test]
async fn q_20_nonsense_tokens_are_refused() {
    // Q-20
    let server = Server::start().await;
    let long = "x".repeat(20_000);
    for token in ["x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", long.as_str()] {
        let answer = server.try_open(&format!("/?access_token={token}"), &[]).await.err().expect("no socket");
        assert_eq!(answer.status, 401);
    }
}
