//! Whom a publisher lets receive its tracks (L-67).

mod stage;

use room::effect::RoomEvent;
use room::input::{Subscriber, TrackPermission};
use room::{Identity, RoomInput, SessionId, TrackSid};
use stage::{Stage, camera, microphone};

fn only(stage: &mut Stage, publisher: SessionId, permissions: Vec<TrackPermission>) {
    stage.input(RoomInput::SubscriptionPermission { session: publisher, everybody: false, permissions });
}

fn everybody(stage: &mut Stage, publisher: SessionId) {
    stage.input(RoomInput::SubscriptionPermission { session: publisher, everybody: true, permissions: Vec::new() });
}

fn all_tracks(identity: &str) -> TrackPermission {
    TrackPermission {
        subscriber: Subscriber::Identity(Identity::token(identity)),
        all_tracks: true,
        tracks: Vec::new(),
    }
}

fn these(identity: &str, tracks: &[&TrackSid]) -> TrackPermission {
    TrackPermission {
        all_tracks: false,
        tracks: tracks.iter().map(|sid| (*sid).clone()).collect(),
        ..all_tracks(identity)
    }
}

/// (track, allowed), as told.
fn permissions(stage: &Stage, session: SessionId) -> Vec<(TrackSid, bool)> {
    let told = stage.told(session);
    let told = told.iter().filter_map(|event| match &**event {
        RoomEvent::SubscriptionPermission { track, allowed, .. } => Some((track.clone(), *allowed)),
        _ => None,
    });
    told.collect()
}

/// L-67: who is not on the list loses the track and is told so; on the list again it comes by itself.
#[test]
fn l_67_who_is_not_let_in_receives_nothing_until_they_are() {
    let mut stage = Stage::new();
    let (alice, bob, carl) = (stage.join("alice"), stage.join("bob"), stage.join("carl"));
    let mic = stage.publish(alice, microphone("m"));
    stage.forget();
    only(&mut stage, alice, vec![all_tracks("carl")]);
    assert_eq!(stage.unsubscribed(), [(bob, mic.clone())].into());
    assert_eq!((permissions(&stage, bob), permissions(&stage, carl)), (vec![(mic.clone(), false)], vec![]));
    stage.forget();
    only(&mut stage, alice, vec![]);
    assert_eq!(permissions(&stage, bob), [], "said already");
    everybody(&mut stage, alice);
    assert_eq!(stage.subscribed(), [(bob, mic.clone()), (carl, mic.clone())].into());
    assert_eq!(permissions(&stage, bob), [(mic, true)]);
}

/// L-67: single tracks, by identity, before they or their receiver are there.
#[test]
fn l_67_the_list_names_tracks_and_people_to_come() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.announce(alice, microphone("m"));
    let cam = stage.announce(alice, camera("c"));
    only(&mut stage, alice, vec![these("bob", &[&cam])]);
    let bob = stage.join("bob");
    stage.go_live(alice, &mic);
    stage.go_live(alice, &cam);
    assert_eq!(stage.subscribed(), [(bob, cam.clone())].into());
    assert_eq!(permissions(&stage, bob), [(mic, false), (cam, true)]);
}

/// L-67: a sid names who is there now.
#[test]
fn l_67_the_list_names_sids() {
    let mut stage = Stage::new();
    let (alice, bob, carl) = (stage.join("alice"), stage.join("bob"), stage.join("carl"));
    let mic = stage.publish(alice, microphone("m"));
    let sid = stage.joined(bob).1.sid.clone();
    only(
        &mut stage,
        alice,
        vec![TrackPermission { subscriber: Subscriber::Sid(sid), all_tracks: true, tracks: vec![] }],
    );
    assert_eq!(stage.unsubscribed(), [(carl, mic)].into());
    stage.leave(bob);
    stage.forget();
    stage.join("bob");
    assert_eq!(stage.subscribed().len(), 1, "by then the list is by identity");
}

/// L-67: nobody is told of a track that they don't want.
#[test]
fn l_67_an_unwanted_track_is_not_denied() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.publish(alice, microphone("m"));
    let bob = stage.join_with("bob", |join| join.auto_subscribe = false);
    only(&mut stage, alice, vec![]);
    assert_eq!(permissions(&stage, bob), []);
    stage.input(RoomInput::UpdateSubscription { session: bob, tracks: vec![mic.clone()], subscribe: true });
    assert_eq!(permissions(&stage, bob), [(mic.clone(), false)]);
    everybody(&mut stage, alice);
    assert_eq!(stage.subscribed(), [(bob, mic)].into());
}
