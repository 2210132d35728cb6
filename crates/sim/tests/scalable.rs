//! Scalable video (SVC): all layers in one stream, and each receiver gets those that it wants (L-62).

mod common;

use common::{SECOND, contiguous, lossy_world, world};
use room::TrackSid;
use room::settings::{TrackSettings, WantedPicture};
use room::track::TrackKind;
use sim::{ClientId, World};

fn begin(world: &mut World, subscriber_shard: u8) -> (ClientId, ClientId, TrackSid) {
    let publisher = world.join("publisher", 0);
    let subscriber = world.join("subscriber", subscriber_shard);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &[]);
    world.client(publisher).film_scalable();
    world.run(SECOND * 4);
    (publisher, subscriber, world.tracks("publisher")[0].clone())
}

fn want(world: &mut World, client: ClientId, track: &TrackSid, quality: i32) {
    let picture = WantedPicture::Quality(quality);
    world.settings(client, track, TrackSettings { picture, ..TrackSettings::default() });
}

/// The layers of the last picture, and whether each picture since had its end marked, once, at the highest of them.
fn last_layers(world: &mut World, client: ClientId, track: &TrackSid, since: usize) -> Vec<u8> {
    let got = world.client(client).got(track);
    let last = got.frames[got.frames.len() - 1].0;
    let highest = |frame: u16| got.frames.iter().filter(|got| got.0 == frame).map(|got| got.1).max();
    let mut pictures: Vec<_> = got.frames[since..].iter().map(|(frame, _)| *frame).collect();
    pictures.dedup();
    for picture in pictures.into_iter().filter(|picture| *picture < last) {
        let ends: Vec<_> = got.ends.iter().filter(|end| end.0 == picture).map(|end| end.1).collect();
        assert_eq!(ends, Vec::from_iter(highest(picture)), "picture {picture} ends once, with its highest layer");
    }
    // The last whole picture: of the very last one packets may be under way.
    let whole = last.wrapping_sub(1);
    got.frames.iter().filter(|got| got.0 == whole).map(|got| got.1).collect()
}

#[test]
fn l_62_a_receiver_gets_the_layers_up_to_its_own_and_the_numbers_go_on() {
    for shard in [0, 1] {
        let mut world = world(2);
        let (publisher, subscriber, track) = begin(&mut world, shard);
        let other = world.join("other", shard);
        world.run(SECOND * 2);
        let keyframes = world.client(publisher).keyframes_sent();
        for (wanted, layers) in [(2, vec![0, 1, 2]), (0, vec![0]), (1, vec![0, 1]), (0, vec![0]), (2, vec![0, 1, 2])] {
            want(&mut world, subscriber, &track, wanted);
            world.run(SECOND);
            let since = world.client(subscriber).got(&track).frames.len();
            world.run(SECOND);
            assert_eq!(last_layers(&mut world, subscriber, &track, since), layers, "shard {shard}, quality {wanted}");
            let since = world.client(other).got(&track).frames.len() - 6;
            assert_eq!(last_layers(&mut world, other, &track, since), [0, 1, 2], "shard {shard}: the other's");
        }
        let got = world.client(subscriber).got(&track);
        assert!(contiguous(&got.sequences), "shard {shard}: layers that are left out leave no hole");
        assert!(got.timestamps.is_sorted(), "shard {shard}: time goes forward");
        let asked = world.client(publisher).keyframes_sent() - keyframes;
        assert!((2..=4).contains(&asked), "shard {shard}: a keyframe for each step up: {asked}");
    }
}

/// Packets that are lost on the way to us come again, too late for their place to be left out.
#[test]
fn l_62_lost_packets_of_upper_layers_leave_no_hole_either() {
    let mut world = lossy_world(0.05, 20);
    let (_, subscriber, track) = begin(&mut world, 0);
    want(&mut world, subscriber, &track, 0);
    world.run(SECOND * 2);
    let since = world.client(subscriber).got(&track).frames.len();
    world.run(SECOND * 6);
    let got = world.client(subscriber).got(&track);
    let low: Vec<_> = got.frames[since..].iter().filter(|(_, layer)| *layer == 0).collect();
    assert!(low.len() >= 145, "{} of 150 pictures", low.len());
    let mut sequences = got.sequences.clone();
    sequences.sort_unstable();
    let missing = sequences.windows(2).map(|pair| pair[1] - pair[0] - 1).sum::<u64>();
    // What was lost for good before it came to us has no layer that we know.
    assert!(missing * 100 <= 3 * sequences.len() as u64, "{missing} places never filled, of {}", sequences.len());
}
