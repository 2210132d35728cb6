//! Clients whose network changes.

mod common;

use common::{SECOND, show, world};
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
