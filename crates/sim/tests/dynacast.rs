//! Layers that nobody takes are paused at their source, and who lacks a codec gets the backup (L-63).

mod common;

use common::{SECOND, contiguous, world};
use room::RoomEvent;
use room::media::MediaEvent;
use room::settings::{TrackSettings, WantedPicture};
use room::track::TrackKind;
use sim::{ClientId, Takes, World};

const NO_VP9: Takes = Takes { red: true, vp9: false, transport_feedback: true, own_channel: None };

/// What a publisher was told last: the highest wanted quality of each codec.
fn told(world: &mut World, publisher: ClientId) -> Vec<(String, Option<u8>)> {
    let events = world.client(publisher).events.iter().rev();
    let demands = events.filter_map(|event| match &**event {
        RoomEvent::LayersWanted { codecs, .. } => Some(codecs.clone()),
        _ => None,
    });
    demands.take(1).flatten().map(|codec| (codec.name, codec.highest)).collect()
}

fn vp8(highest: Option<u8>) -> Vec<(String, Option<u8>)> {
    vec![("vp8".into(), highest)]
}

#[test]
fn l_63_nobody_there_pauses_all_layers_and_somebody_starts_them() {
    for shard in [0, 1] {
        let mut world = world(2);
        let publisher = world.join("publisher", 0);
        world.run(SECOND);
        world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
        world.run(SECOND);
        assert_eq!(told(&mut world, publisher), vp8(Some(2)));
        world.run(SECOND * 6);
        assert_eq!(told(&mut world, publisher), vp8(None), "nobody takes it");
        world.join("subscriber", shard);
        let wanted = |world: &mut World| told(world, publisher) == vp8(Some(2));
        assert!(world.run_until(SECOND, wanted), "somebody on shard {shard} takes it");
        world.run(SECOND * 10);
        assert!(wanted(&mut world));
    }
}

#[test]
fn l_63_the_highest_wish_on_any_shard_counts() {
    let mut world = world(2);
    let publisher = world.join("publisher", 0);
    let (here, there) = (world.join("here", 0), world.join("there", 1));
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
    world.run(SECOND * 2);
    let track = world.tracks("publisher")[0].clone();
    let quality = |quality| TrackSettings { picture: WantedPicture::Quality(quality), ..TrackSettings::default() };
    world.settings(here, &track, quality(0));
    world.settings(there, &track, quality(1));
    world.run(SECOND * 6);
    assert_eq!(told(&mut world, publisher), vp8(Some(1)));
    world.settings(there, &track, quality(0));
    world.run(SECOND * 4);
    assert_eq!(told(&mut world, publisher), vp8(Some(1)), "not before five seconds");
    world.run(SECOND * 2);
    assert_eq!(told(&mut world, publisher), vp8(Some(0)));
    world.settings(here, &track, quality(2));
    assert!(world.run_until(SECOND / 4, |world| told(world, publisher) == vp8(Some(2))), "more comes at once");
}

/// A publisher of VP9 with an announced backup on shard 0, and a receiver with and one without VP9 on these shards.
fn two_codecs(shards: [u8; 2]) -> (World, [ClientId; 3]) {
    let mut world = world(2);
    let publisher = world.join("publisher", 0);
    let with = world.join("with", shards[0]);
    let without = world.join_with("without", shards[1], NO_VP9);
    world.run(SECOND);
    world.publish_vp9(publisher);
    world.run(SECOND * 2);
    (world, [publisher, with, without])
}

#[test]
fn l_63_who_lacks_the_codec_gets_the_backup_and_the_others_the_primary() {
    for shards in [[0, 0], [1, 0], [0, 1], [1, 1]] {
        let (mut world, [publisher, with, without]) = two_codecs(shards);
        let track = world.tracks("publisher")[0].clone();
        let both = vec![("vp9".into(), Some(2)), ("vp8".into(), Some(2))];
        assert_eq!(told(&mut world, publisher), both, "shards {shards:?}");
        assert!(world.client(without).got(&track).frames.is_empty(), "nothing that it can't read");
        world.publish_backup(publisher, &track);
        world.run(SECOND * 2);
        for receiver in [with, without] {
            let got = world.client(receiver).got(&track);
            assert!(got.frames.len() > 30, "{} frames, shards {shards:?}", got.frames.len());
            assert!(contiguous(&got.sequences));
        }
        assert_eq!(world.tracks("publisher").len(), 1, "one track in two codecs");
        world.leave(without);
        world.run(SECOND * 6);
        assert_eq!(told(&mut world, publisher), [("vp9".into(), Some(2)), ("vp8".into(), None)]);
    }
}

