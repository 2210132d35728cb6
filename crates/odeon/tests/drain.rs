//! SIGTERM while people are in: newcomers are sent away, the room lives on, everybody is told, the process ends well.

mod common;

use bench::engine::EngineOptions;
use bench::token::ApiKey;
use bench::{Client, ConnectError, Engine, Event, Grant, Options};
use common::{PATIENCE, Scratch, Server};
use livekit_protocol::{DisconnectReason, LeaveRequest, signal_response::Message};
use std::sync::Arc;
use std::time::{Duration, Instant};

struct House {
    server: Server,
    engine: Arc<Engine>,
    _scratch: Scratch,
}

impl House {
    fn open(name: &str, drain_timeout: &str) -> Self {
        let scratch = Scratch::new(name);
        let server = Server::start(&scratch, &format!("--dev --drain_timeout={drain_timeout}"));
        Self { server, engine: Engine::start(EngineOptions::default()).unwrap(), _scratch: scratch }
    }

    async fn join(&self, identity: &str) -> Result<Client, ConnectError> {
        let token = ApiKey::default().token(identity, &Grant::join("residence")).unwrap();
        Client::join(&self.engine, &format!("ws://{}", self.server.address), &token, &Options::default()).await
    }
}

async fn goodbye(client: &mut Client) -> LeaveRequest {
    let leave = |event: &Event| match event {
        Event::Signal(message, _) => match &**message {
            Message::Leave(leave) => Some(leave.clone()),
            _ => None,
        },
        _ => None,
    };
    client.wait_for("leave", PATIENCE, leave).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn q_8_readiness_falls_within_100_ms_while_the_room_lives_on() {
    let house = House::open("drain-ready", "60s");
    let alice = house.join("alice").await.unwrap();
    house.server.signal(libc::SIGTERM);
    let start = Instant::now();
    while house.server.get("/readyz", "").0 != 503 {
        assert!(start.elapsed() < PATIENCE);
    }
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    assert_eq!(house.server.get("/healthz", "").0, 200);
    assert_eq!(alice.participants().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn q_8_newcomers_are_sent_away_with_503() {
    let house = House::open("drain-joins", "60s");
    let _alice = house.join("alice").await.unwrap();
    house.server.signal(libc::SIGTERM);
    house.server.log_line("draining");
    let refused = house.join("bob").await.map(|_| ());
    assert!(matches!(refused, Err(ConnectError::Refused { status: 503, .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn q_8_when_the_time_is_up_everybody_is_told_and_the_process_ends_well() {
    let mut house = House::open("drain-told", "1s");
    let mut alice = house.join("alice").await.unwrap();
    let start = Instant::now();
    house.server.signal(libc::SIGTERM);
    let leave = goodbye(&mut alice).await;
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(leave.reason(), DisconnectReason::ServerShutdown);
    assert!(house.server.ended().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn q_8_the_house_closes_when_the_last_has_left() {
    let mut house = House::open("drain-last", "60s --room.departure_timeout=0");
    let alice = house.join("alice").await.unwrap();
    house.server.signal(libc::SIGTERM);
    house.server.log_line("draining");
    alice.leave().await;
    assert!(house.server.ended().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn q_8_a_second_signal_does_not_wait_and_still_says_goodbye() {
    let mut house = House::open("drain-force", "600s");
    let mut alice = house.join("alice").await.unwrap();
    house.server.signal(libc::SIGTERM);
    house.server.log_line("draining");
    house.server.signal(libc::SIGTERM);
    assert_eq!(goodbye(&mut alice).await.reason(), DisconnectReason::ServerShutdown);
    assert!(house.server.ended().success());
}
