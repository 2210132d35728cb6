//! What time does to a session, with the clock in our hands.

use crate::harness::{Heard, Say, Server};
use gateway::rooms::RegistryConfig;
use std::time::Duration;
use tokio::time::{advance, pause, resume};

const STEP: Duration = Duration::from_secs(1);

/// Lets the clock run in steps, so that what falls due meanwhile is done in its order.
async fn pass(seconds: u32) {
    for _ in 0..seconds {
        advance(STEP).await;
        // Sockets are real: what was written is read in a later turn of the runtime.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

async fn people(server: &Server) -> usize {
    match server.gateway.registry().find("r") {
        Some(room) => room.participants().await.map_or(0, |all| all.len()),
        None => 0,
    }
}

#[tokio::test]
async fn l_28_who_falls_silent_is_gone_after_a_while_and_not_before() {
    // L-28
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    pause();
    pass(14).await;
    assert_eq!(people(&server).await, 1, "not yet");
    pass(30).await;
    assert_eq!(people(&server).await, 0, "no signalling, no media: gone");
}

#[tokio::test]
async fn l_28_l_52_who_pings_stays_and_gets_a_fresh_token_every_five_minutes() {
    // L-28, L-52
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    assert!(matches!(alice.hear().await, Heard::RefreshToken(_)));
    pause();
    let mut fresh = 0;
    for _ in 0..65 {
        pass(5).await;
        // A frozen clock jumps to the next timer when everybody waits for a socket.
        resume();
        alice.say(Say::Ping(1)).await;
        while let Heard::RefreshToken(_) = alice.hear_until(token_or_pong).await {
            fresh += 1;
        }
        pause();
    }
    assert_eq!((fresh, people(&server).await), (1, 1), "325 s later");
}

fn token_or_pong(heard: Heard) -> Option<Heard> {
    matches!(heard, Heard::RefreshToken(_) | Heard::Pong(_)).then_some(heard)
}
