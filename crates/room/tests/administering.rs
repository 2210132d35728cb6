//! What the server API asks of a room (L-06, L-36, L-43, L-55).

mod stage;

use room::admin::TooLong;
use room::effect::RoomEvent;
use room::media::MediaCommand;
use room::permission::Permission;
use room::track::TrackSource;
use room::{AdminError, AdminRequest, Identity, ProfileChange, RoomConfig, SessionId, TrackSid};
use stage::{Stage, Step, camera, microphone};

fn mute(stage: &mut Stage, who: &str, track: &TrackSid, muted: bool) -> Result<(), AdminError> {
    stage.administer(AdminRequest::Mute { identity: Identity::token(who), track: track.clone(), muted })
}

fn permit(stage: &mut Stage, who: &str, permission: Permission) {
    let identity = Identity::token(who);
    let request =
        AdminRequest::UpdateParticipant { identity, profile: ProfileChange::default(), permission: Some(permission) };
    stage.administer(request).expect("they are there");
}

fn mute_requests(stage: &Stage, session: SessionId) -> Vec<(TrackSid, bool)> {
    let told = stage.told(session);
    let requests = told.iter().filter_map(|event| match &**event {
        RoomEvent::MuteRequested { track, muted } => Some((track.clone(), *muted)),
        _ => None,
    });
    requests.collect()
}

/// L-06: the client is told, and the others see it at once.
#[test]
fn l_06_a_track_is_muted_from_outside() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    stage.forget();
    mute(&mut stage, "alice", &mic, true).unwrap();
    assert_eq!(mute_requests(&stage, alice), [(mic.clone(), true)]);
    assert!(stage.seen(bob, "alice").expect("an update").tracks[0].muted);
    assert!(stage.commands().iter().any(|command| matches!(command, MediaCommand::SetMuted { muted: true, .. })));
}

/// L-06: a microphone opens by its owner's hand, unless the operator wants it otherwise.
#[test]
fn l_06_remote_unmute_is_off_unless_set() {
    let unmuted = |enable_remote_unmute| {
        let mut stage = Stage::with(RoomConfig { enable_remote_unmute, ..RoomConfig::default() });
        let alice = stage.join("alice");
        let mic = stage.publish(alice, microphone("m"));
        mute(&mut stage, "alice", &mic, true).unwrap();
        stage.forget();
        let done = mute(&mut stage, "alice", &mic, false);
        (done, mute_requests(&stage, alice))
    };
    assert_eq!(unmuted(false), (Err(AdminError::RemoteUnmuteDisabled), vec![]));
    let (done, requests) = unmuted(true);
    assert_eq!(done, Ok(()));
    assert!(!requests[0].1);
}

#[test]
fn l_06_only_what_they_publish_can_be_muted() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.join("bob");
    let mic = stage.publish(alice, microphone("m"));
    assert_eq!(mute(&mut stage, "bob", &mic, true), Err(AdminError::NoTrack));
    assert_eq!(mute(&mut stage, "nobody", &mic, true), Err(AdminError::NoParticipant));
}

/// L-43: what is named changes, an empty attribute goes, everybody sees it, and their next token says it.
#[test]
fn l_43_a_participant_is_updated_from_outside() {
    let mut stage = Stage::new();
    let alice = stage.join_with("alice", |join| join.attributes = [("old".into(), "1".into())].into());
    let bob = stage.join("bob");
    stage.forget();
    let profile = ProfileChange {
        metadata: Some("row 3".into()),
        attributes: [("old".into(), String::new()), ("new".into(), "2".into())].into(),
        ..ProfileChange::default()
    };
    let identity = Identity::token("alice");
    stage.administer(AdminRequest::UpdateParticipant { identity, profile, permission: None }).unwrap();
    let seen = stage.seen(bob, "alice").expect("an update");
    assert_eq!((seen.name.as_str(), seen.metadata.as_str()), ("ALICE", "row 3"));
    assert_eq!(seen.attributes, [("new".to_owned(), "2".to_owned())].into());
    assert!(stage.told(alice).iter().any(
        |event| matches!(&**event, RoomEvent::ClaimsChanged { you } if you.metadata == "row 3" && you.name == "ALICE")
    ));
}

#[test]
fn l_43_too_much_is_refused_whole() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.forget();
    let profile = ProfileChange {
        name: Some("Alice".into()),
        metadata: Some("m".repeat(512 * 1024 + 1)),
        ..ProfileChange::default()
    };
    let identity = Identity::token("alice");
    let permission = Some(Permission { can_publish: false, ..Permission::default() });
    let done = stage.administer(AdminRequest::UpdateParticipant { identity, profile, permission });
    assert_eq!(done, Err(AdminError::TooLong(TooLong::Metadata)));
    assert!(stage.told(alice).is_empty());
}

