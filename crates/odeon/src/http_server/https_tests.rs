use super::super::{Door, HttpConfig, HttpServer};
use super::*;
use crate::config::Networks;
use crate::listen;
use axum::routing::get;
use axum::{Extension, Router};
use net::tls::rustls::pki_types::pem::PemObject;
use net::tls::rustls::pki_types::{CertificateDer, ServerName};
use net::tls::rustls::{ClientConfig, RootCertStore};
use net::tls::{ServerCertificate, self_signed};
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client;

type Client = client::TlsStream<TcpStream>;

/// A certificate for localhost and turn.localhost, with its PEM so that a client can trust it.
fn certificate() -> (ServerCertificate, String) {
    let names = ["localhost".to_owned(), "turn.localhost".to_owned()];
    let (chain, key) = self_signed(&names, SystemTime::now(), Duration::from_secs(3600)).unwrap();
    (ServerCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap(), chain)
}

struct House {
    server: HttpServer,
    address: SocketAddr,
    certificates: Arc<Certificates>,
    chain: String,
    turned: mpsc::UnboundedReceiver<TlsStream<TcpStream>>,
}

/// A server with TLS that answers `/` with whether the request counts as secure, and hands TURN clients to `turned`.
fn open(timeout: Duration) -> House {
    let (certificate, chain) = certificate();
    let certificates = Certificates::new(certificate);
    let (sender, turned) = mpsc::unbounded_channel();
    let take = Arc::new(move |stream, _| drop(sender.send(stream)));
    let turn = TurnDoor { domain: Some("turn.localhost".into()), take };
    let https = Arc::new(Https::new(&certificates, false, Some(turn)).unwrap());
    let secure = |Extension(client): Extension<crate::client_addr::Client>| async move { client.secure.to_string() };
    let listener = listen::bind(&["127.0.0.1".parse().unwrap()], 0, "tls.port").unwrap().remove(0);
    let address = listener.local_addr().unwrap();
    let config = HttpConfig { max_connections: 5, header_timeout: timeout, trusted_proxies: Networks::default() };
    let doors = vec![Door { listener, https: Some(https) }];
    let server = HttpServer::start(doors, Router::new().route("/", get(secure)), config);
    House { server, address, certificates, chain, turned }
}

async fn connect(house: &House, chain: &str, name: &'static str, protocols: &[&[u8]]) -> io::Result<Client> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(house.address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), stream).await
}

async fn ask(stream: &mut Client) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("true") && !answer.ends_with("false") {
        answer.push(char::from(stream.read_u8().await.unwrap()));
    }
    answer
}

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn requests_over_tls_are_answered_and_count_as_secure() {
    let house = open(PATIENCE);
    for protocols in [&[alpn::HTTP_1_1][..], &[]] {
        let mut stream = connect(&house, &house.chain, "localhost", protocols).await.unwrap();
        let answer = ask(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("true"), "{answer}");
    }
}

// F-5: a renewed certificate drops nobody.
#[tokio::test]
async fn f_5_a_new_certificate_leaves_open_connections_alone() {
    let house = open(PATIENCE);
    let mut before = connect(&house, &house.chain, "localhost", &[]).await.unwrap();
    ask(&mut before).await;
    let (new, new_chain) = certificate();
    house.certificates.replace(new);
    let mut after = connect(&house, &new_chain, "localhost", &[]).await.unwrap();
    assert!(connect(&house, &house.chain, "localhost", &[]).await.is_err());
    assert!(ask(&mut before).await.ends_with("true") && ask(&mut after).await.ends_with("true"));
}

// An Allocate request's first bytes (RFC 8656): type, length, magic cookie.
const ALLOCATE: &[u8] = &[0x00, 0x03, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42];

#[tokio::test]
async fn turn_clients_are_told_by_protocol_name_or_first_byte_and_lose_no_byte() {
    let mut house = open(PATIENCE);
    for (name, protocols) in [("localhost", &[alpn::TURN][..]), ("turn.localhost", &[]), ("localhost", &[])] {
        let mut client = connect(&house, &house.chain, name, protocols).await.unwrap();
        client.write_all(ALLOCATE).await.unwrap();
        let mut taken = tokio::time::timeout(PATIENCE, house.turned.recv()).await.unwrap().unwrap();
        let mut first = [0; ALLOCATE.len()];
        taken.read_exact(&mut first).await.unwrap();
        assert_eq!(first, ALLOCATE, "{name} {protocols:?}");
    }
}

#[tokio::test]
async fn turn_clients_take_no_place_of_http_clients() {
    let mut house = open(PATIENCE);
    let mut kept = Vec::new();
    for _ in 0..8 {
        kept.push(connect(&house, &house.chain, "localhost", &[alpn::TURN]).await.unwrap());
        kept.push({
            tokio::time::timeout(PATIENCE, house.turned.recv()).await.unwrap().unwrap();
            connect(&house, &house.chain, "localhost", &[alpn::HTTP_1_1]).await.unwrap()
        });
        let mut last = kept.pop().unwrap();
        assert!(ask(&mut last).await.ends_with("true"));
    }
}

#[tokio::test]
async fn who_does_not_finish_a_handshake_or_say_what_for_is_cut() {
    let house = open(Duration::from_millis(300));
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    let mut plain = TcpStream::connect(house.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut undecided = connect(&house, &house.chain, "localhost", &[]).await.unwrap();
    let mut rest = Vec::new();
    let all = async {
        let _ = silent.read_to_end(&mut rest).await;
        let _ = plain.read_to_end(&mut rest).await;
        let _ = undecided.read_to_end(&mut rest).await;
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    assert!(!rest.windows(4).any(|bytes| bytes == b"HTTP"));
}

#[tokio::test]
async fn a_server_that_ends_does_not_wait_for_handshakes() {
    let house = open(PATIENCE);
    let _silent = TcpStream::connect(house.address).await.unwrap();
    tokio::time::timeout(PATIENCE / 2, house.server.stop(PATIENCE)).await.unwrap();
}
