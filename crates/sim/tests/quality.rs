//! How well people are connected, as shards see it (livekit.md 2.8).

mod common;

use common::{SECOND, world};
use room::SessionId;
use room::media::MediaEvent;
use room::settings::{TrackSettings, WantedPicture};
use room::track::TrackKind;
use sim::World;

/// Layers that the last report of each says are missing.
fn missed(world: &World, session: SessionId) -> f32 {
    let of = |event: &MediaEvent| match event {
        MediaEvent::Quality { session: whose, missed_layers, .. } if *whose == session => Some(*missed_layers),
        _ => None,
    };
    world.media_events.iter().rev().find_map(of).unwrap_or_default()
}

const PUBLISHER: SessionId = SessionId(1);
const SUBSCRIBER: SessionId = SessionId(2);

#[test]
fn a_layer_that_somebody_wants_and_that_does_not_come_is_the_publishers() {
    for shard in [0, 1] {
        let mut world = world(2);
        let publisher = world.join("publisher", 0);
        let subscriber = world.join("subscriber", shard);
        world.run(SECOND);
        world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
        world.run(SECOND * 12);
        assert_eq!((missed(&world, PUBLISHER), missed(&world, SUBSCRIBER)), (0.0, 0.0), "all is well");
        world.client(publisher).pause_layer(2, true);
        world.run(SECOND * 12);
        assert!(missed(&world, PUBLISHER) > 0.9, "{}", missed(&world, PUBLISHER));
        assert_eq!(missed(&world, SUBSCRIBER), 0.0, "it is not the receiver's network");
        let track = world.tracks("publisher")[0].clone();
        let medium = TrackSettings { picture: WantedPicture::Quality(1), ..TrackSettings::default() };
        world.settings(subscriber, &track, medium);
        world.run(SECOND * 12);
        assert_eq!(missed(&world, PUBLISHER), 0.0, "nobody wants it any more");
    }
}
