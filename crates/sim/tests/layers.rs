//! Simulcast: everybody gets the highest layer that is live.

mod common;

use common::{SECOND, contiguous, world};
use room::track::TrackKind;

#[test]
fn the_highest_live_layer_is_forwarded_and_the_next_when_it_goes_quiet() {
    let mut world = world(1);
    let publisher = world.join("publisher", 0);
    let subscriber = world.join("subscriber", 0);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
    world.run(SECOND * 3);
    let track = world.tracks("publisher")[0].clone();
    assert_eq!(last_layer(&mut world, subscriber, &track), Some(2), "f");

    world.client(publisher).pause_layer(2, true);
    world.run(SECOND * 2);
    assert_eq!(last_layer(&mut world, subscriber, &track), Some(1), "h, after f went quiet");

    world.client(publisher).pause_layer(2, false);
    world.run(SECOND * 2);
    assert_eq!(last_layer(&mut world, subscriber, &track), Some(2), "f again");

    let got = world.client(subscriber).got(&track);
    assert!(contiguous(&got.sequences), "a switch leaves no gap");
    let follows = |ids: &[u16]| (1..=2).contains(&(ids[1] - ids[0]));
    assert!(got.picture_ids.windows(2).all(follows), "picture ids go on, but for a frame that the switch cut short");
    assert!(got.timestamps.windows(2).all(|stamps| stamps[1] > stamps[0]), "and time goes forward");
}

fn last_layer(world: &mut sim::World, subscriber: sim::ClientId, track: &room::TrackSid) -> Option<u8> {
    world.client(subscriber).got(track).frames.last().map(|(_, layer)| *layer)
}
