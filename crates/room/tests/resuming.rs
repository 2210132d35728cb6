//! Coming back to a session whose signalling broke (L-31, livekit.md 2.9).

mod stage;

use room::effect::{LeaveAction, RoomEvent};
use room::input::SyncState;
use room::limits::MAX_FAREWELLS;
use room::media::{ConnectionMode, MediaCommand, MediaEnd, MediaEvent};
use room::participant::{DisconnectReason, ParticipantState};
use room::settings::TrackSettings;
use room::{Identity, ParticipantSid, RoomInput, SessionId, TrackSid};
use stage::{Stage, camera, microphone};

const SEQUENCE: u32 = 41;

/// Alice and Bob, both connected.
fn two(stage: &mut Stage) -> (SessionId, SessionId) {
    let sessions = (stage.join("alice"), stage.join("bob"));
    stage.connect(sessions.0);
    stage.connect(sessions.1);
    stage.forget();
    sessions
}

fn lose_signal(stage: &mut Stage, session: SessionId) {
    stage.input(RoomInput::SignalLost { session });
}

/// A new connection, and the shard's answer.
fn resume(stage: &mut Stage, session: SessionId) {
    stage.input(RoomInput::Resume { session });
    stage.media(MediaEvent::Resumed { session, last_message_seq: SEQUENCE });
}

fn sid_of(stage: &Stage, name: &str) -> ParticipantSid {
    stage.room.participant(&Identity::token(name)).expect("is there").sid.clone()
}

fn may_resume(stage: &Stage, name: &str, sid: &ParticipantSid) -> bool {
    stage.room.check_resume(stage.now(), &Identity::token(name), sid).is_some()
}

/// What a client breaks on: Resumed first and nothing before it, then the gone, then everybody, then the room.
#[test]
fn l_31_whoever_resumes_is_told_in_this_order() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    stage.join("carol");
    lose_signal(&mut stage, alice);
    stage.forget();
    let carol = stage.room.session_of(&Identity::token("carol")).expect("is there");
    stage.leave(carol);
    stage.input(RoomInput::Resume { session: alice });
    stage.publish(bob, camera("cam"));
    assert!(stage.told(alice).is_empty(), "the shard has not answered");
    assert!(stage.commands().iter().any(|command| matches!(command, MediaCommand::Resume { .. })));
    stage.media(MediaEvent::Resumed { session: alice, last_message_seq: SEQUENCE });
    let told = stage.told(alice);
    assert_eq!(*told[0], RoomEvent::Resumed { last_message_seq: SEQUENCE, transport: Default::default() });
    let RoomEvent::ParticipantsUpdated(gone) = &*told[1] else { panic!("{told:?}") };
    assert_eq!((&*gone[0].identity.id, gone[0].state), ("carol", ParticipantState::Disconnected));
    let RoomEvent::ParticipantsUpdated(all) = &*told[2] else { panic!("{told:?}") };
    assert_eq!(all.iter().map(|who| &*who.identity.id).collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!(all[1].tracks.len(), 1, "as they are now");
    assert!(matches!(*told[3], RoomEvent::RoomUpdated(_)));
    assert_eq!(told.len(), 4);
}

#[test]
fn l_31_the_others_notice_nothing_and_the_media_is_left_alone() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    let track = stage.publish(alice, camera("cam"));
    stage.forget();
    lose_signal(&mut stage, alice);
    stage.pass_secs(60);
    resume(&mut stage, alice);
    stage.pass_secs(60);
    assert!(stage.updates(bob).iter().all(|info| &*info.identity.id != "alice"));
    assert!(stage.unsubscribed().is_empty() && stage.subscribed().is_empty());
    stage.input(RoomInput::Mute { session: alice, track, muted: true });
    assert!(stage.seen(bob, "alice").is_some(), "heard again");
}

/// L-28: the grace ends with the resume.
#[test]
fn l_28_who_resumes_before_any_media_was_there_is_not_put_out() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    lose_signal(&mut stage, alice);
    stage.pass_secs(19);
    resume(&mut stage, alice);
    stage.pass_secs(60);
    assert!(!stage.closed(alice));
}

