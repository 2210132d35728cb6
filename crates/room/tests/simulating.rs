//! Faults that clients ask for to test themselves (L-60, livekit.md 2.9).

mod stage;

use room::effect::{LeaveAction, RoomEvent};
use room::media::{MediaCommand, MediaEvent, Transport};
use room::participant::DisconnectReason;
use room::scenario::Scenario;
use room::{Identity, RoomInput, SessionId};
use stage::{Stage, Step, microphone};
use std::time::Duration;

/// Alice and Bob, both connected.
fn two(stage: &mut Stage) -> (SessionId, SessionId) {
    let sessions = (stage.join("alice"), stage.join("bob"));
    stage.connect(sessions.0);
    stage.connect(sessions.1);
    stage.forget();
    sessions
}

fn simulate(stage: &mut Stage, session: SessionId, scenario: Scenario) {
    stage.input(RoomInput::Simulate { session, scenario });
}

fn resume(stage: &mut Stage, session: SessionId) {
    stage.input(RoomInput::Resume { session });
    stage.media(MediaEvent::Resumed { session, last_message_seq: 0 });
}

fn hung_up(stage: &Stage, session: SessionId) -> bool {
    stage.steps.iter().any(|step| matches!(step, Step::HungUp(of) if *of == session))
}

#[test]
fn l_60_a_failed_node_says_nothing_and_the_others_see_them_go() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    simulate(&mut stage, alice, Scenario::NodeFailure);
    assert!(stage.told(alice).is_empty() && stage.closed(alice));
    assert!(stage.seen(bob, "alice").is_some());
}

#[test]
fn l_60_a_migration_is_a_resume_of_the_same_session() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    simulate(&mut stage, alice, Scenario::Migration);
    assert_eq!(stage.leave_told(alice), Some((DisconnectReason::Migration, LeaveAction::Resume)));
    assert!(hung_up(&stage, alice) && !stage.closed(alice));
    resume(&mut stage, alice);
    assert!(stage.told(alice).iter().any(|event| matches!(**event, RoomEvent::Resumed { .. })));
    assert!(stage.updates(bob).is_empty(), "nobody else notices");
}

#[test]
fn l_60_leaves_by_the_server_say_what_to_do() {
    for (scenario, action) in
        [(Scenario::ServerLeave, LeaveAction::Disconnect), (Scenario::FullReconnect, LeaveAction::Reconnect)]
    {
        let mut stage = Stage::new();
        let (alice, bob) = two(&mut stage);
        simulate(&mut stage, alice, scenario);
        assert_eq!(stage.leave_told(alice).map(|(_, action)| action), Some(action));
        assert!(stage.closed(alice) && stage.seen(bob, "alice").is_some());
    }
}

#[test]
fn l_60_a_resume_is_cut_off_once_before_or_after_the_first_word() {
    for (silent, words) in [(true, 0), (false, 1)] {
        let mut stage = Stage::new();
        let (alice, _) = two(&mut stage);
        simulate(&mut stage, alice, Scenario::HangUpOnResume { silent });
        resume(&mut stage, alice);
        assert_eq!((stage.told(alice).len(), hung_up(&stage, alice)), (words, true), "silent: {silent}");
        stage.forget();
        resume(&mut stage, alice);
        assert!(stage.told(alice).len() > 1 && !hung_up(&stage, alice), "the next one holds");
    }
}

#[test]
fn l_60_a_resume_that_comes_late_is_not_cut_off() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    simulate(&mut stage, alice, Scenario::HangUpOnResume { silent: false });
    stage.pass_secs(5);
    resume(&mut stage, alice);
    assert!(!hung_up(&stage, alice));
}

#[test]
fn l_60_simulated_speech_begins_and_ends() {
    let mut stage = Stage::new();
    let (alice, bob) = two(&mut stage);
    stage.publish(alice, microphone("mic"));
    stage.forget();
    simulate(&mut stage, alice, Scenario::Speaking(Duration::from_secs(3)));
    let spoke = |stage: &Stage, session| {
        let told = stage.told(session).into_iter().filter_map(|event| match &*event {
            RoomEvent::SpeakersChanged(speakers) => Some(speakers[0].active),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    stage.pass(Duration::from_millis(2900));
    assert_eq!((spoke(&stage, alice), spoke(&stage, bob)), (vec![true], vec![true]));
    stage.pass(Duration::from_millis(200));
    assert_eq!(spoke(&stage, bob), [true, false]);
}

fn offered(stage: &Stage) -> Vec<Transport> {
    let added = stage.commands().into_iter().filter_map(|command| match command {
        MediaCommand::AddPeer { transport, .. } => Some(transport),
        _ => None,
    });
    added.collect()
}

#[test]
fn l_60_the_next_session_alone_is_offered_other_ways() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    simulate(&mut stage, alice, Scenario::SwitchTransport(Transport::TcpOnly));
    stage.join("carol");
    stage.join("alice");
    stage.join("alice");
    assert_eq!(offered(&stage), [Transport::Any, Transport::TcpOnly, Transport::Any]);
    let alice = stage.room.session_of(&Identity::token("alice")).expect("is there");
    simulate(&mut stage, alice, Scenario::SwitchTransport(Transport::TcpOnly));
    stage.pass_secs(60);
    stage.join("alice");
    assert_eq!(offered(&stage)[3], Transport::Any, "too late");
}

/// L-60: a limit for the way down goes to the shard; the ways that a session was given are told with its first message.
#[test]
fn l_60_a_narrow_way_down_and_the_relay_alone() {
    let mut stage = Stage::new();
    let (alice, _) = two(&mut stage);
    simulate(&mut stage, alice, Scenario::Downlink(300_000));
    let limits = |command: &MediaCommand| match command {
        MediaCommand::LimitDownlink { session, bps } => Some((*session, *bps)),
        _ => None,
    };
    assert_eq!(stage.commands().iter().find_map(limits), Some((alice, 300_000)));
    simulate(&mut stage, alice, Scenario::SwitchTransport(Transport::TurnTls));
    let alice = stage.join("alice");
    let told = stage.told(alice);
    assert!(matches!(*told[0].clone(), RoomEvent::Joined { transport: Transport::TurnTls, .. }), "{told:?}");
}
