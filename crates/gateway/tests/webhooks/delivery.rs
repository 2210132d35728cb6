//! What is sent, in which order, and what happens when it is not taken (L-57 to L-59).

use super::harness::{KEY, Receiver, Reply, everybody, tell, unix_s, webhooks};
use base64::Engine as _;
use gateway::outbound::{Outbound, Policy, SystemResolver};
use rustls::RootCertStore;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn l_58_a_webhook_is_what_receivers_expect() {
    // L-58
    let mut receiver = Receiver::start([]).await;
    let hooks = webhooks(&[receiver.url()], &everybody());
    tell(&hooks, "residence", true);
    let hook = receiver.next().await;
    assert_eq!(hook.path, "/hook");
    assert_eq!(hook.headers["content-type"], "application/webhook+json");
    assert_eq!(hook.headers["user-agent"], "LiveKit");
    assert_eq!(hook.headers["host"], receiver.addr.to_string());
    let claims = hook.claims();
    assert_eq!(claims.iss, KEY);
    assert!(claims.exp <= unix_s() + 300 && claims.exp > unix_s() + 200 && claims.nbf.unwrap() <= unix_s());
    assert!(claims.extra["iat"].as_u64().unwrap() <= unix_s());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &hook.bytes);
    assert_eq!(claims.sha256, base64::engine::general_purpose::STANDARD.encode(digest));
}

/// L-58: protojson, as a trace of the reference shows it.
#[tokio::test]
async fn l_58_the_body_is_protojson_and_holds_no_secret() {
    let mut receiver = Receiver::start([]).await;
    let hooks = webhooks(&[receiver.url()], &everybody());
    tell(&hooks, "residence", true);
    let body = receiver.next().await.body;
    assert_eq!(body["event"], "room_started");
    assert_eq!(body["room"]["sid"], "RM_abcdefghijkl");
    assert_eq!(body["room"]["emptyTimeout"], 300);
    assert_eq!(body["room"]["creationTimeMs"], "1795150662943", "64 bits are text");
    assert!(body["id"].as_str().unwrap().starts_with("EV_"));
    assert!(body["createdAt"].as_str().unwrap().parse::<u64>().unwrap() <= unix_s());
    assert!(body["room"].get("maxParticipants").is_none(), "defaults are left out");
    assert!(body["room"].get("turnPassword").is_none());
    assert!(body.get("participant").is_none());
}

#[tokio::test]
async fn l_58_a_rooms_events_arrive_in_their_order_on_one_connection() {
    let mut receiver = Receiver::start([]).await;
    let hooks = webhooks(&[receiver.url()], &everybody());
    (0..50).for_each(|number| tell(&hooks, "residence", number % 2 == 0));
    for number in 0..50 {
        let event = receiver.next().await.event().to_owned();
        assert_eq!(event, if number % 2 == 0 { "room_started" } else { "room_finished" });
    }
    assert_eq!(receiver.accepted(), 1);
}

#[tokio::test]
async fn l_58_each_url_gets_everything() {
    let (mut one, mut other) = (Receiver::start([]).await, Receiver::start([]).await);
    let hooks = webhooks(&[one.url(), other.url()], &everybody());
    tell(&hooks, "residence", true);
    assert_eq!(one.next().await.bytes, other.next().await.bytes);
}

/// L-58: a receiver that fails twice gets the same event a third time, and the next one after it.
#[tokio::test]
async fn l_58_what_is_not_taken_is_sent_again_before_what_comes_after_it() {
    for failure in [Reply::Answer(500, ""), Reply::Answer(429, ""), Reply::BreakOff] {
        let mut receiver = Receiver::start([failure.clone(), failure]).await;
        let hooks = webhooks(&[receiver.url()], &everybody());
        tell(&hooks, "residence", true);
        tell(&hooks, "residence", false);
        let mut tries = Vec::new();
        for _ in 0..3 {
            tries.push(receiver.next().await);
        }
        assert!(tries.iter().all(|hook| hook.bytes == tries[0].bytes), "the same event, with its id");
        assert_eq!(receiver.next().await.event(), "room_finished");
    }
}

#[tokio::test]
async fn l_58_a_refusal_is_not_tried_again() {
    let mut receiver = Receiver::start([Reply::Answer(401, "")]).await;
    let hooks = webhooks(&[receiver.url()], &everybody());
    tell(&hooks, "residence", true);
    tell(&hooks, "residence", false);
    assert_eq!(receiver.next().await.event(), "room_started");
    assert_eq!(receiver.next().await.event(), "room_finished");
}

/// L-58: one receiver hangs. Whoever tells it does not wait, and other receivers get theirs at once.
#[tokio::test]
async fn l_58_a_receiver_that_hangs_delays_nobody_else() {
    let hanging = Receiver::start(vec![Reply::Hang; 1000]).await;
    let mut good = Receiver::start([]).await;
    let hooks = webhooks(&[hanging.url(), good.url()], &everybody());
    let start = Instant::now();
    for number in 0..200 {
        tell(&hooks, &format!("room-{number}"), true);
    }
    let told = start.elapsed();
    for _ in 0..200 {
        good.next().await;
    }
    assert!(told < Duration::from_secs(1), "{told:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "less than one attempt at the one that hangs");
}

/// L-58: with rooms in several lanes one slow answer does not hold up all others at the same receiver.
#[tokio::test]
async fn l_58_one_slow_answer_holds_up_a_part_of_the_rooms_only() {
    let mut receiver = Receiver::start([Reply::Hang]).await;
    let hooks = webhooks(&[receiver.url()], &everybody());
    tell(&hooks, "first", true);
    assert_eq!(receiver.next().await.room(), "first");
    (0..100).for_each(|number| tell(&hooks, &format!("room-{number}"), true));
    // By chance about 12 of 100 share its lane; half of them would be a defect.
    for _ in 0..50 {
        receiver.next().await;
    }
}

#[tokio::test]
async fn l_58_at_the_end_what_waits_is_sent_and_the_patience_is_short() {
    let mut receiver = Receiver::start([]).await;
    let hanging = Receiver::start(vec![Reply::Hang; 1000]).await;
    let hooks = webhooks(&[receiver.url(), hanging.url()], &everybody());
    (0..20).for_each(|_| tell(&hooks, "residence", true));
    tell(&hooks, "residence", false);
    let start = Instant::now();
    hooks.close(Duration::from_secs(2)).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    for _ in 0..20 {
        assert_eq!(receiver.next().await.event(), "room_started");
    }
    assert_eq!(receiver.next().await.event(), "room_finished");
}

/// L-58: https is checked: a certificate that nobody vouches for is refused before anything is said.
#[tokio::test]
async fn l_58_https_needs_a_certificate_that_holds() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut receiver = Receiver::start_tls(TlsAcceptor::from(Arc::new(config))).await;
    let url = format!("https://localhost:{}/hook", receiver.addr.port());
    let stranger = webhooks(std::slice::from_ref(&url), &everybody());
    tell(&stranger, "untrusted", true);
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = Outbound::new(Policy::everybody(), roots, Arc::new(SystemResolver));
    let friend = webhooks(&[url], &trusting);
    tell(&friend, "trusted", true);
    assert_eq!(receiver.next().await.room(), "trusted");
}
