//! One identity, one participant (L-16, L-50).

mod stage;

use room::effect::LeaveAction;
use room::participant::{DisconnectReason, ParticipantState};
use room::{Identity, Origin};
use stage::{Stage, camera};

/// L-16, L-50: the same identity again disconnects the older session, and takes its place.
#[test]
fn l_16_the_same_identity_again_disconnects_the_older() {
    let mut stage = Stage::new();
    let watcher = stage.join("watcher");
    let old = stage.join("alice");
    stage.publish(old, camera("c"));
    let old_sid = stage.joined(old).1.sid.clone();
    stage.forget();
    let new = stage.join("alice");
    let leave = (DisconnectReason::DuplicateIdentity, LeaveAction::Disconnect);
    assert_eq!(stage.leave_told(old), Some(leave));
    assert!(stage.closed(old));
    assert_eq!(stage.joined(new).2.len(), 1, "the new one sees the watcher, not the old self");
    let seen = stage.updates(watcher);
    assert_eq!((&seen[0].sid, seen[0].state), (&old_sid, ParticipantState::Disconnected));
    assert_eq!(seen[0].disconnect_reason, Some(DisconnectReason::DuplicateIdentity));
    assert_eq!(seen[1].state, ParticipantState::Joined);
    assert_ne!(seen[1].sid, old_sid);
}

/// L-50: what the old session's socket still says is heard by nobody.
#[test]
fn l_50_the_evicted_session_can_do_nothing_more() {
    let mut stage = Stage::new();
    let old = stage.join("alice");
    let new = stage.join("alice");
    stage.forget();
    stage.leave(old);
    stage.connect(old);
    assert!(stage.steps.is_empty());
    assert_eq!(stage.room.sessions().collect::<Vec<_>>(), [new]);
}

/// L-16 stays within an origin: an anonymous `alice` can't evict the token holder of that name.
#[test]
fn l_16_the_same_id_of_another_origin_is_somebody_else() {
    let mut stage = Stage::new();
    let token = stage.join("alice");
    let bus = Identity { origin: Origin::Bus, id: "alice".into() };
    stage.join_with("", |join| join.identity = bus.clone());
    assert_eq!(stage.leave_told(token), None);
    let seen = stage.updates(token);
    assert_eq!(&*seen[0].identity.seen_from(Origin::Token), "bus:alice");
    assert_eq!(stage.room.info().num_participants, 2);
}