/// A connection that broke unnoticed: what was told of late may not have arrived.
#[test]
fn l_31_who_left_shortly_before_the_loss_was_noticed_is_told_again() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    stage.leave(bob);
    stage.pass_secs(15);
    lose_signal(&mut stage, alice);
    stage.pass_secs(30);
    stage.forget();
    resume(&mut stage, alice);
    assert_eq!(stage.updates(alice).first().map(|info| info.state), Some(ParticipantState::Disconnected));
    let without_metadata = stage.updates(alice)[0].clone();
    assert!(without_metadata.tracks.is_empty() && without_metadata.metadata.is_empty());
}

/// Clients know people by identity: a farewell would take the one who is there.
#[test]
fn l_31_who_has_come_back_meanwhile_is_not_said_to_be_gone() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    lose_signal(&mut stage, alice);
    stage.leave(bob);
    stage.join("bob");
    stage.forget();
    resume(&mut stage, alice);
    let states: Vec<_> = stage.updates(alice).iter().map(|info| info.state).collect();
    assert_eq!(states, [ParticipantState::Active, ParticipantState::Joined]);
}

#[test]
fn l_31_the_hidden_stay_hidden_from_whoever_resumes() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    let ghost = stage.join_with("ghost", |join| join.permission.hidden = true);
    let other = stage.join_with("other ghost", |join| join.permission.hidden = true);
    lose_signal(&mut stage, alice);
    stage.leave(other);
    stage.forget();
    resume(&mut stage, alice);
    assert!(stage.updates(alice).iter().all(|info| !info.identity.id.contains("ghost")));
    stage.forget();
    resume(&mut stage, ghost);
    assert_eq!(&*stage.updates(ghost)[0].identity.id, "ghost", "but see themselves");
}

#[test]
fn l_31_only_the_same_sid_of_the_same_identity_may_resume() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    let (own, foreign) = (sid_of(&stage, "alice"), sid_of(&stage, "bob"));
    let found = stage.room.check_resume(stage.now(), &Identity::token("alice"), &own);
    assert_eq!(found, Some((alice, ConnectionMode::Single)));
    assert!(!may_resume(&stage, "alice", &foreign) && !may_resume(&stage, "bob", &own));
    stage.join("alice");
    assert!(!may_resume(&stage, "alice", &own), "that session was replaced");
    let present = sid_of(&stage, "alice");
    stage.leave(stage.room.session_of(&Identity::token("alice")).expect("is there"));
    assert!(!may_resume(&stage, "alice", &present));
}

#[test]
fn l_31_without_media_there_is_nothing_to_resume() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    let sid = sid_of(&stage, "alice");
    stage.media_ends(alice, MediaEnd::Connectivity);
    assert!(!may_resume(&stage, "alice", &sid));
    resume(&mut stage, alice);
    assert_eq!(stage.leave_told(alice), Some((DisconnectReason::StateMismatch, LeaveAction::Reconnect)));
}

/// The peer ends while the shard is being asked: the first word is `leave`.
#[test]
fn l_31_media_that_ends_during_the_resume_makes_it_a_reconnect() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    lose_signal(&mut stage, alice);
    stage.input(RoomInput::Resume { session: alice });
    stage.media_ends(alice, MediaEnd::Failed);
    let told = stage.told(alice);
    let leave = RoomEvent::Leave { reason: DisconnectReason::StateMismatch, action: LeaveAction::Reconnect };
    assert_eq!((told.len(), &*told[0]), (1, &leave));
    assert!(stage.closed(alice) && stage.seen(bob, "alice").is_some());
}

#[test]
fn l_31_a_connection_that_breaks_during_the_resume_is_lost_again() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    stage.input(RoomInput::Resume { session: alice });
    lose_signal(&mut stage, alice);
    stage.media(MediaEvent::Resumed { session: alice, last_message_seq: 0 });
    assert!(stage.told(alice).is_empty());
    resume(&mut stage, alice);
    stage.media(MediaEvent::Resumed { session: alice, last_message_seq: 0 });
    let resumed = stage.told(alice).into_iter().filter(|event| matches!(**event, RoomEvent::Resumed { .. }));
    assert_eq!(resumed.count(), 1, "an answer to an older connection is nobody's");
}

