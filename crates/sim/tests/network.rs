//! Clients whose network changes.

mod common;

use common::{SECOND, contiguous, show, world};
use rtc::Credentials;

#[test]
fn an_ice_restart_from_another_address_keeps_the_shard_and_the_media() {
    for shard in [0, 1] {
        let mut world = world(2);
        let (_, subscriber) = show(&mut world, 0, shard);
        let video = world.tracks("publisher")[0].clone();
        world.move_network(subscriber, 9);
        world.run(SECOND * 2);
        let before = world.client(subscriber).got(&video).frames.len();
        world.run(SECOND);
        assert!(world.client(subscriber).got(&video).frames.len() >= before + 20, "pictures go to the new address");
        let answer = world.client(subscriber).last_answer.clone();
        let ufrag = answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap_or_default();
        assert_eq!(Credentials::shard_of(ufrag), Some(shard), "the new credentials name the shard too");
    }
}

/// L-28, L-31, L-32: signalling is not media: nothing is missing over the gap and the resume.
#[test]
fn l_31_media_flows_on_while_the_signalling_is_lost_and_resumed() {
    let mut world = world(2);
    let (publisher, subscriber) = show(&mut world, 0, 1);
    let video = world.tracks("publisher")[0].clone();
    let begun = world.client(subscriber).got(&video).frames.len();
    for id in [publisher, subscriber] {
        world.lose_signal(id);
    }
    world.run(SECOND * 30);
    let gap = world.client(subscriber).got(&video).frames.len() - begun;
    assert!(gap >= 25 * 29, "{gap} frames in 30 s without signalling");
    for id in [publisher, subscriber] {
        world.resume(id);
    }
    world.run(SECOND * 2);
    let got = world.client(subscriber).got(&video);
    assert!(got.frames.len() >= begun + gap + 45 && contiguous(&got.sequences));
    assert_eq!(world.names().len(), 2);
}

/// What restarts ICE and never finds a path is gone like what never came.
#[test]
fn a_restart_that_finds_no_path_ends() {
    let mut world = world(1);
    let (_, subscriber) = show(&mut world, 0, 0);
    world.move_network(subscriber, 9);
    world.cut(subscriber);
    world.run(SECOND * 15);
    assert_eq!(world.names().len(), 2);
    world.run(SECOND * 10);
    assert_eq!(world.names(), ["publisher"]);
}
