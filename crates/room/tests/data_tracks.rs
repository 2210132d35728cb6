//! Data tracks: published, shown, subscribed to, ended (L-65, livekit.md 2.6).

mod stage;

use room::data_track::{DataTrackRequest, ReceivedDataTrack};
use room::effect::{RequestOutcome, RequestSubject, RoomEvent};
use room::media::MediaCommand;
use room::{RoomInput, SessionId, TrackSid};
use stage::Stage;

fn request(handle: u32, name: &str) -> DataTrackRequest {
    DataTrackRequest { handle, name: name.to_owned(), encryption: 0, frame_encoding: None, schema: None }
}

fn publish(stage: &mut Stage, session: SessionId, handle: u32, name: &str) -> TrackSid {
    stage.input(RoomInput::PublishDataTrack { session, request: Box::new(request(handle, name)) });
    let told = stage.told(session);
    let published = told.iter().rev().find_map(|event| match &**event {
        RoomEvent::DataTrackPublished { track } if u32::from(track.handle) == handle => Some(track.sid.clone()),
        _ => None,
    });
    published.expect("the track was taken")
}

fn wish(stage: &mut Stage, session: SessionId, track: &TrackSid, subscribe: bool) {
    stage.input(RoomInput::UpdateDataSubscription { session, updates: vec![(track.clone(), subscribe)] });
}

fn received(stage: &Stage, session: SessionId) -> Vec<ReceivedDataTrack> {
    let told = stage.told(session);
    let lists = told.iter().filter_map(|event| match &**event {
        RoomEvent::DataTracksReceived(list) => Some(list.clone()),
        _ => None,
    });
    lists.flatten().collect()
}

fn commands(stage: &Stage) -> Vec<String> {
    let name = |command: &MediaCommand| match command {
        MediaCommand::PublishDataTrack { session, handle, .. } => Some(format!("publish {} {handle}", session.0)),
        MediaCommand::UnpublishDataTrack { session, .. } => Some(format!("unpublish {}", session.0)),
        MediaCommand::SubscribeDataTrack { session, handle, publisher, .. } => {
            Some(format!("subscribe {} to {} as {handle}", session.0, publisher.0))
        }
        MediaCommand::UnsubscribeDataTrack { session, .. } => Some(format!("unsubscribe {}", session.0)),
        _ => None,
    };
    stage.commands().iter().filter_map(name).collect()
}

#[test]
fn l_65_a_data_track_is_shown_to_all_and_sent_to_those_who_ask() {
    // L-65
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let sid = publish(&mut stage, alice, 7, "pose");
    assert!(sid.as_str().starts_with("DTR_"));
    let seen = stage.seen(bob, "alice").expect("bob sees it");
    assert_eq!((&seen.data_tracks[0].sid, &*seen.data_tracks[0].request.name), (&sid, "pose"));
    assert!(seen.is_publisher);
    assert_eq!(commands(&stage), ["publish 1 7"], "nobody gets it unasked");
    wish(&mut stage, bob, &sid, true);
    let handles = received(&stage, bob);
    assert_eq!((handles.len(), handles[0].handle, &handles[0].track), (1, 1, &sid));
    assert_eq!(&*handles[0].identity.id, "alice");
    assert_eq!(commands(&stage)[1..], ["subscribe 2 to 1 as 1"]);
    wish(&mut stage, bob, &sid, true);
    assert_eq!(received(&stage, bob).len(), 2, "who asks again is told again");
    assert_eq!(commands(&stage).len(), 2, "and subscribed once");
    wish(&mut stage, bob, &sid, false);
    assert_eq!(commands(&stage)[2..], ["unsubscribe 2"]);
}

