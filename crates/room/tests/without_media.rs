//! Members of dialects without WebRTC (the bus, Socket.IO): there at once, known to everybody, and no shard's business.

mod stage;

use room::media::{ConnectionMode, MediaCommand};
use room::participant::{DisconnectReason, ParticipantState};
use room::permission::Permission;
use room::{AdminRequest, Identity, Notice, Origin, ProfileChange, RoomEvent, RoomInput, SessionId};
use stage::{Stage, camera, microphone};
use std::collections::BTreeMap;

fn visit(stage: &mut Stage, id: &str) -> SessionId {
    stage.join_with(id, |join| {
        join.identity = Identity { origin: Origin::Bus, id: id.into() };
        join.mode = ConnectionMode::None;
        join.auto_subscribe_data = true;
    })
}

fn commands_for(stage: &Stage, session: SessionId) -> Vec<MediaCommand> {
    stage.commands().into_iter().filter(|command| command.session() == session).collect()
}

#[test]
fn they_are_active_at_once_and_everybody_sees_them() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let visitor = visit(&mut stage, "u1");
    let seen = stage.seen(alice, "u1").unwrap();
    assert_eq!((seen.state, seen.identity.origin), (ParticipantState::Active, Origin::Bus));
    let (_, you, others) = stage.joined(visitor);
    assert_eq!((you.state, others.len()), (ParticipantState::Active, 1));
    let joined = stage.notices.iter().filter(|notice| matches!(notice, Notice::ParticipantJoined(_)));
    assert_eq!(joined.count(), 1, "alice's media is not connected");
}

/// Whatever happens around them, and whatever is asked for in their name.
#[test]
fn no_shard_hears_of_them() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let visitor = visit(&mut stage, "u1");
    let track = stage.publish(alice, camera("cam"));
    stage.input(RoomInput::UpdateSubscription { session: visitor, tracks: vec![track], subscribe: true });
    stage.input(RoomInput::AddTrack { session: visitor, request: Box::new(microphone("mic")) });
    stage.input(RoomInput::Offer { session: visitor, id: 1, sdp: String::new() });
    let identity = Identity { origin: Origin::Bus, id: "u1".into() };
    let permission = Some(Permission { can_publish: false, ..Permission::default() });
    let request = AdminRequest::UpdateParticipant { identity, profile: ProfileChange::default(), permission };
    stage.administer(request).unwrap();
    stage.leave(visitor);
    assert_eq!(commands_for(&stage, visitor).len(), 0);
    assert!(!stage.subscribed().iter().any(|(receiver, _)| *receiver == visitor));
}

#[test]
fn their_gateway_speaks_for_them() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let visitor = visit(&mut stage, "u1");
    stage.forget();
    let attributes: BTreeMap<_, _> = [("userX".to_owned(), "1.5".to_owned())].into();
    let change = attributes.clone();
    stage.input(RoomInput::UpdateMetadata {
        session: visitor,
        request_id: 0,
        name: Some("Mako".into()),
        metadata: None,
        attributes: change,
    });
    let seen = stage.seen(alice, "u1").unwrap();
    assert_eq!((&*seen.name, &seen.attributes), ("Mako", &attributes));
}

#[test]
fn they_are_gone_when_their_gateway_lets_them_go_without_a_word() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let visitor = visit(&mut stage, "u1");
    stage.input(RoomInput::SignalLost { session: visitor });
    assert!(stage.closed(visitor));
    assert_eq!(stage.seen(alice, "u1").unwrap().disconnect_reason, Some(DisconnectReason::SignalClose));
    assert!(matches!(stage.notices.last(), Some(Notice::ParticipantLeft(_))));
}

#[test]
fn they_are_removed_as_anybody_and_keep_a_room_alive() {
    let mut stage = Stage::new();
    let visitor = visit(&mut stage, "u1");
    stage.pass_secs(3_600);
    assert!(!stage.ended());
    stage.input(RoomInput::Remove { identity: Identity { origin: Origin::Bus, id: "u1".into() } });
    let told = stage.told(visitor);
    assert!(matches!(
        *told.last().unwrap().clone(),
        RoomEvent::Leave { reason: DisconnectReason::ParticipantRemoved, .. }
    ));
    stage.pass_secs(20);
    assert!(stage.ended());
}
