//! Rooms that become token rooms (product.md, «Access»): token wins.

mod stage;

use bus::{Complaint, Input, What};
use serde_json::json;
use stage::{Caller, Got, Shown, Stage, at};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn e_03_who_is_there_without_a_token_is_told_and_removed() {
    let mut stage = Stage::new();
    let alice = stage.person("stage", "alice");
    let bob = stage.person("foyer", "bob");
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    stage.join(holder, "stage", "holder");
    stage.pass(SECOND);
    stage.forget();
    stage.take("stage");
    assert!(stage.heard(alice).contains(&Got::Error(Complaint::RoomTaken)));
    assert!(!stage.heard(bob).contains(&Got::Error(Complaint::RoomTaken)));
    assert!(!stage.heard(holder).contains(&Got::Error(Complaint::RoomTaken)));
    stage.pass(SECOND);
    assert_eq!(stage.channels(alice), json!({"foyer": {"users": {"bob": {"userName": "BOB"}}}}));
    assert_eq!(stage.users(holder, "stage"), ["holder"]);
    assert_eq!(stage.shown, [Shown::Exit("stage".into(), "alice".into())]);
}

/// Nothing of it gets out from the moment on at which its doors close, whoever hears of that first.
#[test]
fn a_room_is_closed_before_the_bus_is_told() {
    let mut stage = Stage::new();
    let public = stage.person("stage", "alice");
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    stage.pass(SECOND);
    stage.forget();
    stage.doors.close("stage");
    stage.say(holder, "stage", "holder", What::Other);
    stage.join(holder, "stage", "holder");
    stage.input(Input::Present { room: "stage".into(), id: "token:bob".into(), attributes: Vec::new() });
    stage.input(Input::Post { room: Some("stage".into()), frame: "chat".into() });
    stage.say(public, "stage", "alice", at("1"));
    stage.pass(SECOND);
    assert_eq!(stage.heard(public), [Got::Error(Complaint::NoSuchRoom)]);
    stage.input(Input::BecameToken { room: "stage".into() });
    stage.pass(SECOND);
    assert_eq!(stage.channels(public), json!({}));
    assert_eq!(stage.users(holder, "stage"), ["holder", "token:bob"]);
}

/// The race of both first joins: whichever comes first, the public one ends outside.
#[test]
fn a_join_and_a_token_at_once_leave_only_the_token() {
    for public_first in [true, false] {
        let mut stage = Stage::new();
        let public = stage.open();
        let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
        if public_first {
            stage.join(public, "stage", "alice");
        }
        stage.doors.close("stage");
        stage.join(holder, "stage", "holder");
        if !public_first {
            stage.join(public, "stage", "alice");
        }
        stage.input(Input::BecameToken { room: "stage".into() });
        stage.pass(SECOND);
        assert_eq!(stage.users(holder, "stage"), ["holder"], "{public_first}");
        assert_eq!(stage.users(public, "stage"), [""; 0], "{public_first}");
    }
}

/// A user who is there with and without a token stays.
#[test]
fn one_of_two_sockets_with_a_token_is_enough_to_stay() {
    let mut stage = Stage::new();
    let _public = stage.person("stage", "alice");
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    stage.join(holder, "stage", "alice");
    stage.take("stage");
    stage.pass(SECOND);
    assert_eq!(stage.users(holder, "stage"), ["alice"]);
}

/// A room that ended may be open again.
#[test]
fn a_name_whose_room_has_ended_may_be_everybodys_again() {
    let mut stage = Stage::new();
    let public = stage.open();
    stage.take("stage");
    stage.doors.open("stage");
    stage.input(Input::RoomEnded { room: "stage".into() });
    stage.join(public, "stage", "alice");
    stage.pass(SECOND);
    assert_eq!(stage.users(public, "stage"), ["alice"]);
}

/// A token that may not speak, or not listen.
#[test]
fn a_token_says_what_its_bearer_may() {
    let mut stage = Stage::new();
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    let silent = stage.open_as(Caller { token: Some("stage"), mute: true, ..Caller::default() });
    let deaf = stage.open_as(Caller { token: Some("stage"), deaf: true, ..Caller::default() });
    stage.take("stage");
    stage.forget();
    stage.say(silent, "stage", "s", What::Other);
    assert_eq!(stage.heard(silent), [Got::Error(Complaint::NoSuchRoom)]);
    stage.say(deaf, "stage", "d", What::Other);
    stage.join(deaf, "stage", "d");
    stage.pass(SECOND);
    assert_eq!(stage.heard(deaf), []);
    assert_eq!(stage.messages(holder), ["other:stage:d", "join:stage:d"]);
    assert_eq!(stage.messages(silent), ["other:stage:d", "join:stage:d"]);
}
