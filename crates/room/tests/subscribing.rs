//! Who receives what (livekit.md 2.7).

mod stage;

use room::effect::{RoomEvent, SubscriptionFailure};
use room::limits::{MAX_SUBSCRIPTION_CHOICES, RoomLimits};
use room::media::{MediaCommand, MediaEvent};
use room::participant::ClientInfo;
use room::settings::{TrackSettings, WantedPicture};
use room::{RoomConfig, RoomInput, SessionId, TrackSid};
use stage::{Stage, camera, microphone};
use std::sync::Arc;

fn choose(stage: &mut Stage, session: SessionId, track: &TrackSid, subscribe: bool) {
    stage.input(RoomInput::UpdateSubscription { session, tracks: vec![track.clone()], subscribe });
}

/// L-21: everything is received by default, what is there and what comes.
#[test]
fn l_21_everything_is_received_by_default() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.publish(alice, microphone("m"));
    let bob = stage.join("bob");
    let cam = stage.publish(alice, camera("c"));
    assert_eq!(stage.subscribed(), [(bob, mic.clone()), (bob, cam.clone())].into());
    let permitted: Vec<_> = stage.told(bob).iter().filter_map(|event| permitted(event)).collect();
    assert_eq!(permitted, [(mic, true), (cam, true)]);
}

fn permitted(event: &RoomEvent) -> Option<(TrackSid, bool)> {
    match event {
        RoomEvent::SubscriptionPermission { track, allowed, .. } => Some((track.clone(), *allowed)),
        _ => None,
    }
}

/// L-21: `auto_subscribe=0` receives nothing until it asks, and then just that.
#[test]
fn l_21_without_auto_subscribe_only_what_was_asked_for() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.publish(alice, microphone("m"));
    let bob = stage.join_with("bob", |join| join.auto_subscribe = false);
    stage.publish(alice, camera("c"));
    assert_eq!(stage.subscribed().len(), 0);
    choose(&mut stage, bob, &mic, true);
    assert_eq!(stage.subscribed(), [(bob, mic)].into());
}

/// L-22: unsubscribing stops the media, and it can be had again.
#[test]
fn l_22_unsubscribe_stops_the_media_and_it_may_be_resubscribed() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    for _ in 0..2 {
        stage.forget();
        choose(&mut stage, bob, &mic, false);
        assert_eq!(stage.unsubscribed(), [(bob, mic.clone())].into());
        choose(&mut stage, bob, &mic, true);
        assert_eq!(stage.subscribed(), [(bob, mic.clone())].into());
    }
}

#[test]
fn asking_twice_is_asking_once() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    stage.forget();
    choose(&mut stage, bob, &mic, true);
    assert!(stage.commands().is_empty(), "is received already");
    choose(&mut stage, bob, &mic, false);
    choose(&mut stage, bob, &mic, false);
    assert_eq!(stage.commands().len(), 1);
}

#[test]
fn an_own_track_cannot_be_subscribed() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.publish(alice, microphone("m"));
    stage.forget();
    choose(&mut stage, alice, &mic, true);
    assert_eq!(failures(&stage, alice), [(mic, SubscriptionFailure::NotFound)]);
    assert!(stage.commands().is_empty());
}

fn failures(stage: &Stage, session: SessionId) -> Vec<(TrackSid, SubscriptionFailure)> {
    let failed = |event: &Arc<RoomEvent>| match &**event {
        RoomEvent::SubscriptionFailed { track, failure } => Some((track.clone(), *failure)),
        _ => None,
    };
    stage.told(session).iter().filter_map(failed).collect()
}

/// L-35: a track may be asked for before it is there, and comes when it is.
#[test]
fn l_35_a_wish_for_a_track_that_is_not_there_yet_is_kept() {
    // L-05, L-35
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.announce(alice, microphone("m"));
    let bob = stage.join_with("bob", |join| join.auto_subscribe = false);
    choose(&mut stage, bob, &mic, true);
    stage.pass_secs(59);
    stage.go_live(alice, &mic);
    assert_eq!(stage.subscribed(), [(bob, mic)].into());
    stage.pass_secs(120);
    assert_eq!(failures(&stage, bob), []);
}

/// L-35: what is not there after a minute is said not to be there, once, however often it was asked for.
#[test]
fn l_35_a_track_that_never_comes_is_said_to_be_missing() {
    let mut stage = Stage::new();
    let bob = stage.join("bob");
    let nowhere = TrackSid::new("TR_AMnowhere00000");
    choose(&mut stage, bob, &nowhere, true);
    stage.pass_secs(30);
    choose(&mut stage, bob, &nowhere, true);
    stage.pass_secs(29);
    assert_eq!(failures(&stage, bob), []);
    stage.pass_secs(1);
    assert_eq!(failures(&stage, bob), [(nowhere.clone(), SubscriptionFailure::NotFound)]);
    stage.pass_secs(120);
    assert_eq!(failures(&stage, bob).len(), 1);
    choose(&mut stage, bob, &nowhere, true);
    choose(&mut stage, bob, &nowhere, false);
    stage.pass_secs(120);
    assert_eq!(failures(&stage, bob).len(), 1, "a wish that was taken back");
}

