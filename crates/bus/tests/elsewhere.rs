//! The bus's users as other gateways' clients see them (E-03).

mod stage;

use bus::{BusLimits, Input, Removal, What};
use stage::{Caller, Shown, Stage, at, attribute};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn enter(user: &str, socket: bus::SocketId) -> Shown {
    Shown::Enter("first".into(), user.into(), Some(socket))
}

fn exit(user: &str) -> Shown {
    Shown::Exit("first".into(), user.into())
}

/// E-03: only after CHANNEL_JOIN.
#[test]
fn e_03_others_see_a_user_after_the_join() {
    let mut stage = Stage::new();
    let alice = stage.open();
    stage.say(alice, "first", "alice", at("1"));
    assert_eq!(stage.shown, []);
    stage.join(alice, "first", "alice");
    assert_eq!(stage.shown, [enter("alice", alice)]);
    stage.join(alice, "first", "alice");
    assert_eq!(stage.shown.len(), 1);
    stage.say(alice, "first", "alice", What::Leave);
    assert_eq!(stage.shown[1..], [exit("alice")]);
}

/// E-03: the first 200 of a room (config); whoever waits longest comes next.
#[test]
fn e_03_the_first_of_a_room_are_shown() {
    let mut stage = Stage::with(BusLimits { visible_users: 2, ..BusLimits::default() });
    let sockets = ["a", "b", "c", "d"].map(|user| (user, stage.person("first", user)));
    assert_eq!(stage.shown, [enter("a", sockets[0].1), enter("b", sockets[1].1)]);
    stage.forget();
    stage.say(sockets[2].1, "first", "c", What::Leave);
    assert_eq!(stage.shown, [], "nobody saw them");
    stage.say(sockets[0].1, "first", "a", What::Leave);
    assert_eq!(stage.shown, [exit("a"), enter("d", sockets[3].1)]);
    stage.forget();
    stage.join(sockets[0].1, "second", "a");
    assert_eq!(stage.shown, [Shown::Enter("second".into(), "a".into(), Some(sockets[0].1))], "each room by itself");
}

/// E-03: positions pass at most twice a second.
#[test]
fn e_03_positions_pass_twice_a_second() {
    let mut stage = Stage::new();
    let alice = stage.person("first", "alice");
    stage.forget();
    for step in 0..100 {
        stage.say(alice, "first", "alice", at(&step.to_string()));
        stage.pass(Duration::from_millis(50));
    }
    stage.pass(SECOND);
    let xs: Vec<_> = stage.shown.iter().map(x).collect();
    assert!((9..=11).contains(&xs.len()), "{xs:?}");
    assert_eq!(xs.last().map(String::as_str), Some("99"));
    stage.forget();
    stage.pass(SECOND * 10);
    assert_eq!(stage.shown, [], "nothing new");
}

fn x(shown: &Shown) -> String {
    let Shown::Profile(_, _, known) = shown else { panic!("{shown:?}") };
    known.iter().find(|(key, _)| key == "userX").map(|(_, json)| json.to_string()).unwrap()
}

/// Of somebody who has gone nothing more is told.
#[test]
fn e_03_who_has_left_does_not_move_any_more() {
    let mut stage = Stage::new();
    let alice = stage.person("first", "alice");
    stage.say(alice, "first", "alice", at("1"));
    stage.say(alice, "first", "alice", What::Leave);
    stage.forget();
    stage.pass(SECOND);
    assert_eq!(stage.shown, []);
}

/// Nor does somebody whom the room did not take.
#[test]
fn e_03_who_is_not_shown_does_not_move_elsewhere() {
    let mut stage = Stage::new();
    let alice = stage.person("first", "alice");
    stage.say(alice, "first", "alice", at("1"));
    stage.input(Input::Refused { room: "first".into(), user: "alice".into(), banned: false });
    stage.forget();
    stage.say(alice, "first", "alice", at("2"));
    stage.pass(SECOND);
    assert_eq!(stage.shown, []);
}

/// A room that is full for others is not full for the bus.
#[test]
fn whom_a_room_does_not_take_is_on_the_bus_all_the_same() {
    let mut stage = Stage::with(BusLimits { visible_users: 1, ..BusLimits::default() });
    let [alice, bob] = ["alice", "bob"].map(|user| stage.person("first", user));
    stage.forget();
    stage.input(Input::Refused { room: "first".into(), user: "alice".into(), banned: false });
    stage.pass(SECOND);
    assert_eq!(stage.shown, []);
    stage.join(bob, "first", "bob");
    assert_eq!(stage.shown, [enter("bob", bob)]);
    assert_eq!(stage.users(alice, "first"), ["alice", "bob"]);
    stage.say(bob, "first", "bob", What::Leave);
    stage.forget();
    stage.join(alice, "first", "alice");
    assert_eq!(stage.shown, [enter("alice", alice)], "asked again, when they join again");
}

#[test]
fn the_place_of_whom_an_operator_removed_is_the_next_ones() {
    let mut stage = Stage::with(BusLimits { visible_users: 1, ..BusLimits::default() });
    let [_, bob] = ["alice", "bob"].map(|user| stage.person("first", user));
    stage.forget();
    stage.input(Input::Removed { room: "first".into(), user: "alice".into(), by: Removal::Operator });
    assert_eq!(stage.shown, [enter("bob", bob)]);
}

/// Their socket with a token speaks for them, if they have one.
#[test]
fn a_token_is_shown_at_the_rooms_door() {
    let mut stage = Stage::new();
    stage.take("first");
    let holder = stage.open_as(Caller { token: Some("first"), ..Caller::default() });
    stage.join(holder, "first", "h");
    assert_eq!(stage.shown, [enter("h", holder)]);
    stage.say(holder, "first", "h", What::UserUpdate(vec![attribute("userName", "\"Hugo\"")]));
    stage.pass(SECOND);
    assert_eq!(stage.shown.len(), 2);
}