#[test]
fn l_63_a_backup_is_asked_of_nobody_while_all_take_the_primary() {
    let mut world = world(1);
    let publisher = world.join("publisher", 0);
    world.join("with", 0);
    world.run(SECOND);
    world.publish_vp9(publisher);
    world.run(SECOND * 8);
    assert_eq!(told(&mut world, publisher), [("vp9".into(), Some(2)), ("vp8".into(), None)]);
    let asked = world.media_events.iter().any(|event| matches!(event, MediaEvent::LayersWanted { codec: 1, .. }));
    assert!(!asked);
}

/// Codec regression: whoever takes both goes over to the backup without a gap in its numbers, and the primary is no longer
/// asked for. So does who comes later.
#[test]
fn l_63_in_a_small_room_everybody_goes_over_to_the_backup() {
    const PREFER_REGRESSION: i32 = 0;
    for shards in [[0, 0], [1, 0], [0, 1], [1, 1]] {
        let mut world = world(2);
        let publisher = world.join("publisher", 0);
        let with = world.join("with", shards[0]);
        world.run(SECOND);
        world.publish_vp9_with(publisher, PREFER_REGRESSION);
        world.run(SECOND * 2);
        let track = world.tracks("publisher")[0].clone();
        let without = world.join_with("without", shards[1], NO_VP9);
        world.run(SECOND);
        assert!(world.client(with).got(&track).frames.len() > 30, "the primary goes on until the backup is there");
        world.publish_backup(publisher, &track);
        world.run(SECOND * 2);
        let late = world.join("late", 1 - shards[0]);
        world.run(SECOND * 6);
        assert_eq!(told(&mut world, publisher), [("vp9".into(), None), ("vp8".into(), Some(2))], "shards {shards:?}");
        for receiver in [with, without, late] {
            let before = world.client(receiver).got(&track).frames.len();
            world.run(SECOND);
            let got = world.client(receiver).got(&track);
            assert!(got.frames.len() > before + 10, "{before} → {} frames, shards {shards:?}", got.frames.len());
            assert!(contiguous(&got.sequences));
        }
    }
}

/// Whoever comes while the others go over is not forgotten between the codecs.
#[test]
fn l_63_who_comes_while_the_others_go_over_gets_a_picture() {
    const REGRESSION: i32 = 2;
    for moment in 0..12 {
        let mut world = world(2);
        let publisher = world.join("publisher", 0);
        world.join("with", 1);
        world.join_with("without", 1, NO_VP9);
        world.run(SECOND);
        world.publish_vp9_with(publisher, REGRESSION);
        world.run(SECOND * 2);
        let track = world.tracks("publisher")[0].clone();
        world.publish_backup(publisher, &track);
        world.run(SECOND / 25 * moment);
        let late = world.join("late", 1);
        world.run(SECOND * 3);
        let before = world.client(late).got(&track).frames.len();
        world.run(SECOND);
        assert!(world.client(late).got(&track).frames.len() > before + 10, "{} ms later", moment * 40);
    }
}

#[test]
fn l_63_both_codecs_end_with_their_track() {
    let (mut world, [publisher, _, without]) = two_codecs([0, 1]);
    let track = world.tracks("publisher")[0].clone();
    world.publish_backup(publisher, &track);
    world.run(SECOND * 2);
    world.leave(publisher);
    world.run(SECOND);
    let frames = world.client(without).got(&track).frames.len();
    world.run(SECOND);
    assert_eq!(world.client(without).got(&track).frames.len(), frames);
    assert_eq!((world.shard(0).stats().tracks, world.shard(1).stats().tracks), (0, 0));
}