/// A client can't make a room remember without end.
#[test]
fn choices_are_limited() {
    let mut stage = Stage::new();
    let bob = stage.join("bob");
    for number in 0..MAX_SUBSCRIPTION_CHOICES {
        choose(&mut stage, bob, &TrackSid::new(format!("TR_{number}")), true);
    }
    stage.forget();
    let more = TrackSid::new("TR_more");
    choose(&mut stage, bob, &more, true);
    assert_eq!(failures(&stage, bob), [(more, SubscriptionFailure::Refused)]);
}

/// L-51: who may not subscribe receives nothing and is told so.
#[test]
fn l_51_without_can_subscribe_nothing_is_received() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.publish(alice, microphone("m"));
    let bob = stage.join_with("bob", |join| join.permission.can_subscribe = false);
    stage.publish(alice, camera("c"));
    choose(&mut stage, bob, &mic, true);
    assert_eq!(stage.subscribed().len(), 0);
    assert_eq!(stage.told(bob).iter().filter_map(|event| permitted(event)).collect::<Vec<_>>(), [(mic, false)]);
}

#[test]
fn who_leaves_is_no_longer_received() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    stage.forget();
    stage.leave(alice);
    assert_eq!(stage.unsubscribed(), [(bob, mic)].into());
    assert!(matches!(stage.commands().last(), Some(MediaCommand::RemovePeer { session }) if *session == alice));
}

/// L-37, L-38: settings reach the receiver's shard, also those that came before the subscription, and end with the track.
#[test]
fn l_37_l_38_settings_reach_the_shard_before_and_after_subscribing() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join_with("bob", |join| join.auto_subscribe = false));
    let cam = stage.publish(alice, camera("c"));
    let set = |stage: &mut Stage, session, quality| {
        stage.forget();
        let settings = TrackSettings { picture: WantedPicture::Quality(quality), ..TrackSettings::default() };
        stage.input(RoomInput::UpdateTrackSettings { session, tracks: vec![cam.clone()], settings });
    };
    let layers = |stage: &Stage| -> Vec<Option<u8>> {
        let layer = |command: &MediaCommand| match command {
            MediaCommand::Subscribe { settings, .. } | MediaCommand::SetTrackSettings { settings, .. } => {
                Some(settings.layer)
            }
            _ => None,
        };
        stage.commands().iter().filter_map(layer).collect()
    };
    set(&mut stage, bob, 0);
    assert_eq!(layers(&stage), [], "nothing is sent yet");
    choose(&mut stage, bob, &cam, true);
    assert_eq!(layers(&stage), [Some(0)]);
    set(&mut stage, bob, 3);
    assert_eq!(layers(&stage), [None]);
    set(&mut stage, alice, 0);
    assert_eq!(layers(&stage), [], "one's own track is none that one receives");
}

/// Whoever receives as many as the operator allows gets the next one when a place is free.
#[test]
fn l_55_subscriptions_are_limited_by_kind() {
    let limits = RoomLimits { video_subscriptions: 1, ..RoomLimits::default() };
    let mut stage = Stage::with(RoomConfig { limits, ..RoomConfig::default() });
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let first = stage.publish(alice, camera("c"));
    let second = stage.publish(alice, camera("d"));
    let mic = stage.publish(alice, microphone("m"));
    assert_eq!(stage.subscribed(), [(bob, first.clone()), (bob, mic)].into());
    assert_eq!(failures(&stage, bob), [], "nobody asked by name");
    choose(&mut stage, bob, &second, true);
    assert_eq!(failures(&stage, bob), [(second.clone(), SubscriptionFailure::Refused)]);
    stage.forget();
    choose(&mut stage, bob, &first, false);
    assert_eq!(stage.subscribed(), [(bob, second.clone())].into());
    let third = stage.publish(alice, camera("e"));
    stage.forget();
    stage.media(MediaEvent::TrackEnded { session: alice, track: second });
    assert_eq!(stage.subscribed(), [(bob, third)].into());
}

/// livekit.md 2.5: where streams are to be in step, a participant's camera and microphone share one.
#[test]
fn streams_in_step_share_an_msid() {
    let streams = |sync_streams: bool, protocol, browser: &str| {
        let mut stage = Stage::with(RoomConfig { sync_streams, ..RoomConfig::default() });
        let alice = stage.join("alice");
        let mic = stage.publish(alice, microphone("m"));
        stage.join_with("bob", |join| {
            join.client = ClientInfo { protocol, browser: browser.into(), ..ClientInfo::default() };
        });
        let sid = stage.joined(alice).1.sid.clone();
        let stream = stage.commands().into_iter().find_map(|command| match command {
            MediaCommand::Subscribe { stream_id, .. } => Some(stream_id),
            _ => None,
        });
        (stream.expect("subscribed"), format!("{sid}|camera"), format!("{sid}|{mic}"))
    };
    let (stream, shared, _) = streams(true, 10, "chrome");
    assert_eq!(stream, shared);
    for (sync_streams, protocol, browser) in [(false, 17, "chrome"), (true, 9, "chrome"), (true, 17, "firefox")] {
        let (stream, _, own) = streams(sync_streams, protocol, browser);
        assert_eq!(stream, own);
    }
}
