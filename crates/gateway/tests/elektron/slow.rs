//! One socket that takes nothing (Q-7).

use crate::harness::{Client, Server, message};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

const READERS: usize = 50;

/// Q-7: the others notice nothing, and it is gone within 10 s. (How much is held for it: the outbox's own tests.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q_7_a_stalled_socket_costs_nobody_else_anything() {
    // Q-7
    let server = Server::start_with(|setting| setting.bus.messages_per_s = 10_000).await;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(server.open().await);
    }
    let mut sender = server.open().await;
    let calm = delays(&mut sender, &mut readers, 60).await;
    let mut stalled = server.open().await;
    let start = Instant::now();
    // 40 KB a message: the kernel's buffers and its outbox are full before long.
    let mut beside = Vec::new();
    while !is_reset(&mut stalled).await {
        // Not as late as one for which little waits.
        assert!(start.elapsed() < Duration::from_secs(6), "evicted in time");
        beside.extend(delays(&mut sender, &mut readers, 20).await);
    }
    let (calm, beside) = (p99(calm), p99(beside));
    // On a machine that does other things too: a socket that others wait for would cost seconds.
    assert!(beside < 2 * calm + Duration::from_millis(200), "others: {calm:?} before, {beside:?} beside it");
}

/// A socket for which little waits, so that nothing overflows, but which takes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q_7_a_socket_that_takes_nothing_is_given_up_however_little_waits() {
    // Q-7
    let server = Server::start_with(|setting| setting.bus.messages_per_s = 100_000).await;
    let (mut sender, mut stalled) = (server.open().await, server.open().await);
    let start = Instant::now();
    let large = "x".repeat(1_000_000);
    // The kernel's buffers, and one that is too many for them.
    for number in 0..6 {
        sender.say(message("ANYTHING", "r", "s", json!([number, large]))).await;
        sender.hears_type("ANYTHING").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while !is_reset(&mut stalled).await {
        assert!(start.elapsed() < Duration::from_secs(11), "given up in time");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Writing to it fails, because nobody is there any more.
async fn is_reset(client: &mut Client) -> bool {
    !client.try_send(Message::Ping(Default::default())).await
}

/// How long each reader waits for each of these messages.
async fn delays(sender: &mut Client, readers: &mut [Client], messages: usize) -> Vec<Duration> {
    let mut delays = Vec::new();
    for number in 0..messages {
        let said = Instant::now();
        sender.say(message("ANYTHING", "r", "s", json!([number, "x".repeat(40_000)]))).await;
        for client in readers.iter_mut() {
            while client.hears_type("ANYTHING").await["value"][0] != number {}
            delays.push(said.elapsed());
        }
        while sender.hears_type("ANYTHING").await["value"][0] != number {}
    }
    delays
}

fn p99(mut delays: Vec<Duration>) -> Duration {
    delays.sort_unstable();
    delays[delays.len() * 99 / 100]
}
