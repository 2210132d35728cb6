//! Packets from a publisher to subscribers, on one shard and over two.

mod common;

use common::{SECOND, begin, contiguous, lossy_world, show, world};
use room::media::PlayoutDelay;
use room::track::TrackKind;
use sim::{World, WorldConfig};

/// L-01, L-10: what one sends the other gets, whole and in order.
fn frames_and_sound_arrive(publisher_shard: u8, subscriber_shard: u8) {
    let mut world = world(2);
    let (_, subscriber) = show(&mut world, publisher_shard, subscriber_shard);
    let tracks = world.tracks("publisher");
    let video = world.client(subscriber).got(&tracks[0]);
    let audio = world.client(subscriber).got(&tracks[1]);
    assert!(video.frames.len() >= 40, "{} frames in two seconds", video.frames.len());
    assert!(contiguous(&video.sequences), "no gap and no double");
    assert!(video.first_keyframe.is_some());
    assert!(audio.sound >= 80, "{} packets of sound", audio.sound);
    assert!(contiguous(&audio.sequences));
}

#[test]
fn l_01_l_10_frames_and_sound_arrive_on_one_shard() {
    frames_and_sound_arrive(0, 0);
}

#[test]
fn l_01_frames_and_sound_arrive_from_shard_0_on_shard_1() {
    frames_and_sound_arrive(0, 1);
}

#[test]
fn l_01_frames_and_sound_arrive_from_shard_1_on_shard_0() {
    frames_and_sound_arrive(1, 0);
}

#[test]
fn somebody_who_joins_in_the_middle_has_a_keyframe_soon() {
    for shard in [0, 1] {
        let mut world = world(2);
        show(&mut world, 0, 0);
        let video = world.tracks("publisher")[0].clone();
        let joined = world.now;
        let late = world.join("late", shard);
        assert!(world.run_until(SECOND, |world| world.client(late).got(&video).first_keyframe.is_some()));
        let waited = world.client(late).got(&video).first_keyframe.map(|at| at.duration_since(joined));
        assert!(waited.is_some_and(|waited| waited.as_millis() <= 300), "P-4: {waited:?}");
    }
}

#[test]
fn a_keyframe_request_reaches_the_publisher_across_shards_and_is_throttled() {
    let mut world = world(2);
    let (publisher, subscriber) = show(&mut world, 0, 1);
    let video = world.tracks("publisher")[0].clone();
    world.run(SECOND);
    let before = world.client(publisher).keyframes_sent();
    for _ in 0..20 {
        world.client(subscriber).request_keyframe(&video);
        world.run(SECOND / 20);
    }
    let asked = world.client(publisher).keyframes_sent() - before;
    assert!((1..=3).contains(&asked), "20 requests in a second made {asked} keyframes");
}

#[test]
fn packets_lost_on_the_way_are_sent_again() {
    let mut world = lossy_world(0.05, 20);
    let (_, subscriber) = show(&mut world, 0, 0);
    world.run(SECOND * 8);
    let video = world.tracks("publisher")[0].clone();
    let got = world.client(subscriber).got(&video);
    let (first, last) = (got.frames[0].0, got.frames[got.frames.len() - 1].0);
    let sent = usize::from(last - first) + 1;
    let share = got.frames.len() as f32 / sent as f32;
    assert!(share >= 0.98, "{} of {sent} frames through 5 % loss each way", got.frames.len());
}

#[test]
fn l_22_unsubscribing_stops_the_media_and_subscribing_again_brings_it_back() {
    let mut world = world(1);
    let (_, subscriber) = show(&mut world, 0, 0);
    let video = world.tracks("publisher")[0].clone();
    world.subscription(subscriber, &video, false);
    world.run(SECOND / 2);
    let frames = world.client(subscriber).got(&video).frames.len();
    world.run(SECOND);
    assert_eq!(world.client(subscriber).got(&video).frames.len(), frames, "nothing more came");
    world.subscription(subscriber, &video, true);
    world.run(SECOND * 2);
    assert!(world.client(subscriber).got(&video).frames.len() > frames + 30, "it is back");
}

#[test]
fn unpublishing_and_publishing_twenty_times_re_uses_the_receivers_sections() {
    let mut world = world(1);
    let publisher = world.join("publisher", 0);
    let subscriber = world.join("subscriber", 0);
    world.run(SECOND);
    for round in 0..20 {
        world.publish(publisher, TrackKind::Video, &[]);
        world.run(SECOND);
        let track = world.tracks("publisher")[0].clone();
        let frames = world.client(subscriber).got(&track).frames.len();
        assert!(frames > 10, "round {round}: {frames} frames");
        world.unpublish_camera(publisher);
        world.run(SECOND / 2);
        assert!(world.tracks("publisher").is_empty(), "round {round}");
    }
    assert!(world.client(subscriber).sections <= 7, "{} sections", world.client(subscriber).sections);
}

/// L-70: bytes in and out, receivers, and what is asked for again when packets are lost.
#[test]
fn l_70_a_shard_counts_what_it_carries_and_what_is_asked_for_again() {
    let mut world = lossy_world(0.05, 20);
    let (_, subscriber) = show(&mut world, 0, 0);
    let video = world.tracks("publisher")[0].clone();
    world.run(SECOND * 10);
    world.client(subscriber).request_keyframe(&video);
    world.run(SECOND);
    let stats = world.shard(0).stats();
    assert_eq!((stats.tracks, stats.receivers), (2, 2));
    assert!(stats.bytes_in > 10_000 && stats.bytes_in / stats.packets_in < 1_200, "{stats:?}");
    assert!(stats.bytes_out > stats.bytes_in / 2 && stats.bytes_out < stats.bytes_in * 2, "{stats:?}");
    assert!(stats.nacks_in > 0 && stats.nacks_out > 0 && stats.keyframes_wanted > 0, "{stats:?}");
}

/// A room may tell players how long to hold pictures back; others say nothing of it.
#[test]
fn l_39_a_rooms_playout_delay_is_told_with_each_picture() {
    for playout_delay in [None, Some(PlayoutDelay::new(200, 1_500))] {
        for shard in [0, 1] {
            let config = WorldConfig { shards: 2, playout_delay, ..WorldConfig::default() };
            let mut world = World::new(config, begin());
            let (_, subscriber) = show(&mut world, 0, shard);
            let video = world.tracks("publisher")[0].clone();
            let got = world.client(subscriber).got(&video);
            assert!(!got.frames.is_empty());
            assert_eq!(got.playout_delay, playout_delay.map(|delay| (delay.min_ms.into(), delay.max_ms.into())));
        }
    }
}
