//! Who gets in (product.md, «Access»): open rooms, token rooms, and token wins.

use crate::harness::{Person, join, plain, registry, try_join};
use gateway::rooms::{Access, Credential, JoinError, Registry, RegistryConfig};
use room::effect::LeaveAction;
use room::participant::DisconnectReason;
use room::{RoomConfig, RoomEvent};
use std::collections::BTreeMap;

async fn public(registry: &Registry, room: &str) -> Result<Person, JoinError> {
    try_join(registry, room, "visitor", Credential::Public).await
}

/// Was removed, and told so.
async fn is_removed(person: &mut Person) -> bool {
    let expected = RoomEvent::Leave { reason: DisconnectReason::ParticipantRemoved, action: LeaveAction::Disconnect };
    person.last_words().await.last().is_some_and(|last| *last.event() == expected)
}

#[tokio::test]
async fn an_undeclared_room_is_open_until_a_token_comes() {
    let registry = plain();
    let mut visitor = public(&registry, "residence").await.expect("open");
    assert_eq!(registry.access("residence"), Access::Open);
    let _alice = join(&registry, "residence", "alice").await;
    assert_eq!(registry.access("residence"), Access::Token);
    assert!(is_removed(&mut visitor).await);
    assert_eq!(public(&registry, "residence").await.err(), Some(JoinError::NoSuchRoom));
}

#[tokio::test]
async fn a_room_first_joined_by_a_token_is_no_room_to_others() {
    let registry = plain();
    let _alice = join(&registry, "residence", "alice").await;
    assert_eq!(public(&registry, "residence").await.err(), Some(JoinError::NoSuchRoom));
}

/// Both first joins at once: whichever is served first, in the end the token is in and the public is out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_wins_the_race_of_first_joins() {
    for round in 0..100 {
        let registry = plain();
        let visiting = {
            let registry = registry.clone();
            tokio::spawn(async move { public(&registry, "residence").await })
        };
        let _alice = join(&registry, "residence", "alice").await;
        match visiting.await.expect("no panic") {
            Ok(mut visitor) => assert!(is_removed(&mut visitor).await, "round {round}"),
            Err(error) => assert_eq!(error, JoinError::NoSuchRoom),
        }
        let room = registry.find("residence").expect("exists");
        let there = room.participants().await.expect("lives");
        assert_eq!(there.iter().map(|info| &*info.identity.id).collect::<Vec<_>>(), ["alice"]);
    }
}

#[tokio::test]
async fn a_room_made_by_the_api_is_a_token_room() {
    let registry = plain();
    let mut visitor = public(&registry, "residence").await.expect("open");
    registry.create("residence", RoomConfig::default()).await.expect("made");
    assert!(is_removed(&mut visitor).await, "token wins");
    registry.create("new", RoomConfig::default()).await.expect("made");
    for room in ["residence", "new"] {
        assert_eq!(registry.access(room), Access::Token);
        assert_eq!(public(&registry, room).await.err(), Some(JoinError::NoSuchRoom));
    }
}

#[tokio::test]
async fn an_invitation_gets_in_but_claims_nothing() {
    let registry = plain();
    let mut visitor = public(&registry, "residence").await.expect("open");
    let _guest = try_join(&registry, "residence", "guest", Credential::Invitation).await.expect("open to all");
    assert_eq!(registry.access("residence"), Access::Open);
    let _alice = join(&registry, "residence", "alice").await;
    assert!(is_removed(&mut visitor).await);
    let room = registry.find("residence").expect("exists");
    assert_eq!(room.info().await.expect("lives").num_participants, 2, "the guest stays");
    try_join(&registry, "residence", "second guest", Credential::Invitation).await.expect("gets in");
}

#[tokio::test]
async fn a_declared_room_keeps_its_access() {
    let declared = BTreeMap::from([("foyer".to_owned(), Access::Open), ("stage".to_owned(), Access::Token)]);
    let registry = registry(RegistryConfig { declared, ..RegistryConfig::default() });
    let _alice = join(&registry, "foyer", "alice").await;
    registry.create("foyer", RoomConfig::default()).await.expect("exists");
    public(&registry, "foyer").await.expect("open for good");
    assert_eq!(registry.access("stage"), Access::Token);
    assert_eq!(public(&registry, "stage").await.err(), Some(JoinError::NoSuchRoom));
}

#[tokio::test]
async fn undeclared_rooms_can_be_for_tokens_only() {
    let registry = registry(RegistryConfig { undeclared: Access::Token, ..RegistryConfig::default() });
    assert_eq!(registry.access("anything"), Access::Token);
    assert_eq!(public(&registry, "anything").await.err(), Some(JoinError::NoSuchRoom));
    assert!(registry.is_empty(), "nothing was made for somebody who does not get in");
    join(&registry, "anything", "alice").await;
}

#[tokio::test]
async fn in_dev_every_room_is_open() {
    let registry = registry(RegistryConfig { all_open: true, undeclared: Access::Token, ..RegistryConfig::default() });
    let _alice = join(&registry, "residence", "alice").await;
    registry.create("residence", RoomConfig::default()).await.expect("exists");
    public(&registry, "residence").await.expect("open");
    assert_eq!(registry.access("residence"), Access::Open);
}

#[tokio::test]
async fn a_token_gets_into_an_open_room_that_is_full_of_visitors() {
    let room = RoomConfig { max_participants: 1, ..RoomConfig::default() };
    let registry = registry(RegistryConfig { room, ..RegistryConfig::default() });
    let mut visitor = public(&registry, "residence").await.expect("open");
    join(&registry, "residence", "alice").await;
    assert!(is_removed(&mut visitor).await);
}
