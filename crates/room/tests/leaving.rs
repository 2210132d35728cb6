//! Every way out (L-27, L-28, livekit.md 2.9).

mod stage;

use room::effect::LeaveAction;
use room::media::{MediaEnd, MediaEvent};
use room::participant::{DisconnectReason, ParticipantState};
use room::{Identity, RoomInput, SessionId};
use stage::Stage;
use std::time::Duration;

fn lose_signal(stage: &mut Stage, session: SessionId) {
    stage.input(RoomInput::SignalLost { session });
}

/// Alice, connected, and Bob who watches her.
fn two(stage: &mut Stage) -> (SessionId, SessionId) {
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.connect(alice);
    stage.forget();
    (alice, bob)
}

/// L-24, L-27: the others see somebody go, and why.
#[test]
fn l_27_the_others_see_somebody_leave() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    stage.leave(alice);
    let seen = stage.seen(bob, "alice").expect("seen");
    assert_eq!(seen.state, ParticipantState::Disconnected);
    assert_eq!(seen.disconnect_reason, Some(DisconnectReason::ClientInitiated));
    assert_eq!(stage.leave_told(alice), None, "they know");
    assert!(stage.closed(alice));
}

/// L-28: signalling lost, media alive: they stay.
#[test]
fn l_28_who_lost_signalling_stays_while_the_media_lives() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    lose_signal(&mut stage, alice);
    stage.pass_secs(120);
    assert!(stage.seen(bob, "alice").is_none());
    stage.media_ends(alice, MediaEnd::Connectivity);
    let seen = stage.seen(bob, "alice").expect("now they are gone");
    assert_eq!(seen.disconnect_reason, Some(DisconnectReason::SignalClose));
}

/// L-28: signalling lost and no media: gone after 15 to 25 s.
#[test]
fn l_28_who_lost_signalling_without_media_is_gone_after_15_to_25_s() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.forget();
    lose_signal(&mut stage, alice);
    stage.pass_secs(15);
    assert!(stage.seen(bob, "alice").is_none());
    stage.pass_secs(10);
    assert_eq!(stage.seen(bob, "alice").map(|info| info.state), Some(ParticipantState::Disconnected));
    assert!(stage.told(alice).is_empty(), "there is no socket to tell them on");
}

#[test]
fn media_that_connects_after_the_signal_was_lost_keeps_them() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    lose_signal(&mut stage, alice);
    stage.pass_secs(10);
    stage.connect(alice);
    stage.forget();
    stage.pass_secs(60);
    assert!(stage.updates(bob).is_empty());
}

#[test]
fn whose_media_never_connects_stays_while_signalling_lives() {
    let mut stage = Stage::new();
    let (_alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.forget();
    stage.pass_secs(3600);
    assert!(stage.updates(bob).is_empty());
}

#[test]
fn lost_connectivity_is_a_reconnect_after_the_cleanup_time() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    stage.media_ends(alice, MediaEnd::Connectivity);
    stage.pass(Duration::from_millis(4900));
    assert_eq!(stage.leave_told(alice), None);
    stage.pass(Duration::from_millis(200));
    let leave = (DisconnectReason::ConnectionTimeout, LeaveAction::Reconnect);
    assert_eq!(stage.leave_told(alice), Some(leave));
    assert!(stage.closed(alice));
    assert!(stage.seen(bob, "alice").is_some());
}

#[test]
fn media_ends_once() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    stage.media_ends(alice, MediaEnd::Connectivity);
    stage.pass_secs(4);
    stage.media_ends(alice, MediaEnd::ClosedByPeer);
    stage.connect(alice);
    stage.pass_secs(1);
    assert!(stage.closed(alice), "neither a second end nor a late report puts it off");
}

#[test]
fn each_end_of_media_has_its_remedy() {
    let ends = [
        (MediaEnd::SlowReader, LeaveAction::Resume),
        (MediaEnd::Panic, LeaveAction::Reconnect),
        (MediaEnd::Failed, LeaveAction::Reconnect),
    ];
    for (end, action) in ends {
        let mut stage = Stage::new();
        let (alice, bob) = two(&mut stage);
        stage.media_ends(alice, end);
        assert_eq!(stage.leave_told(alice), Some((DisconnectReason::MediaFailure, action)), "{end:?}");
        assert!(stage.seen(bob, "alice").is_some(), "gone at once");
    }
}

#[test]
fn an_sdp_that_cannot_be_taken_is_a_reconnect() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    stage.media(MediaEvent::NegotiationFailed { session: alice, error: "no ice-ufrag".into() });
    assert_eq!(stage.leave_told(alice), Some((DisconnectReason::MediaFailure, LeaveAction::Reconnect)));
}

/// L-06 (model): an operator removes somebody.
#[test]
fn l_06_who_is_removed_is_told_and_seen_to_go() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    stage.input(RoomInput::Remove { identity: Identity::token("alice") });
    let leave = (DisconnectReason::ParticipantRemoved, LeaveAction::Disconnect);
    assert_eq!(stage.leave_told(alice), Some(leave));
    let seen = stage.seen(bob, "alice").expect("seen");
    assert_eq!(seen.disconnect_reason, Some(DisconnectReason::ParticipantRemoved));
    stage.forget();
    stage.input(RoomInput::Remove { identity: Identity::token("nobody") });
    assert!(stage.steps.is_empty());
}

#[test]
fn deletion_and_shutdown_tell_everybody_and_end_the_room() {
    let ends =
        [(RoomInput::Delete, DisconnectReason::RoomDeleted), (RoomInput::Shutdown, DisconnectReason::ServerShutdown)];
    for (input, reason) in ends {
        let mut stage = Stage::new();
        let (alice, bob) = two(&mut stage);
        stage.input(input);
        for session in [alice, bob] {
            assert_eq!(stage.leave_told(session), Some((reason, LeaveAction::Disconnect)));
            assert!(stage.closed(session));
        }
        assert!(matches!(stage.steps.last(), Some(stage::Step::Ended)));
        stage.forget();
        stage.join("late");
        assert!(stage.steps.is_empty(), "an ended room takes nobody");
    }
}
