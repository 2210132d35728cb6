//! One session's life: joined first, told in order, slow ones closed, silent ones noticed.

use crate::harness::{about, eventually, fleeting, join, plain, registry, within};
use bytes::Bytes;
use gateway::rooms::{DataMessage, Dialect};
use metrics_exporter_prometheus::PrometheusBuilder;
use room::effect::LeaveAction;
use room::participant::DisconnectReason;
use room::{Identity, RoomEvent, RoomInput};
use std::collections::BTreeMap;
use std::sync::Arc;

/// L-23: the first thing anybody is told is the room that they are in.
#[tokio::test]
async fn l_23_the_first_event_is_joined() {
    let registry = plain();
    for who in ["alice", "bob"] {
        let mut person = join(&registry, "residence", who).await;
        let first = person.next().await.expect("an event");
        let RoomEvent::Joined { room, you, .. } = first.event() else { panic!("{first:?}") };
        assert_eq!((room.name.as_str(), &*you.identity.id), ("residence", who));
        // Stays without a socket, as long as the test lives.
        std::mem::forget(person);
    }
}

#[tokio::test]
async fn a_broadcast_is_encoded_once_for_each_dialect() {
    let registry = plain();
    let mut alice = join(&registry, "residence", "alice").await;
    let mut bob = join(&registry, "residence", "bob").await;
    let _carol = join(&registry, "residence", "carol").await;
    let (for_alice, for_bob) = (alice.hears(about("carol")).await, bob.hears(about("carol")).await);
    assert!(Arc::ptr_eq(&for_alice, &for_bob));
    let first = for_alice.frames(Dialect::LiveKitBinary, |_| vec![Bytes::from_static(b"carol")]);
    let second = for_bob.frames(Dialect::LiveKitBinary, |_| panic!("encoded already"));
    assert_eq!(first[0].as_ptr(), second[0].as_ptr());
    assert!(for_bob.frames(Dialect::LiveKitJson, |_| Vec::new()).is_empty(), "each dialect for itself");
}

#[tokio::test]
async fn who_says_goodbye_is_gone_for_the_others() {
    let registry = plain();
    let mut alice = join(&registry, "residence", "alice").await;
    let bob = join(&registry, "residence", "bob").await;
    alice.hears(about("bob")).await;
    bob.handle.leave(DisconnectReason::ClientInitiated).await;
    let seen = alice.hears(about("bob")).await;
    let RoomEvent::ParticipantsUpdated(list) = seen.event() else { unreachable!() };
    assert_eq!(list[0].disconnect_reason, Some(DisconnectReason::ClientInitiated));
}

/// L-28: a handle that is dropped without a word is a lost signal: they stay for a while.
#[tokio::test]
async fn l_28_who_vanishes_stays_for_a_while() {
    let registry = plain();
    let _alice = join(&registry, "residence", "alice").await;
    drop(join(&registry, "residence", "bob").await);
    let room = registry.find("residence").expect("exists");
    assert_eq!(room.info().await.expect("lives").num_participants, 2);
    let (_session, outbox) = {
        let ticket = crate::harness::ticket(&registry, "bob", gateway::rooms::Credential::Token);
        registry.join("residence", ticket).await.expect("L-16: the same identity takes its place")
    };
    assert_eq!(room.info().await.expect("lives").num_participants, 2);
    drop(outbox);
}

/// L-16: the older session is told, then its outbox ends.
#[tokio::test]
async fn l_16_the_evicted_session_hears_why_and_then_nothing() {
    let registry = plain();
    let mut old = join(&registry, "residence", "alice").await;
    let _new = join(&registry, "residence", "alice").await;
    let words = old.last_words().await;
    let expected = RoomEvent::Leave { reason: DisconnectReason::DuplicateIdentity, action: LeaveAction::Disconnect };
    assert_eq!(words.last().expect("told").event(), &expected);
    assert!(!old.outbox.was_too_slow());
}

/// one socket that takes nothing is closed; the others go on as if it had never been.
#[tokio::test]
async fn q_07_a_slow_socket_is_closed_and_costs_nobody_else_anything() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let registry = plain();
    let mut alice = join(&registry, "residence", "alice").await;
    let mut slow = join(&registry, "residence", "slow").await;
    for at in 0..gateway::rooms::limits::OUTBOX_EVENTS {
        let attributes = BTreeMap::from([("at".to_owned(), at.to_string())]);
        let (session, request_id) = (alice.handle.id(), 1);
        let input = RoomInput::UpdateMetadata { session, request_id, name: None, metadata: None, attributes };
        alice.handle.send(input).await.expect("the room lives");
        alice.hears(|event| matches!(event, RoomEvent::RequestResponse { .. })).await;
    }
    alice.hears(about("slow")).await;
    assert!(slow.outbox.was_too_slow());
    assert!(slow.next().await.is_none());
    assert!(figures.render().contains("odeon_slow_sessions_closed_total 1"), "{}", figures.render());
    let room = registry.find("residence").expect("exists");
    assert_eq!(room.info().await.expect("lives").num_participants, 1);
}

#[tokio::test]
async fn the_api_sees_and_removes_people() {
    let registry = plain();
    let mut alice = join(&registry, "residence", "alice").await;
    let room = registry.find("residence").expect("exists");
    assert_eq!(room.participants().await.expect("lives").len(), 1);
    assert!(room.participant(Identity::token("alice")).await.expect("lives").is_some());
    assert!(!room.remove(Identity::token("nobody")).await.expect("lives"));
    assert!(room.remove(Identity::token("alice")).await.expect("lives"));
    let words = alice.last_words().await;
    let reason = DisconnectReason::ParticipantRemoved;
    assert_eq!(words.last().expect("told").event(), &RoomEvent::Leave { reason, action: LeaveAction::Disconnect });
    let packet = DataMessage { reliable: true, packet: [1, 2].into(), identities: Vec::new(), sids: Vec::new() };
    room.send_data(packet).await.expect("lives");
}

#[tokio::test]
async fn rooms_and_participants_are_counted_up_and_down() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let registry = registry(fleeting());
    let alice = join(&registry, "residence", "alice").await;
    eventually(|| figures.render().contains("odeon_rooms 1") && figures.render().contains("odeon_participants 1"))
        .await;
    within(alice.handle.leave(DisconnectReason::ClientInitiated)).await;
    eventually(|| figures.render().contains("odeon_rooms 0") && figures.render().contains("odeon_participants 0"))
        .await;
}
