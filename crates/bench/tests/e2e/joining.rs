//! How soon one is there, sees and is seen (P-4).

use crate::common::World;
use bench::client::Mode;
use bench::report::percentile;
use bench::scenario::{Target, join};
use bench::token::ApiKey;
use std::time::Duration;

async fn measure(world: &World, mode: Mode) -> join::Outcome {
    let target =
        Target { url: world.server.url(), key: ApiKey::default(), pid: Some(world.server.pid()), mode, via: None };
    join::run(&world.engine, &target, 10).await.expect("ten joins")
}

/// P-4, L-23: somebody who joins in the middle has a first complete frame within 300 ms on loopback; publishing shows
/// at others and joining is seen without waiting for a batch.
async fn a_joiner_sees_and_is_seen_soon(mode: Mode) {
    let world = World::small();
    let mut outcome = measure(&world, mode).await;
    let worst = |values: &mut Vec<Duration>| percentile(values, 1.0);
    assert!(worst(&mut outcome.first_frame) <= Duration::from_millis(300), "{outcome:?}");
    assert!(percentile(&mut outcome.publish_to_frame, 0.5) <= Duration::from_millis(190), "{outcome:?}");
    assert!(percentile(&mut outcome.visible, 0.5) <= Duration::from_millis(20), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn p_4_a_joiner_sees_and_is_seen_soon_in_single_mode() {
    a_joiner_sees_and_is_seen_soon(Mode::Single).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn p_4_a_joiner_sees_and_is_seen_soon_in_dual_mode() {
    a_joiner_sees_and_is_seen_soon(Mode::Dual).await;
}