#[test]
fn l_65_numbers_are_not_used_again_at_once() {
    // L-65: packets of the old track may still be on their way.
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let first = publish(&mut stage, alice, 1, "a");
    let second = publish(&mut stage, alice, 2, "b");
    wish(&mut stage, bob, &first, true);
    wish(&mut stage, bob, &first, false);
    wish(&mut stage, bob, &second, true);
    assert_eq!(received(&stage, bob).iter().map(|track| track.handle).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn l_65_what_may_not_be_published_is_refused_with_its_reason() {
    // L-65
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mute = stage.join_with("mute", |join| join.permission.can_publish_data = false);
    publish(&mut stage, alice, 1, "taken");
    let long = "n".repeat(257);
    let cases = [
        (mute, 1, "x", RequestOutcome::NotAllowed),
        (alice, 0, "x", RequestOutcome::InvalidHandle),
        (alice, 65_536, "x", RequestOutcome::InvalidHandle),
        (alice, 2, "", RequestOutcome::InvalidName),
        (alice, 2, &long, RequestOutcome::InvalidName),
        (alice, 1, "x", RequestOutcome::DuplicateHandle),
        (alice, 2, "taken", RequestOutcome::DuplicateName),
    ];
    for (session, handle, name, expected) in cases {
        stage.forget();
        stage.input(RoomInput::PublishDataTrack { session, request: Box::new(request(handle, name)) });
        let told = stage.told(session);
        let [event] = &told[..] else { panic!("{told:?}") };
        let RoomEvent::RequestResponse { outcome, subject, .. } = &**event else { panic!("{event:?}") };
        let echo = RequestSubject::PublishDataTrack { handle, name: name.to_owned() };
        assert_eq!((*outcome, subject), (expected, &echo));
    }
    for handle in 2..=256 {
        publish(&mut stage, alice, handle, &handle.to_string());
    }
    stage.forget();
    stage.input(RoomInput::PublishDataTrack { session: alice, request: Box::new(request(300, "more")) });
    let limit =
        |event: &RoomEvent| matches!(event, RoomEvent::RequestResponse { outcome: RequestOutcome::LimitExceeded, .. });
    assert!(limit(&stage.told(alice)[0]));
}

#[test]
fn l_65_an_unpublished_track_ends_for_everybody() {
    // L-65
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let sid = publish(&mut stage, alice, 7, "pose");
    wish(&mut stage, bob, &sid, true);
    stage.forget();
    stage.input(RoomInput::UnpublishDataTrack { session: alice, handle: 7 });
    assert_eq!(commands(&stage), ["unpublish 1", "unsubscribe 2"]);
    assert!(matches!(&*stage.told(alice)[0], RoomEvent::DataTrackUnpublished { track } if track.sid == sid));
    assert!(stage.seen(bob, "alice").expect("bob sees it go").data_tracks.is_empty());
    stage.forget();
    stage.input(RoomInput::UnpublishDataTrack { session: alice, handle: 7 });
    let told = stage.told(alice);
    assert!(matches!(&*told[0], RoomEvent::RequestResponse { outcome: RequestOutcome::NotFound, .. }));
    wish(&mut stage, bob, &sid, true);
    assert!(received(&stage, bob).is_empty());
}

#[test]
fn l_65_who_leaves_takes_their_data_tracks_along() {
    // L-65
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let sid = publish(&mut stage, alice, 7, "pose");
    wish(&mut stage, bob, &sid, true);
    stage.forget();
    stage.leave(alice);
    assert_eq!(commands(&stage), ["unsubscribe 2"]);
    assert!(stage.seen(bob, "alice").expect("bob sees her go").data_tracks.is_empty());
    let alice = stage.join("alice");
    let sid = publish(&mut stage, alice, 7, "pose");
    wish(&mut stage, bob, &sid, true);
    stage.leave(bob);
    stage.forget();
    stage.input(RoomInput::UnpublishDataTrack { session: alice, handle: 7 });
    assert_eq!(commands(&stage), ["unpublish 3"], "nobody receives it any more");
}

#[test]
fn l_65_who_wants_every_data_track_gets_it_and_who_may_not_subscribe_gets_none() {
    // L-65, L-67
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let early = publish(&mut stage, alice, 1, "early");
    let eager = stage.join_with("eager", |join| join.auto_subscribe_data = true);
    let late = publish(&mut stage, alice, 2, "late");
    let tracks: Vec<_> = received(&stage, eager).into_iter().map(|received| received.track).collect();
    assert_eq!(tracks, [early.clone(), late]);
    let deaf = stage.join_with("deaf", |join| join.permission.can_subscribe = false);
    wish(&mut stage, deaf, &early, true);
    assert!(received(&stage, deaf).is_empty());
    let ghost = stage.join_with("ghost", |join| join.permission.hidden = true);
    let hidden = publish(&mut stage, ghost, 1, "hidden");
    wish(&mut stage, alice, &hidden, true);
    assert!(received(&stage, alice).is_empty(), "nobody sees what a hidden participant publishes");
}
