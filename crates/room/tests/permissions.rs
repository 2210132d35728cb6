//! What a token allows (L-51).

mod stage;

use room::RoomInput;
use room::effect::{RequestOutcome, RequestSubject, RoomEvent};
use room::track::TrackSource;
use stage::{Stage, camera, microphone};

/// L-51: without `canPublish` a track is refused in words that the client knows.
#[test]
fn l_51_without_can_publish_a_track_is_refused() {
    let mut stage = Stage::new();
    let alice = stage.join_with("alice", |join| join.permission.can_publish = false);
    stage.forget();
    stage.input(RoomInput::AddTrack { session: alice, request: Box::new(camera("c")) });
    let told = stage.told(alice);
    let RoomEvent::RequestResponse { outcome, subject, .. } = &*told[0] else { panic!("{told:?}") };
    assert_eq!(*outcome, RequestOutcome::NotAllowed);
    assert_eq!(*subject, RequestSubject::AddTrack { cid: "c".into() });
    assert!(stage.commands().is_empty());
}

/// L-51, L-67: `canPublishSources` limits what may be published.
#[test]
fn l_51_only_permitted_sources_may_be_published() {
    let mut stage = Stage::new();
    let sources = vec![TrackSource::Microphone];
    let alice = stage.join_with("alice", |join| join.permission.can_publish_sources = sources);
    stage.announce(alice, microphone("m"));
    stage.input(RoomInput::AddTrack { session: alice, request: Box::new(camera("c")) });
    assert!(stage.published_sid(alice, "c").is_none());
}

/// L-51: somebody hidden sees all and is seen by nobody, coming, publishing, changing or going.
#[test]
fn l_51_the_hidden_are_never_shown() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.publish(alice, microphone("a"));
    stage.forget();
    let ghost = stage.join_with("ghost", |join| {
        join.permission.hidden = true;
        join.permission.can_update_metadata = true;
    });
    assert_eq!(stage.joined(ghost).2.len(), 1, "the ghost sees alice");
    stage.connect(ghost);
    let track = stage.publish(ghost, camera("c"));
    stage.input(RoomInput::UpdateSubscription { session: alice, tracks: vec![track.clone()], subscribe: true });
    assert!(stage.subscribed().iter().all(|(session, _)| *session == ghost));
    stage.leave(ghost);
    assert!(stage.updates(alice).is_empty());
    let bob = stage.join("bob");
    assert_eq!(stage.joined(bob).2.len(), 1);
    assert_eq!(stage.room.info().num_participants, 2);
}

/// L-51: a recorder is hidden, and the room says that it is being recorded.
#[test]
fn l_51_a_recorder_is_hidden_but_the_recording_shows() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.join_with("recorder", |join| join.permission.recorder = true);
    assert!(stage.updates(alice).is_empty());
    let info = stage.room.info();
    assert_eq!((info.num_participants, info.active_recording), (1, true));
    assert_eq!(stage.room.participants().count(), 2, "the API sees it");
}
