//! What comes goes again.

use crate::common::{World, eventually, publish_both};
use bench::client::{Mode, Options};
use bench::meter::{self, Reading};
use std::time::Duration;

/// Of the whole process.
const JOINS: usize = 200;
/// The allocator keeps some of what it had; more than this is a leak.
const RSS_SLACK: u64 = 10 << 20;

/// A reading when the connection of the last look at the metrics is closed too.
async fn settled(world: &World) -> Reading {
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.server.reading().expect("the server lives")
}

fn tasks(world: &World) -> f64 {
    meter::sum(&world.server.metrics().expect("metrics"), "odeon_tasks")
}

async fn round(world: &World, from: usize, count: usize) {
    for number in from..from + count {
        let mode = if number.is_multiple_of(2) { Mode::Single } else { Mode::Dual };
        let options = Options { mode, ..Options::default() };
        let mut client = world.join_with("r", &format!("guest-{number}"), &options).await;
        publish_both(&mut client, "guest").await;
        if number.is_multiple_of(3) {
            drop(client); // vanishes: no leave request
        } else {
            client.leave().await;
        }
    }
}

/// L-14, L-28: after 200 joins and leaves, descriptors, tasks, threads, peers and rooms are back where they began, and
/// memory within 10 MiB.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_14_two_hundred_joins_and_leaves_leave_nothing_behind() {
    let world = World::start(&["--rtc.shards=1", "--room.departure_timeout=1"]);
    // The first joins fill caches and pools that stay: they are not what this test is about.
    round(&world, 0, 20).await;
    gone(&world).await;
    let before = settled(&world).await;
    let tasks_before = tasks(&world);
    round(&world, 20, JOINS).await;
    gone(&world).await;
    let after = settled(&world).await;
    let tasks_after = tasks(&world);
    assert!(tasks_after <= tasks_before, "tasks: {tasks_before} → {tasks_after}");
    assert!(after.descriptors <= before.descriptors, "descriptors: {} → {}", before.descriptors, after.descriptors);
    assert!(after.threads <= before.threads, "threads: {} → {}", before.threads, after.threads);
    let grown = after.rss.saturating_sub(before.rss);
    assert!(grown <= RSS_SLACK, "{} KiB more than before", grown >> 10);
}

/// Waits until the server says that nobody is there and no room is left. Those who vanished take 15-25 s (L-28).
async fn gone(world: &World) {
    for _ in 0..4 {
        let empty = || async {
            let metrics = world.server.metrics().ok()?;
            let left = ["odeon_participants", "odeon_rooms", "odeon_peers"].map(|name| meter::sum(&metrics, name));
            left.iter().all(|count| *count == 0.0).then_some(())
        };
        if tokio::time::timeout(Duration::from_secs(9), eventually("nobody left", empty)).await.is_ok() {
            return;
        }
    }
    let metrics = world.server.metrics().expect("metrics");
    panic!("still there: {metrics:?}");
}