#[test]
fn l_31_who_missed_too_much_connects_anew() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    let sid = sid_of(&stage, "alice");
    lose_signal(&mut stage, alice);
    for _ in 0..MAX_FAREWELLS {
        let guest = stage.join("guest");
        stage.leave(guest);
    }
    assert!(may_resume(&stage, "alice", &sid));
    let guest = stage.join("guest");
    stage.leave(guest);
    assert!(!may_resume(&stage, "alice", &sid));
    let late = stage.join("late");
    stage.pass_secs(21);
    lose_signal(&mut stage, late);
    assert!(may_resume(&stage, "late", &sid_of(&stage, "late")), "who missed none of them may");
}

/// The sid of a track that was announced may have been lost with the old connection.
#[test]
fn l_31_announced_tracks_are_answered_again() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    let pending = stage.announce(alice, microphone("mic"));
    stage.publish(alice, camera("cam"));
    lose_signal(&mut stage, alice);
    stage.forget();
    resume(&mut stage, alice);
    assert_eq!(stage.published_sid(alice, "mic"), Some(pending));
    assert_eq!(stage.published_sid(alice, "cam"), None, "that one is live: they have its answer");
}

fn sync(stage: &mut Stage, session: SessionId, state: SyncState) {
    stage.input(RoomInput::SyncState { session, state: Box::new(state) });
}

#[test]
fn l_31_what_a_client_does_not_want_is_taken_from_its_sync_state() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    let (camera, microphone) = (stage.publish(bob, camera("cam")), stage.publish(bob, microphone("mic")));
    resume(&mut stage, alice);
    stage.forget();
    sync(&mut stage, alice, SyncState { tracks: vec![camera.clone()], ..SyncState::default() });
    assert_eq!(stage.unsubscribed(), [(alice, camera)].into());
    sync(&mut stage, alice, SyncState { tracks: vec![microphone], subscribe: true, ..SyncState::default() });
    assert!(stage.subscribed().is_empty(), "had it already");
}

#[test]
fn l_31_what_a_client_has_disabled_is_taken_from_its_sync_state() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    let (one, other) = (stage.publish(bob, camera("cam")), stage.publish(bob, camera("cam 2")));
    let disabled = TrackSettings { disabled: true, ..TrackSettings::default() };
    stage.input(RoomInput::UpdateTrackSettings { session: alice, tracks: vec![one.clone()], settings: disabled });
    resume(&mut stage, alice);
    stage.forget();
    sync(&mut stage, alice, SyncState { disabled: vec![other.clone()], ..SyncState::default() });
    let set = stage.commands().into_iter().filter_map(|command| match command {
        MediaCommand::SetTrackSettings { track, settings, .. } => Some((track, settings.layer.is_some())),
        _ => None,
    });
    assert_eq!(set.collect::<Vec<_>>(), [(one, true), (other, false)]);
}

#[test]
fn l_31_a_published_track_that_is_none_here_makes_it_a_reconnect() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    let track = stage.publish(alice, camera("cam"));
    resume(&mut stage, alice);
    sync(&mut stage, alice, SyncState { published: vec![track.clone()], ..SyncState::default() });
    assert_eq!(stage.leave_told(alice), None);
    let published = vec![track, TrackSid::new("TR_VCnowhere00000")];
    sync(&mut stage, alice, SyncState { published, ..SyncState::default() });
    assert_eq!(stage.leave_told(alice), Some((DisconnectReason::StateMismatch, LeaveAction::Reconnect)));
}

#[test]
fn l_44_what_a_client_has_of_each_sender_is_taken_from_its_sync_state() {
    // L-44
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    resume(&mut stage, alice);
    stage.forget();
    let received = vec![(ParticipantSid::new("PA_1"), 7)];
    sync(&mut stage, alice, SyncState { received: received.clone(), ..SyncState::default() });
    let commands = stage.commands();
    let replays = |command: &MediaCommand| matches!(command, MediaCommand::ReplayData { session, known } if (*session, known) == (alice, &received));
    assert!(commands.iter().any(replays), "{commands:?}");
}
