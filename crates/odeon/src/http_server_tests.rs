use super::*;
use crate::config::Value;
use crate::listen;
use axum::Extension;
use axum::routing::get;
use client_addr::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn config() -> HttpConfig {
    HttpConfig { max_connections: 10, header_timeout: Duration::from_secs(10), trusted_proxies: Networks::default() }
}

fn start(config: HttpConfig) -> (HttpServer, SocketAddr) {
    let who = |Extension(client): Extension<Client>| async move { client.address.to_string() };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "done"
    };
    let router = Router::new().route("/who", get(who)).route("/slow", get(slow));
    let listeners = listen::bind(&["127.0.0.1".parse().unwrap()], 0, "http.port").unwrap();
    let address = listeners[0].local_addr().unwrap();
    let doors = listeners.into_iter().map(|listener| Door { listener, https: None }).collect();
    (HttpServer::start(doors, router, config), address)
}

async fn ask(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    read_all(&mut stream).await
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn handlers_see_the_client_through_a_trusted_proxy_only() {
    let (_server, address) = start(config());
    let forwarded = "GET /who HTTP/1.1\r\nX-Forwarded-For: 203.0.113.5";
    assert!(ask(address, forwarded).await.ends_with("127.0.0.1"));
    let trusting = HttpConfig { trusted_proxies: Networks::parse("127.0.0.1").unwrap(), ..config() };
    let (_server, address) = start(trusting);
    assert!(ask(address, forwarded).await.ends_with("203.0.113.5"));
}

// A v1 join is a request line of about 2.5 KB; 16 KiB are promised.
#[tokio::test]
async fn a_request_line_of_sixteen_kib_is_read_and_an_endless_one_is_not() {
    let (_server, address) = start(config());
    let line = |bytes: usize| format!("GET /who?{} HTTP/1.1", "x".repeat(bytes));
    assert!(ask(address, &line(16 * 1024)).await.starts_with("HTTP/1.1 200"));
    assert!(!ask(address, &line(200 * 1024)).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_cut() {
    let (_server, address) = start(HttpConfig { header_timeout: Duration::from_millis(100), ..config() });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /who HTTP/1.1\r\nHos").await.unwrap();
    let cut = tokio::time::timeout(Duration::from_secs(5), read_all(&mut stream)).await;
    assert!(cut.is_ok_and(|answer| !answer.contains("200")));
}

#[tokio::test]
async fn above_the_cap_newcomers_get_503_until_somebody_leaves() {
    let (_server, address) = start(HttpConfig { max_connections: 1, ..config() });
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    first.read_exact(&mut byte).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    let refusal = read_all(&mut second).await;
    assert!(refusal.starts_with("HTTP/1.1 503") && refusal.contains("Retry-After"), "{refusal}");
    drop(first);
    let served = async {
        while !ask(address, "GET /who HTTP/1.1").await.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), served).await.unwrap();
}

// what runs is let end; what only waits is not waited for.
#[tokio::test]
async fn q_8_stopping_lets_a_running_request_end() {
    let (server, address) = start(config());
    let mut idle = TcpStream::connect(address).await.unwrap();
    let running = tokio::spawn(async move { ask(address, "GET /slow HTTP/1.1").await });
    while server.connections.available_permits() > 8 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop(Duration::from_secs(5)).await;
    assert!(running.await.unwrap().ends_with("done"));
    assert_eq!(read_all(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}
