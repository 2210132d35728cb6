//! Who speaks (L-03, livekit.md 2.8).

mod stage;

use room::effect::{RoomEvent, Speaker};
use room::media::{AudioLevel, MediaEvent};
use room::{RoomInput, SessionId, TrackSid};
use stage::{Stage, microphone};
use std::time::Duration;

fn heard(stage: &mut Stage, session: SessionId, track: &TrackSid, level_dbov: u8, active_share: f32) {
    let level = AudioLevel { session, track: track.clone(), level_dbov, active_share };
    stage.media(MediaEvent::Levels { levels: vec![level] });
}

fn speakers(stage: &Stage, session: SessionId) -> Vec<Vec<Speaker>> {
    let lists = stage.told(session).into_iter().filter_map(|event| match &*event {
        RoomEvent::SpeakersChanged(list) => Some(list.clone()),
        _ => None,
    });
    lists.collect()
}

/// Alice with a live microphone, Bob who hears her.
fn scene(stage: &mut Stage) -> (SessionId, TrackSid, SessionId) {
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    stage.forget();
    (alice, mic, bob)
}

/// L-03: speech is told to those who hear it and to the speaker, in eighths; its end too, at level 0.
#[test]
fn l_03_speech_and_its_end_are_told() {
    let mut stage = Stage::new();
    let (alice, mic, bob) = scene(&mut stage);
    heard(&mut stage, alice, &mic, 10, 1.0);
    for session in [alice, bob] {
        let told = speakers(&stage, session);
        assert_eq!(told.len(), 1);
        // 2/3 of 10^(-10/20) = 0.21, in eighths.
        assert_eq!((told[0][0].level, told[0][0].active), (0.25, true));
    }
    for _ in 0..8 {
        heard(&mut stage, alice, &mic, 127, 0.0);
    }
    let last = speakers(&stage, bob).pop().expect("told");
    assert_eq!((last[0].level, last[0].active), (0.0, false));
}

/// L-03: only what changed is told.
#[test]
fn l_03_a_steady_voice_is_told_until_it_is_steady_and_then_no_more() {
    let mut stage = Stage::new();
    let (alice, mic, bob) = scene(&mut stage);
    for _ in 0..50 {
        heard(&mut stage, alice, &mic, 10, 1.0);
    }
    let told = speakers(&stage, bob);
    assert_eq!(told.last().expect("told")[0].level, 0.375);
    assert!(told.len() <= 2, "{told:?}");
}

/// L-03: a window counts if 40 % of it was loud enough.
#[test]
fn l_03_a_cough_is_no_speech() {
    let mut stage = Stage::new();
    let (alice, mic, bob) = scene(&mut stage);
    heard(&mut stage, alice, &mic, 10, 0.39);
    assert!(speakers(&stage, bob).is_empty());
    heard(&mut stage, alice, &mic, 10, 0.4);
    assert_eq!(speakers(&stage, bob).len(), 1);
}

#[test]
fn those_who_do_not_receive_a_speaker_are_not_told() {
    let mut stage = Stage::new();
    let (alice, mic, bob) = scene(&mut stage);
    stage.input(RoomInput::UpdateSubscription { session: bob, tracks: vec![mic.clone()], subscribe: false });
    heard(&mut stage, alice, &mic, 10, 1.0);
    assert_eq!((speakers(&stage, bob).len(), speakers(&stage, alice).len()), (0, 1));
}

#[test]
fn a_voice_of_which_nothing_more_comes_falls_silent() {
    let mut stage = Stage::new();
    let (alice, mic, bob) = scene(&mut stage);
    heard(&mut stage, alice, &mic, 10, 1.0);
    stage.pass(Duration::from_millis(900));
    assert_eq!(speakers(&stage, bob).len(), 1, "one lost report is no silence");
    stage.pass(Duration::from_millis(200));
    assert!(!speakers(&stage, bob)[1][0].active);
}

#[test]
fn a_muted_track_speaks_no_more() {
    let mut stage = Stage::new();
    let (alice, mic, bob) = scene(&mut stage);
    heard(&mut stage, alice, &mic, 10, 1.0);
    stage.input(RoomInput::Mute { session: alice, track: mic.clone(), muted: true });
    assert!(!speakers(&stage, bob)[1][0].active);
    heard(&mut stage, alice, &mic, 10, 1.0);
    assert_eq!(speakers(&stage, bob).len(), 2, "what the shard heard before the mute reached it");
}

#[test]
fn the_loudest_comes_first() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let quiet = stage.publish(alice, microphone("a"));
    let loud = stage.publish(bob, microphone("b"));
    stage.forget();
    let level = |session, track, level_dbov| AudioLevel { session, track, level_dbov, active_share: 1.0 };
    stage.media(MediaEvent::Levels { levels: vec![level(alice, quiet, 25), level(bob, loud, 3)] });
    let told = speakers(&stage, alice);
    assert_eq!(told.len(), 1);
    assert!(told[0][0].level > told[0][1].level);
}
