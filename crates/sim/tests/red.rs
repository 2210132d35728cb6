//! RED to those who take it, Opus to those who don't (L-64).

mod common;

use common::{SECOND, contiguous, lossy_world, world};
use room::RoomEvent;
use room::track::TrackKind;
use sim::{ClientId, Takes, World};
use std::collections::BTreeMap;

/// As Firefox.
const NO_RED: Takes = Takes { red: false, vp9: true, transport_feedback: true, own_channel: None };

/// A speaker (who sends RED or doesn't), then a listener with RED and one without, on these shards; two seconds of sound.
fn talk(world: &mut World, speaker_sends_red: bool, shards: [u8; 3]) -> [ClientId; 3] {
    let speaker = if speaker_sends_red {
        world.join("speaker", shards[0])
    } else {
        world.join_with("speaker", shards[0], NO_RED)
    };
    let (with, without) = (world.join("with", shards[1]), world.join_with("without", shards[2], NO_RED));
    world.run(SECOND);
    world.publish(speaker, TrackKind::Audio, &[]);
    world.run(SECOND * 2);
    [speaker, with, without]
}

/// The sounds that somebody heard, with the sequence numbers under which they came: each the same distance apart.
fn sounds(world: &mut World, listener: ClientId) -> BTreeMap<u64, u64> {
    let track = world.tracks("speaker")[0].clone();
    let got = world.client(listener).got(&track);
    let sounds: BTreeMap<_, _> = got.sounds.iter().copied().collect();
    let mut distances = got.sounds.iter().map(|(number, sequence)| sequence.wrapping_sub(*number));
    let first = distances.next();
    assert!(distances.all(|distance| Some(distance) == first), "every sound has its own place, repeated ones too");
    sounds
}

fn mime(world: &mut World, listener: ClientId) -> String {
    let told = world.client(listener).events.iter().rev().find_map(|event| match &**event {
        RoomEvent::ParticipantsUpdated(who) => Some(who.iter().find_map(|who| Some(who.tracks.first()?.mime.clone()))?),
        _ => None,
    });
    told.unwrap_or_default()
}

#[test]
fn l_64_red_goes_to_those_who_take_it_and_opus_to_those_who_do_not() {
    for shards in [[0, 0, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]] {
        let mut world = world(2);
        let [_, with, without] = talk(&mut world, true, shards);
        let track = world.tracks("speaker")[0].clone();
        let red = world.client(with).got(&track);
        assert!(red.sound >= 80 && red.red == red.sound, "{} of {} came as RED", red.red, red.sound);
        let opus = world.client(without).got(&track);
        assert!(opus.sound >= 80 && opus.red == 0, "{} of {} came as RED", opus.red, opus.sound);
        assert!(contiguous(&opus.sequences) && contiguous(&red.sequences));
        assert_eq!(mime(&mut world, without), "audio/red");
        sounds(&mut world, with);
        sounds(&mut world, without);
    }
}

#[test]
fn l_64_red_is_made_of_opus_for_those_who_take_it() {
    for shards in [[0, 0, 0], [0, 1, 1]] {
        let mut world = world(2);
        let [_, with, without] = talk(&mut world, false, shards);
        let track = world.tracks("speaker")[0].clone();
        assert_eq!(mime(&mut world, with), "audio/opus");
        let red = world.client(with).got(&track);
        assert!(red.sound >= 80 && red.red == red.sound);
        assert_eq!(world.client(without).got(&track).red, 0);
        let repeated = red.sounds.len() - sounds(&mut world, with).len();
        assert!(repeated + 2 >= sounds(&mut world, with).len(), "each sound came twice: {repeated} repeated");
    }
}

#[test]
fn l_64_a_packet_lost_on_the_way_up_is_taken_from_the_next_one() {
    let mut world = lossy_world(0.05, 5);
    let [_, with, without] = talk(&mut world, true, [0, 0, 0]);
    world.run(SECOND * 20);
    for listener in [with, without] {
        let sounds = sounds(&mut world, listener);
        let (first, last) = (sounds.keys().next().copied().unwrap_or(0), sounds.keys().last().copied().unwrap_or(0));
        let share = sounds.len() as f64 / (last - first + 1) as f64;
        // 5 % are lost each way. Without RED on the way down nothing repeats: 95 % of what RED saved on the way up.
        let least = if listener == with { 0.98 } else { 0.935 };
        assert!(share >= least, "{share} of the sounds were heard");
    }
}
