//! Own name, metadata and attributes (livekit.md 2.9): always answered, seen by all.

mod stage;

use room::effect::{RequestOutcome, RequestSubject, RoomEvent};
use room::{RoomInput, SessionId};
use stage::Stage;
use std::collections::BTreeMap;

/// Name, metadata, attributes.
type Words<'a> = (Option<&'a str>, Option<&'a str>, &'a [(&'a str, &'a str)]);

fn update(
    stage: &mut Stage,
    session: SessionId,
    name: Option<&str>,
    metadata: Option<&str>,
    attributes: &[(&str, &str)],
) {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    stage.input(RoomInput::UpdateMetadata {
        session,
        request_id: 42,
        name: name.map(str::to_owned),
        metadata: metadata.map(str::to_owned),
        attributes: attributes.collect::<BTreeMap<_, _>>(),
    });
}

fn outcome(stage: &Stage, session: SessionId) -> Option<RequestOutcome> {
    stage.told(session).iter().rev().find_map(|event| match &**event {
        RoomEvent::RequestResponse { request_id: 42, outcome, subject: RequestSubject::Metadata, .. } => Some(*outcome),
        _ => None,
    })
}

fn editor(stage: &mut Stage) -> SessionId {
    stage.join_with("alice", |join| join.permission.can_update_metadata = true)
}

/// L-17: a participant's metadata is its own to change, if the token says so, and everybody sees it.
#[test]
fn l_17_a_permitted_change_is_seen_and_answered() {
    let mut stage = Stage::new();
    let (alice, bob) = (editor(&mut stage), stage.join("bob"));
    stage.forget();
    update(&mut stage, alice, Some("Alice A."), Some("row 3"), &[("colour", "red")]);
    for session in [alice, bob] {
        let seen = stage.seen(session, "alice").expect("seen");
        assert_eq!((seen.name.as_str(), seen.metadata.as_str()), ("Alice A.", "row 3"));
        assert_eq!(seen.attributes["colour"], "red");
    }
    assert_eq!(outcome(&stage, alice), Some(RequestOutcome::Ok));
}

#[test]
fn what_is_not_named_stays_and_an_empty_attribute_goes() {
    let mut stage = Stage::new();
    let alice = editor(&mut stage);
    update(&mut stage, alice, Some("Alice A."), None, &[("colour", "red"), ("seat", "3")]);
    update(&mut stage, alice, None, Some("m"), &[("colour", "")]);
    let seen = stage.seen(alice, "alice").expect("seen");
    assert_eq!((seen.name.as_str(), seen.metadata.as_str()), ("Alice A.", "m"));
    assert_eq!(seen.attributes.clone().into_iter().collect::<Vec<_>>(), [("seat".to_owned(), "3".to_owned())]);
}

#[test]
fn without_permission_it_is_refused_and_nothing_changes() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.forget();
    update(&mut stage, alice, Some("mallory"), None, &[]);
    assert_eq!(outcome(&stage, alice), Some(RequestOutcome::NotAllowed));
    assert!(stage.updates(bob).is_empty());
}

#[test]
fn what_is_too_large_is_refused() {
    let mut stage = Stage::new();
    let alice = editor(&mut stage);
    let (name, metadata, value) = ("n".repeat(257), "m".repeat(512 * 1024 + 1), "v".repeat(64 * 1024));
    let tries: [Words<'_>; 3] =
        [(Some(&name), None, &[]), (None, Some(&metadata), &[]), (None, None, &[("k", &value)])];
    for (name, metadata, attributes) in tries {
        stage.forget();
        update(&mut stage, alice, name, metadata, attributes);
        assert_eq!(outcome(&stage, alice), Some(RequestOutcome::LimitExceeded));
        assert!(stage.updates(alice).is_empty());
    }
}
