//! Engine.IO's other ways: polls, and from polls to a WebSocket; CORS for pages of any origin.

use crate::harness::{Answer, Client, Server, open};
use serde_json::{Value, json};

struct Poller<'a> {
    server: &'a Server,
    path: String,
}

impl<'a> Poller<'a> {
    async fn begin(server: &'a Server) -> Self {
        let first = server.get("/socket.io/?EIO=4&transport=polling").await.body;
        let open: Value = serde_json::from_str(first.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["upgrades"], json!(["websocket"]));
        let sid = open["sid"].as_str().unwrap();
        Self { server, path: format!("/socket.io/?EIO=4&transport=polling&sid={sid}") }
    }

    async fn poll(&self) -> String {
        self.server.get(&self.path).await.body
    }

    async fn post(&self, body: &str) -> Answer {
        self.server.request("POST", &self.path, &[], body.as_bytes()).await
    }
}

#[tokio::test]
async fn c_10_polls_carry_buffers_as_base64() {
    // C-10
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let auth = json!({ "id-token": ann.token, "livestream-id": livestream });
    let streamer = Poller::begin(&server).await;
    assert_eq!(streamer.post(&format!("40/streamer,{auth}")).await.body, "ok");
    let first = streamer.poll().await;
    let both = if first.contains("success") { first } else { format!("{first}\x1e{}", streamer.poll().await) };
    assert!(both.starts_with("40/streamer,{\"sid\"") && both.contains("connected as streamer"), "{both}");
    let mut listener = server.listener(&ann.token, &livestream).await;
    streamer.post("451-/streamer,[\"upload\",{\"_placeholder\":true,\"num\":0}]\x1ebAP8C").await;
    listener.hears_sound(&[0, 255, 2]).await;
    let other = Poller::begin(&server).await;
    other.post(&format!("40/listener,{auth}")).await;
    let mut heard = String::new();
    while !heard.contains("bAP8C") {
        heard += &other.poll().await;
    }
}

#[tokio::test]
async fn a_client_changes_from_polls_to_a_websocket_and_loses_nothing() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let poller = Poller::begin(&server).await;
    let url = format!("ws://{}{}", server.addr, poller.path.replace("polling", "websocket"));
    let mut client = Client { socket: open(&url, &[]).await };
    // A poll waits; it is answered with nothing, so that the client can go on.
    let waiting = poller.poll();
    let probing = async {
        client.say("2probe").await;
        client.text().await
    };
    let (polled, probed) = tokio::join!(waiting, probing);
    assert_eq!((polled.as_str(), probed.as_str()), ("6", "3probe"));
    client.say("5").await;
    client.join("/listener", &json!({ "id-token": ann.token, "livestream-id": "x" })).await;
    client.is_refused("Livestream x does not exist.").await;
    assert_eq!(poller.poll().await, "6", "polls get nothing any more");
}

#[tokio::test]
async fn a_probe_that_fails_leaves_the_polls_as_they_were() {
    let server = Server::start().await;
    let poller = Poller::begin(&server).await;
    let url = format!("ws://{}{}", server.addr, poller.path.replace("polling", "websocket"));
    let mut client = Client { socket: open(&url, &[]).await };
    client.say("2probe").await;
    assert_eq!(client.text().await, "3probe");
    client.socket.close(None).await.unwrap();
    poller.post("40").await;
    let mut heard = String::new();
    while !heard.contains("40{") {
        heard = poller.poll().await;
    }
}

#[tokio::test]
async fn what_is_no_engine_io_4_is_told_so() {
    let server = Server::start().await;
    for (query, code, message) in [
        ("EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("transport=polling", 5, "Unsupported protocol version"),
        ("EIO=4&transport=carrier_pigeon", 0, "Transport unknown"),
        ("EIO=4&transport=polling&sid=unknown", 1, "Session ID unknown"),
        ("EIO=4&transport=websocket", 3, "Bad request"),
    ] {
        let answer = server.get(&format!("/socket.io/?{query}")).await;
        assert_eq!((answer.status, answer.json()), (400, json!({ "code": code, "message": message })), "{query}");
    }
    let poller = Poller::begin(&server).await;
    assert_eq!(poller.post("4\x1e9").await.status, 400);
    assert_eq!(poller.post("40").await.status, 400, "it has ended");
}

#[tokio::test]
async fn pages_of_any_origin_may_come_with_the_headers_that_they_ask_for() {
    let server = Server::start().await;
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "id-token,livestream-id"),
    ];
    for path in ["/socket.io/?EIO=4&transport=polling", "/app/api/livestreams"] {
        let answer = server.request("OPTIONS", path, &asked, b"").await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-headers"), Some("id-token,livestream-id"));
        let answer = server.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
}