/// L-06, L-67: who may not publish any more publishes no more, and is told which tracks ended; the shard before the others.
#[test]
fn l_67_revoking_publishing_ends_tracks() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    let cam = stage.publish(alice, camera("c"));
    let pending = stage.announce(alice, camera("d"));
    stage.forget();
    let sources = vec![TrackSource::Microphone];
    permit(&mut stage, "alice", Permission { can_publish_sources: sources, ..Permission::default() });
    assert_eq!(unpublished(&stage, alice), [cam.clone(), pending]);
    assert_eq!(stage.unsubscribed(), [(bob, cam)].into());
    assert_eq!(stage.seen(bob, "alice").expect("an update").tracks.len(), 1);
    permit(&mut stage, "alice", Permission { can_publish: false, ..Permission::default() });
    assert_eq!(unpublished(&stage, alice).last(), Some(&mic));
    let ended = stage.commands().iter().filter(|command| matches!(command, MediaCommand::EndTrack { .. })).count();
    assert_eq!(ended, 3);
}

fn unpublished(stage: &Stage, session: SessionId) -> Vec<TrackSid> {
    let told = stage.told(session);
    let sids = told.iter().filter_map(|event| match &**event {
        RoomEvent::TrackUnpublished { sid } => Some(sid.clone()),
        _ => None,
    });
    sids.collect()
}

/// L-06, L-67: receiving ends and begins with the permission; what was chosen is remembered.
#[test]
fn l_67_revoking_and_granting_subscribing() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    let cam = stage.publish(alice, camera("c"));
    let tracks = vec![cam.clone()];
    let identity = Identity::token("bob");
    stage.administer(AdminRequest::UpdateSubscriptions { identity, tracks, subscribe: false }).unwrap();
    stage.forget();
    permit(&mut stage, "bob", Permission { can_subscribe: false, ..Permission::default() });
    assert_eq!(stage.unsubscribed(), [(bob, mic.clone())].into());
    assert!(
        stage
            .commands()
            .iter()
            .any(|command| matches!(command, MediaCommand::SetSender { sender, .. } if !sender.can_subscribe))
    );
    stage.forget();
    permit(&mut stage, "bob", Permission::default());
    assert_eq!(stage.subscribed(), [(bob, mic)].into());
}

/// L-67: who is hidden goes out of sight, and comes back into it.
#[test]
fn l_67_hiding_and_showing() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    stage.forget();
    permit(&mut stage, "alice", Permission { hidden: true, ..Permission::default() });
    let last = stage.seen(bob, "alice").expect("a farewell");
    assert!(last.disconnect_reason.is_some() && last.tracks.is_empty());
    assert_eq!(stage.unsubscribed(), [(bob, mic.clone())].into());
    stage.forget();
    permit(&mut stage, "alice", Permission::default());
    let again = stage.seen(bob, "alice").expect("there again");
    assert!(again.version > last.version && again.tracks.len() == 1);
    assert_eq!(stage.subscribed(), [(bob, mic)].into());
    let shown = stage.position(|step| matches!(step, Step::Told(to, event) if *to == bob && matches!(&**event, RoomEvent::ParticipantsUpdated(_))));
    assert!(shown < stage.position(|step| matches!(step, Step::Command(MediaCommand::Subscribe { .. }))));
}

/// L-36: as if they had chosen themselves, for tracks to come too.
#[test]
fn l_36_subscriptions_are_changed_from_outside() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let bob = stage.join_with("bob", |join| join.auto_subscribe = false);
    let mic = stage.publish(alice, microphone("m"));
    let cam = stage.announce(alice, camera("c"));
    let choose = |stage: &mut Stage, who: &str, subscribe| {
        let tracks = vec![mic.clone(), cam.clone()];
        stage.administer(AdminRequest::UpdateSubscriptions { identity: Identity::token(who), tracks, subscribe })
    };
    choose(&mut stage, "bob", true).unwrap();
    assert_eq!(stage.subscribed(), [(bob, mic.clone())].into());
    stage.go_live(alice, &cam);
    assert_eq!(stage.subscribed(), [(bob, mic.clone()), (bob, cam.clone())].into());
    choose(&mut stage, "bob", false).unwrap();
    assert_eq!(stage.unsubscribed(), [(bob, mic.clone()), (bob, cam.clone())].into());
    assert_eq!(choose(&mut stage, "nobody", true), Err(AdminError::NoParticipant));
}

/// L-55: at once, and only if it changed.
#[test]
fn l_55_the_rooms_metadata_is_told_to_everybody() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.forget();
    let change = |stage: &mut Stage, text: &str| {
        stage.administer(AdminRequest::UpdateRoomMetadata { metadata: text.to_owned() })
    };
    change(&mut stage, "act 2").unwrap();
    change(&mut stage, "act 2").unwrap();
    let told = stage.told(alice);
    assert_eq!(told.len(), 1);
    assert!(matches!(&*told[0], RoomEvent::RoomUpdated(room) if room.metadata == "act 2"));
    assert_eq!(change(&mut stage, &"m".repeat(512 * 1024 + 1)), Err(TooLong::Metadata.into()));
}
