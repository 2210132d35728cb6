//! The handshake, the cookie, and what else `/` is.

use crate::harness::Server;

#[tokio::test]
async fn the_same_address_is_a_page_a_health_answer_and_the_bus() {
    let server = Server::start().await;
    assert_eq!(server.get("/").await.body, "OK");
    assert!(server.request("GET", "/", &[("Accept", "text/html")], b"").await.body.contains("<html"));
    server.open().await;
}

#[tokio::test]
async fn the_handshake_is_the_standards() {
    let server = Server::start().await;
    let base = [
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let with =
        |name: &str, value: &'static str| base.map(|(key, kept)| if key == name { (key, value) } else { (key, kept) });
    for (name, value, status) in [
        ("Sec-WebSocket-Version", "8", 426),
        ("Sec-WebSocket-Key", "short", 400),
        ("Upgrade", "h2c", 400),
        ("X", "", 101),
    ] {
        let answer = raw(&server, &with(name, value)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {answer}");
    }
    let answer = raw(&server, &base).await.to_ascii_lowercase();
    assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
    assert!(!answer.contains("sec-websocket-extensions") && !answer.contains("sec-websocket-protocol"), "{answer}");
}

async fn raw(server: &Server, headers: &[(&str, &str)]) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    let mut head = "GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n".to_owned();
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    stream.write_all((head + "\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn e_04_the_cookie_is_for_us_alone() {
    // E-04
    let server = Server::start().await;
    let (one, two) = (server.open().await, server.open().await);
    let cookie = one.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert_ne!(one.cookie(), two.cookie());
    for odd in ["odeon_visitor=", "odeon_visitor=zz", "odeon_visitor=+0000000000000000000000000000001", "x=y"] {
        assert!(server.open_with("/", &[("cookie", odd)]).await.cookie().is_some(), "{odd}");
    }
}

/// any page may use the bus, and gets nothing by the browser's own rights.
#[tokio::test]
async fn q_19_any_page_may_open_a_socket_and_none_has_rights_by_itself() {
    //
    let server = Server::start().await;
    let operator = crate::harness::operator_token();
    let cookies =
        format!("odeon_operator={operator}; access_token={operator}; odeon_visitor=00000000000000000000000000000001");
    for origin in ["null", "https://evil.example", "http://127.0.0.1:1", "http://localhost", "https://elektron.live"] {
        let mut client = server.open_with("/", &[("origin", origin), ("cookie", &cookies)]).await;
        client.say(crate::harness::message("RESET", "", "", serde_json::json!(""))).await;
        assert_eq!(client.hear().await["value"], "this is for operators only", "{origin}");
    }
}
