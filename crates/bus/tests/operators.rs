//! RESET and UPDATE (E-13), and what operators do to users.

mod stage;

use bus::{CloseReason, Complaint, Input, Removal, What};
use serde_json::json;
use stage::{Caller, Got, Shown, Stage, text};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn operator(stage: &mut Stage) -> bus::SocketId {
    stage.open_as(Caller { operator: true, address: 99, ..Caller::default() })
}

/// E-13: the message, then nobody is anywhere.
#[test]
fn e_13_reset_is_told_to_all_and_clears_presence_and_chat() {
    let mut stage = Stage::new();
    let alice = stage.person("first", "alice");
    let narrow = stage.open_as(Caller { rooms: Some(vec!["second"]), ..Caller::default() });
    let operator = operator(&mut stage);
    stage.pass(SECOND);
    stage.forget();
    stage.say(operator, "", "", What::Reset);
    for socket in [alice, narrow, operator] {
        assert_eq!(stage.heard(socket), [text("reset::"), Got::Channels(json!({}))]);
    }
    assert_eq!(stage.shown, [Shown::Exit("first".into(), "alice".into()), Shown::ClearChats]);
    stage.join(alice, "first", "alice");
    stage.pass(SECOND);
    assert_eq!(stage.users(operator, "first"), ["alice"]);
}

/// E-13: those who were missing don't come back either.
#[test]
fn e_13_reset_forgets_those_in_their_grace() {
    let mut stage = Stage::new();
    let alice = stage.open_as(Caller { address: 7, ..Caller::default() });
    stage.join(alice, "first", "alice");
    stage.close(alice);
    let back = stage.open_as(Caller { address: 7, ..Caller::default() });
    let operator = operator(&mut stage);
    stage.say(operator, "", "", What::Reset);
    stage.say(back, "first", "alice", What::Other);
    stage.pass(SECOND * 100);
    assert_eq!(stage.channels(operator), json!({}));
    stage.join(back, "first", "alice");
    stage.pass(SECOND);
    assert_eq!(stage.users(operator, "first"), ["alice"]);
}

/// People of other gateways are where they are.
#[test]
fn e_13_reset_moves_nobody_of_another_gateway() {
    let mut stage = Stage::new();
    let operator = operator(&mut stage);
    stage.input(Input::Present { room: "first".into(), id: "token:alice".into(), attributes: Vec::new() });
    stage.person("first", "bob");
    stage.say(operator, "", "", What::Reset);
    stage.pass(SECOND);
    assert_eq!(stage.users(operator, "first"), ["token:alice"]);
}

/// E-13: UPDATE asks all to load themselves anew.
#[test]
fn e_13_update_is_told_to_all() {
    let mut stage = Stage::new();
    let narrow = stage.open_as(Caller { rooms: Some(vec!["second"]), ..Caller::default() });
    let operator = operator(&mut stage);
    stage.say(operator, "first", "", What::Reload);
    assert_eq!(stage.heard(narrow), [text("reload:first:")]);
    assert_eq!(stage.heard(operator), [text("reload:first:")]);
}

/// E-13: from anybody else dropped, and an error to the sender alone.
#[test]
fn e_13_others_are_told_that_it_is_not_for_them() {
    for what in [What::Reset, What::Reload] {
        let mut stage = Stage::new();
        let alice = stage.person("first", "alice");
        let holder = stage.open_as(Caller { token: Some("first"), ..Caller::default() });
        stage.pass(SECOND);
        stage.forget();
        for socket in [alice, holder] {
            stage.say(socket, "first", "alice", what.clone());
            assert_eq!(stage.heard(socket), [Got::Error(Complaint::NotAnOperator)]);
        }
        assert_eq!(stage.heard(alice), []);
        assert_eq!(stage.users(alice, "first"), ["alice"]);
    }
}

/// Close code 4003: all sockets of the user, wherever they are.
#[test]
fn whom_an_operator_removes_loses_their_sockets() {
    let mut stage = Stage::new();
    let [one, two, bob] = ["alice", "alice", "bob"].map(|user| stage.person("first", user));
    stage.pass(SECOND);
    stage.forget();
    let removed = |by| Input::Removed { room: "first".into(), user: "alice".into(), by };
    stage.input(removed(Removal::Operator));
    for socket in [one, two] {
        assert!(stage.heard(socket).contains(&Got::Closed(CloseReason::Removed)));
    }
    stage.pass(SECOND);
    assert_eq!(stage.users(bob, "first"), ["bob"]);
    assert!(!stage.heard(bob).contains(&Got::Closed(CloseReason::Removed)));
    assert_eq!(stage.shown, [], "the room knows it already");
}

#[test]
fn whom_an_operator_removes_in_their_grace_does_not_come_back() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let caller = Caller { address: 7, ..Caller::default() };
    let alice = stage.open_as(caller.clone());
    stage.join(alice, "first", "alice");
    stage.close(alice);
    let back = stage.open_as(caller);
    stage.input(Input::Removed { room: "first".into(), user: "alice".into(), by: Removal::Operator });
    assert!(stage.heard(back).contains(&Got::Closed(CloseReason::Removed)));
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
}

#[test]
fn a_room_that_ended_is_empty_and_its_sockets_stay() {
    let mut stage = Stage::new();
    let alice = stage.person("first", "alice");
    stage.input(Input::Present { room: "first".into(), id: "token:bob".into(), attributes: Vec::new() });
    stage.forget();
    stage.input(Input::RoomEnded { room: "first".into() });
    stage.input(Input::Removed { room: "first".into(), user: "alice".into(), by: Removal::RoomEnded });
    stage.pass(SECOND);
    assert_eq!(stage.channels(alice), json!({}));
    assert!(!stage.heard(alice).contains(&Got::Closed(CloseReason::Removed)));
    assert_eq!(stage.shown, []);
}

/// A ban: told, taken out, and not heard there any more; elsewhere all is well.
#[test]
fn whom_a_room_bans_is_told_and_not_heard_there() {
    let mut stage = Stage::new();
    let bob = stage.person("first", "bob");
    let alice = stage.person("first", "alice");
    stage.forget();
    stage.input(Input::Refused { room: "first".into(), user: "alice".into(), banned: true });
    assert_eq!(stage.errors(alice), [Complaint::Banned]);
    stage.say(alice, "first", "alice", What::Other);
    stage.join(alice, "first", "alice");
    assert_eq!(stage.errors(alice), [Complaint::Banned; 2]);
    stage.say(alice, "second", "alice", What::Other);
    assert_eq!(stage.messages(bob), ["other:second:alice"]);
    stage.pass(SECOND);
    assert_eq!(stage.users(bob, "first"), ["bob"]);
}
