//! Which rooms there are (L-13, L-14).

use crate::harness::{about, eventually, fleeting, join, plain, registry, ticket, try_join};
use gateway::rooms::{Credential, JoinError, RegistryConfig};
use room::effect::LeaveAction;
use room::participant::DisconnectReason;
use room::{RoomConfig, RoomEvent};
use std::collections::HashSet;

/// L-13: the first join makes the room, the next ones find it.
#[tokio::test]
async fn l_13_the_first_join_makes_the_room() {
    let registry = plain();
    let mut alice = join(&registry, "residence", "alice").await;
    let _bob = join(&registry, "residence", "bob").await;
    let _else = join(&registry, "elsewhere", "carol").await;
    alice.hears(about("bob")).await;
    let names: Vec<_> = registry.list(&[]).await.into_iter().map(|info| (info.name, info.num_participants)).collect();
    assert_eq!(names, [("elsewhere".to_owned(), 1), ("residence".to_owned(), 2)]);
    assert_eq!(registry.list(&["residence".to_owned(), "nowhere".to_owned()]).await.len(), 1);
}

/// L-13: without auto_create only the API makes rooms.
#[tokio::test]
async fn l_13_without_auto_create_only_the_api_makes_rooms() {
    let registry = registry(RegistryConfig { auto_create: false, ..RegistryConfig::default() });
    let refused = try_join(&registry, "residence", "alice", Credential::Token).await.err();
    assert_eq!(refused, Some(JoinError::NoSuchRoom));
    assert!(registry.is_empty());
    let config = RoomConfig { metadata: "premiere".into(), max_participants: 1, ..RoomConfig::default() };
    let made = registry.create("residence", config).await.expect("made");
    assert_eq!((made.metadata.as_str(), made.max_participants), ("premiere", 1));
    let _alice = join(&registry, "residence", "alice").await;
    let refused = try_join(&registry, "residence", "bob", Credential::Token).await.err();
    assert_eq!(refused, Some(JoinError::RoomFull));
}

#[tokio::test]
async fn making_a_room_that_exists_finds_it() {
    let registry = plain();
    let first = registry.create("residence", RoomConfig::default()).await.expect("made");
    let again = registry.create("residence", RoomConfig::default()).await.expect("found");
    assert_eq!(first.sid, again.sid);
    let other = registry.create("elsewhere", RoomConfig::default()).await.expect("made");
    assert_ne!(first.sid, other.sid);
}

/// L-14: a room that ended is forgotten, and its name makes a new one.
#[tokio::test]
async fn l_14_an_ended_room_is_forgotten() {
    let registry = registry(fleeting());
    let alice = join(&registry, "residence", "alice").await;
    let sid = registry.list(&[]).await.remove(0).sid;
    alice.handle.leave(DisconnectReason::ClientInitiated).await;
    eventually(|| registry.is_empty()).await;
    let _again = join(&registry, "residence", "alice").await;
    assert_ne!(registry.list(&[]).await.remove(0).sid, sid);
}

#[tokio::test]
async fn deletion_tells_everybody_and_frees_the_name_at_once() {
    let registry = plain();
    let mut alice = join(&registry, "residence", "alice").await;
    assert!(registry.delete("residence").await);
    assert!(registry.find("residence").is_none());
    let words = alice.last_words().await;
    let expected = RoomEvent::Leave { reason: DisconnectReason::RoomDeleted, action: LeaveAction::Disconnect };
    assert_eq!(words.last().expect("told").event(), &expected);
    assert!(!registry.delete("residence").await);
    join(&registry, "residence", "alice").await;
}

/// Joins never see a room that ends under their hands, however the two are timed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_that_races_a_deletion_gets_in() {
    let registry = plain();
    for round in 0..200 {
        let first = join(&registry, "residence", "alice").await;
        let deleting = {
            let registry = registry.clone();
            tokio::spawn(async move { registry.delete("residence").await })
        };
        let joined = try_join(&registry, "residence", "bob", Credential::Token).await;
        assert!(joined.is_ok(), "round {round}: {:?}", joined.err());
        deleting.await.expect("no panic");
        drop(first);
        registry.delete("residence").await;
    }
}

#[tokio::test]
async fn rooms_and_names_have_limits() {
    let registry = registry(RegistryConfig { max_rooms: 2, ..RegistryConfig::default() });
    let _people = [join(&registry, "one", "a").await, join(&registry, "two", "b").await];
    let refused = try_join(&registry, "three", "c", Credential::Token).await.err();
    assert_eq!(refused, Some(JoinError::TooManyRooms));
    join(&registry, "two", "c").await;
    for name in ["", &"n".repeat(257)] {
        assert_eq!(try_join(&registry, name, "d", Credential::Token).await.err(), Some(JoinError::BadName));
    }
    let long = "i".repeat(257);
    let refused = try_join(&registry, "one", &long, Credential::Token).await.err();
    assert_eq!(refused, Some(JoinError::Refused(room::JoinError::TooLong("identity"))));
}

#[tokio::test]
async fn a_server_that_goes_down_takes_nobody_and_tells_everybody() {
    let registry = plain();
    let mut alice = join(&registry, "residence", "alice").await;
    registry.stop_joins();
    assert_eq!(try_join(&registry, "residence", "bob", Credential::Token).await.err(), Some(JoinError::Draining));
    assert_eq!(registry.len(), 1, "rooms live on");
    registry.shutdown().await;
    let words = alice.last_words().await;
    let expected = RoomEvent::Leave { reason: DisconnectReason::ServerShutdown, action: LeaveAction::Disconnect };
    assert_eq!(words.last().expect("told").event(), &expected);
    assert!(registry.is_empty());
}

#[tokio::test]
async fn session_numbers_are_unique() {
    let registry = plain();
    let numbers: HashSet<_> = (0..100).map(|_| ticket(&registry, "a", Credential::Token).join.session).collect();
    assert_eq!(numbers.len(), 100);
}
