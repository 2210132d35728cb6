//! Temporal layers: who wants fewer frames a second gets fewer, and nobody sees a hole (L-37).

mod common;

use common::{SECOND, contiguous, world};
use room::TrackSid;
use room::settings::TrackSettings;
use room::track::TrackKind;
use sim::{ClientId, World};

fn begin(world: &mut World, shard: u8) -> (ClientId, ClientId, ClientId, TrackSid) {
    let publisher = world.join("publisher", 0);
    let frugal = world.join("frugal", shard);
    let other = world.join("other", shard);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &[]);
    world.client(publisher).film_temporal();
    world.run(SECOND * 3);
    (publisher, frugal, other, world.tracks("publisher")[0].clone())
}

/// Frames of the next two seconds, after one in which the change takes effect.
fn frames(world: &mut World, client: ClientId, track: &TrackSid) -> usize {
    world.run(SECOND);
    let before = world.client(client).got(track).frames.len();
    world.run(SECOND * 2);
    world.client(client).got(track).frames.len() - before
}

#[test]
fn l_37_whoever_wants_fewer_frames_gets_the_lower_temporal_layers_without_a_hole() {
    for shard in [0, 1] {
        let mut world = world(2);
        let (publisher, frugal, other, track) = begin(&mut world, shard);
        let keyframes = world.client(publisher).keyframes_sent();
        // Of 25 frames a second the lowest layer has a quarter, the two lower ones half.
        for (fps, expected) in [(0, 50), (13, 25), (6, 12), (0, 50), (1, 12), (15, 25), (60, 50)] {
            world.settings(frugal, &track, TrackSettings { fps, ..TrackSettings::default() });
            let frames = frames(&mut world, frugal, &track);
            assert!(frames.abs_diff(expected) <= 2, "shard {shard}, {fps} fps: {frames} frames in 2 s");
        }
        let got = world.client(frugal).got(&track);
        let ids: Vec<_> = got.picture_ids.iter().map(|id| u64::from(*id)).collect();
        assert!(contiguous(&got.sequences) && contiguous(&ids), "shard {shard}: no hole in either numbering");
        assert_eq!(world.client(publisher).keyframes_sent(), keyframes, "shard {shard}: no keyframe was needed");
        let all = world.client(other).got(&track);
        assert!(all.frames.len() > 25 * 20 && contiguous(&all.sequences), "shard {shard}: the other has them all");
    }
}

#[test]
fn l_37_where_there_is_one_temporal_layer_nothing_can_be_left_out() {
    let mut world = world(1);
    let publisher = world.join("publisher", 0);
    let frugal = world.join("frugal", 0);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &[]);
    world.client(publisher).film_scalable();
    world.run(SECOND * 4);
    let track = world.tracks("publisher")[0].clone();
    world.settings(frugal, &track, TrackSettings { fps: 5, ..TrackSettings::default() });
    let frames = frames(&mut world, frugal, &track);
    assert!(frames >= 3 * 48, "{frames}");
}
