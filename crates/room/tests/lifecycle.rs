//! When a room begins and ends (L-13, L-14), and when it tells its counts.

mod stage;

use room::RoomConfig;
use room::effect::{RoomEvent, RoomInfo};
use room::{RoomInput, SessionId};
use stage::{Stage, camera};

/// L-13, L-14: a room that was made and never used ends after 300 s.
#[test]
fn l_14_a_room_that_nobody_joined_ends_after_its_empty_timeout() {
    let mut stage = Stage::new();
    stage.pass_secs(299);
    assert!(!stage.ended());
    stage.pass_secs(1);
    assert!(stage.ended());
}

/// L-14: 20 s after the last left.
#[test]
fn l_14_a_room_ends_20_s_after_the_last_left() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.pass_secs(1000);
    stage.leave(alice);
    stage.pass_secs(1000);
    stage.leave(bob);
    stage.pass_secs(19);
    assert!(!stage.ended());
    stage.pass_secs(1);
    assert!(stage.ended());
    assert_eq!(stage.room.poll_timeout(), None);
}

/// L-14: who comes back in time keeps the room.
#[test]
fn l_14_who_comes_back_in_time_keeps_the_room() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.leave(alice);
    stage.pass_secs(19);
    stage.join("alice");
    stage.pass_secs(1000);
    assert!(!stage.ended());
}

#[test]
fn timeouts_are_the_rooms_own() {
    let mut stage = Stage::with(RoomConfig { empty_timeout_s: 5, departure_timeout_s: 2, ..RoomConfig::default() });
    let alice = stage.join("alice");
    stage.pass_secs(60);
    stage.leave(alice);
    stage.pass_secs(1);
    assert!(!stage.ended());
    stage.pass_secs(1);
    assert!(stage.ended());
}

#[test]
fn counts_are_told_at_most_every_5_s() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.pass_secs(1);
    let bob = stage.join("bob");
    stage.publish(bob, camera("c"));
    stage.pass_secs(3);
    assert!(room_updates(&stage, alice).is_empty());
    stage.pass_secs(1);
    let updates = room_updates(&stage, alice);
    assert_eq!(updates.iter().map(|info| (info.num_participants, info.num_publishers)).collect::<Vec<_>>(), [(2, 1)]);
    stage.leave(bob);
    stage.pass_secs(5);
    assert_eq!(room_updates(&stage, alice).len(), 2);
    stage.pass_secs(600);
    assert_eq!(room_updates(&stage, alice).len(), 2, "no change, no update");
}

fn room_updates(stage: &Stage, session: SessionId) -> Vec<RoomInfo> {
    let infos = stage.told(session).into_iter().filter_map(|event| match &*event {
        RoomEvent::RoomUpdated(info) => Some(info.clone()),
        _ => None,
    });
    infos.collect()
}

#[test]
fn a_room_ends_once() {
    let mut stage = Stage::new();
    stage.input(RoomInput::Delete);
    stage.input(RoomInput::Delete);
    stage.pass_secs(1000);
    assert_eq!(stage.steps.len(), 1);
}
