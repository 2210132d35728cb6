//! What happens to one peer costs nobody else anything.

mod common;

use common::{SECOND, show, world};
use room::media::{MediaEnd, MediaEvent};

#[test]
fn q_11_a_panic_in_one_peer_costs_exactly_that_peer() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut world = world(1);
    let (_, subscriber) = show(&mut world, 0, 0);
    let victim = world.join("victim", 0);
    world.run(SECOND);
    let video = world.tracks("publisher")[0].clone();
    world.inject_fault(victim);
    world.run(SECOND);
    std::panic::set_hook(hook);
    assert_eq!(world.shard(0).stats().panics, 1);
    assert_eq!(world.shard(0).stats().peers, 2);
    assert_eq!(world.names(), ["publisher", "subscriber"]);
    let ended =
        world.media_events.iter().filter(|event| matches!(event, MediaEvent::Ended { reason: MediaEnd::Panic, .. }));
    assert_eq!(ended.count(), 1);
    let before = world.client(subscriber).got(&video).frames.len();
    world.run(SECOND);
    assert!(world.client(subscriber).got(&video).frames.len() >= before + 20, "the show goes on");
}

#[test]
fn joins_and_leaves_leave_nothing_behind() {
    let mut world = world(2);
    for round in 0..10 {
        let guest = world.join(&format!("guest{round}"), round % 2);
        world.run(SECOND / 2);
        world.leave(guest);
        world.run(SECOND / 10);
    }
    for shard in 0..2 {
        let stats = world.shard(shard).stats();
        assert_eq!((stats.peers, stats.tracks, stats.addresses), (0, 0, 0));
    }
}

#[test]
fn somebody_who_falls_silent_is_gone_in_time() {
    let mut world = world(1);
    let (publisher, _) = show(&mut world, 0, 0);
    let silent_since = world.now;
    world.cut(publisher);
    assert!(world.run_until(SECOND * 40, |world| world.names() == ["subscriber"]));
    let took = (world.now - silent_since).as_secs();
    assert!((15..=25).contains(&took), "L-28: gone after {took} s");
}
