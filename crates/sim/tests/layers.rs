//! Simulcast: everybody gets the highest layer that is live, of those that they want.

mod common;

use common::{SECOND, contiguous, world};
use room::TrackSid;
use room::settings::{TrackSettings, WantedPicture};
use room::track::TrackKind;
use sim::{ClientId, World};

/// A publisher of three layers on shard 0 and a subscriber on another or the same, who has the highest.
fn simulcast(subscriber_shard: u8) -> (World, ClientId, ClientId, TrackSid) {
    let mut world = world(2);
    let publisher = world.join("publisher", 0);
    let subscriber = world.join("subscriber", subscriber_shard);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
    world.run(SECOND * 3);
    let track = world.tracks("publisher")[0].clone();
    assert_eq!(last_layer(&mut world, subscriber, &track), Some(2), "f");
    (world, publisher, subscriber, track)
}

fn last_layer(world: &mut World, subscriber: ClientId, track: &TrackSid) -> Option<u8> {
    world.client(subscriber).got(track).frames.last().map(|(_, layer)| *layer)
}

fn quality(quality: i32) -> TrackSettings {
    TrackSettings { picture: WantedPicture::Quality(quality), ..TrackSettings::default() }
}

fn smooth(world: &mut World, subscriber: ClientId, track: &TrackSid) {
    let got = world.client(subscriber).got(track);
    assert!(contiguous(&got.sequences), "a switch leaves no gap");
    let follows = |ids: &[u16]| (1..=2).contains(&(ids[1] - ids[0]));
    assert!(got.picture_ids.windows(2).all(follows), "picture ids go on, but for a frame that the switch cut short");
    assert!(got.timestamps.windows(2).all(|stamps| stamps[1] > stamps[0]), "and time goes forward");
}

#[test]
fn l_04_the_highest_live_layer_is_forwarded_and_the_next_when_it_goes_quiet() {
    for shard in [0, 1] {
        let (mut world, publisher, subscriber, track) = simulcast(shard);
        world.client(publisher).pause_layer(2, true);
        world.run(SECOND * 2);
        assert_eq!(last_layer(&mut world, subscriber, &track), Some(1), "h, after f went quiet");

        world.client(publisher).pause_layer(2, false);
        world.run(SECOND * 2);
        assert_eq!(last_layer(&mut world, subscriber, &track), Some(2), "f again");
        smooth(&mut world, subscriber, &track);
    }
}

#[test]
fn l_38_a_receiver_gets_the_layer_that_it_asks_for_and_others_keep_theirs() {
    for shard in [0, 1] {
        let (mut world, _, subscriber, track) = simulcast(shard);
        let other = world.join("other", shard);
        world.run(SECOND);
        for (wanted, layer) in [(0, 0), (1, 1), (0, 0), (2, 2)] {
            world.settings(subscriber, &track, quality(wanted));
            world.run(SECOND);
            assert_eq!(last_layer(&mut world, subscriber, &track), Some(layer), "shard {shard}, quality {wanted}");
            assert_eq!(last_layer(&mut world, other, &track), Some(2), "shard {shard}: the other's");
        }
        smooth(&mut world, subscriber, &track);
    }
}

#[test]
fn l_39_a_receiver_gets_the_layer_that_fills_its_element() {
    let (mut world, _, subscriber, track) = simulcast(0);
    for (height, layer) in [(170, 0), (360, 1), (1080, 2)] {
        let picture = WantedPicture::Size(height * 16 / 9, height);
        world.settings(subscriber, &track, TrackSettings { picture, ..TrackSettings::default() });
        world.run(SECOND);
        assert_eq!(last_layer(&mut world, subscriber, &track), Some(layer), "{height}");
    }
}

#[test]
fn l_37_a_disabled_track_stops_at_once_and_begins_again_at_a_keyframe() {
    for shard in [0, 1] {
        let (mut world, publisher, subscriber, track) = simulcast(shard);
        world.settings(subscriber, &track, TrackSettings { disabled: true, ..TrackSettings::default() });
        world.run(SECOND / 10);
        let before = world.client(subscriber).got(&track).frames.len();
        let keyframes = world.client(publisher).keyframes_sent();
        world.run(SECOND * 2);
        assert_eq!(world.client(subscriber).got(&track).frames.len(), before, "shard {shard}: nothing comes");
        assert_eq!(world.client(publisher).keyframes_sent(), keyframes, "and nobody asks for any");

        world.settings(subscriber, &track, TrackSettings::default());
        world.run(SECOND / 2);
        let got = world.client(subscriber).got(&track);
        assert!(got.frames.len() > before + 5, "shard {shard}: it is back");
        assert!(got.keyframes.contains(&got.frames[before]), "shard {shard}: with a keyframe first");
        smooth(&mut world, subscriber, &track);
    }
}

#[test]
fn l_04_another_shard_is_sent_only_what_somebody_there_wants() {
    let (mut world, _, subscriber, track) = simulcast(1);
    let relayed = |world: &mut World| {
        let before = world.shard(0).stats().packets_relayed;
        world.run(SECOND);
        world.shard(0).stats().packets_relayed - before
    };
    let one_layer = relayed(&mut world);
    assert!((60..=90).contains(&one_layer), "one layer of three crosses: {one_layer} packets a second");
    world.settings(subscriber, &track, quality(0));
    world.run(SECOND);
    assert!((60..=90).contains(&relayed(&mut world)), "the old layer no longer does");
    world.settings(subscriber, &track, TrackSettings { disabled: true, ..TrackSettings::default() });
    world.run(SECOND / 5);
    assert_eq!(relayed(&mut world), 0, "nobody there wants any");
}

#[test]
fn l_37_settings_outlive_a_subscription() {
    let (mut world, _, subscriber, track) = simulcast(0);
    world.settings(subscriber, &track, quality(0));
    world.run(SECOND);
    world.subscription(subscriber, &track, false);
    world.run(SECOND);
    let before = world.client(subscriber).got(&track).frames.len();
    world.subscription(subscriber, &track, true);
    world.run(SECOND * 2);
    let got = world.client(subscriber).got(&track);
    assert!(got.frames.len() > before + 20);
    assert!(got.frames[before..].iter().all(|(_, layer)| *layer == 0), "it comes as it was wanted");
}
