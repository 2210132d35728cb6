//! Coming into a room: what is told, to whom, in which order (livekit.md 2.3).

mod stage;

use room::effect::RoomEvent;
use room::input::Join;
use room::limits::MAX_PARTICIPANTS;
use room::media::{ConnectionMode, MediaCommand, MediaEvent, Target};
use room::participant::ParticipantState;
use room::{JoinError, Room, RoomConfig, RoomInput};
use stage::{START_MS, Stage, Step, camera, microphone};

/// L-10, L-18, L-23: a room brings its participants together; the newcomer gets all of them with the room, and knows
/// itself from the others.
#[test]
fn l_23_the_newcomer_gets_the_room_and_everybody_in_it() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let mic = stage.publish(alice, microphone("m"));
    let bob = stage.join("bob");
    let (room, you, others) = stage.joined(bob);
    assert_eq!((room.name.as_str(), room.num_participants, room.created_at_ms), ("residence", 2, START_MS));
    assert_eq!((&*you.identity.id, you.state), ("bob", ParticipantState::Joined));
    assert_eq!(others.len(), 1);
    assert_eq!(&*others[0].identity.id, "alice");
    // L-20: publications are listed before anything is subscribed.
    assert_eq!(others[0].tracks[0].sid, mic);
}

/// L-15: identities are the client's, sids the server's, each with its prefix and 12 characters.
#[test]
fn l_15_sids_are_given_by_the_server() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let track = stage.announce(alice, camera("c"));
    let (room, you, _) = stage.joined(alice);
    for (sid, prefix) in [(room.sid.as_str(), "RM_"), (you.sid.as_str(), "PA_"), (track.as_str(), "TR_VC")] {
        assert!(sid.starts_with(prefix), "{sid}");
        assert_eq!(sid.len(), prefix.len() + 12, "{sid}");
    }
}

/// L-17, L-42: metadata, name and attributes of the token are the participant's from the first moment.
#[test]
fn l_42_the_tokens_metadata_is_seen_by_all() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let bob = stage.join_with("bob", |join| {
        join.metadata = "seat 12".into();
        join.attributes.insert("colour".into(), "red".into());
    });
    let (_, you, _) = stage.joined(bob);
    let seen = stage.seen(alice, "bob").expect("alice sees bob");
    for info in [you, seen] {
        assert_eq!((info.metadata.as_str(), info.attributes["colour"].as_str()), ("seat 12", "red"));
        assert_eq!(info.name, "BOB");
    }
}

#[test]
fn others_see_a_newcomer_at_once_and_again_when_the_media_is_up() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let bob = stage.join("bob");
    let joined = stage.seen(alice, "bob").expect("at once");
    assert_eq!(joined.state, ParticipantState::Joined);
    stage.connect(bob);
    let active = stage.seen(alice, "bob").expect("again");
    assert_eq!(active.state, ParticipantState::Active);
    assert!(active.version > joined.version);
    let own = stage.seen(bob, "bob").expect("bob himself too");
    assert_eq!(own.state, ParticipantState::Active);
}

/// A dual client's publisher connects only when it publishes: its subscriber connection makes it active.
#[test]
fn a_dual_client_is_active_by_its_subscriber_connection() {
    let mut stage = Stage::new();
    let bob = stage.join_with("bob", |join| join.mode = ConnectionMode::Dual);
    stage.media(MediaEvent::Connected { session: bob, target: Target::Publisher });
    assert!(stage.seen(bob, "bob").is_none());
    stage.media(MediaEvent::Connected { session: bob, target: Target::Subscriber });
    assert_eq!(stage.seen(bob, "bob").map(|info| info.state), Some(ParticipantState::Active));
}

#[test]
fn a_dual_client_that_may_not_subscribe_is_active_by_its_publisher_connection() {
    let mut stage = Stage::new();
    let bob = stage.join_with("bob", |join| {
        join.mode = ConnectionMode::Dual;
        join.permission.can_subscribe = false;
    });
    stage.media(MediaEvent::Connected { session: bob, target: Target::Publisher });
    assert_eq!(stage.seen(bob, "bob").map(|info| info.state), Some(ParticipantState::Active));
}

/// The whole order of 2.3: joined, published tracks, permissions; and to the shard: peer, own tracks, subscriptions,
/// offer, so that the first answer maps them all.
#[test]
fn the_join_order_is_the_one_that_clients_need() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.publish(alice, microphone("m"));
    stage.publish(alice, camera("c"));
    stage.forget();
    let bob = stage.join_with("bob", |join| {
        join.tracks = vec![microphone("bobs")];
        join.offer = Some((1, "v=0".into()));
    });
    let names: Vec<_> = stage.steps.iter().map(|step| name(step, bob)).collect();
    let expected = [
        "joined",
        "add peer",
        "expect track",
        "track published",
        "permission",
        "subscribe",
        "permission",
        "subscribe",
        "offer",
        "others",
    ];
    assert_eq!(names, expected);
}

fn name(step: &Step, me: room::SessionId) -> &'static str {
    match step {
        Step::Told(to, _) if *to != me => "others",
        Step::Told(_, event) => match **event {
            RoomEvent::Joined { .. } => "joined",
            RoomEvent::TrackPublished { .. } => "track published",
            RoomEvent::SubscriptionPermission { allowed: true, .. } => "permission",
            _ => "something else",
        },
        Step::Command(MediaCommand::AddPeer { .. }) => "add peer",
        Step::Command(MediaCommand::ExpectTrack { .. }) => "expect track",
        Step::Command(MediaCommand::Subscribe { .. }) => "subscribe",
        Step::Command(MediaCommand::Offer { .. }) => "offer",
        _ => "something else",
    }
}

#[test]
fn a_full_room_refuses_newcomers_but_not_whoever_comes_again() {
    let mut stage = Stage::with(RoomConfig { max_participants: 1, ..RoomConfig::default() });
    stage.join("alice");
    let bob = stage.ticket("bob");
    assert_eq!(stage.room.check_join(&bob), Err(JoinError::RoomFull));
    stage.forget();
    stage.input(RoomInput::Join(Box::new(bob)));
    assert!(stage.steps.is_empty(), "a refused join changes nothing");
    let again = stage.ticket("alice");
    assert_eq!(stage.room.check_join(&again), Ok(()));
}

/// Hidden ones, so that nobody has to be told of them.
#[test]
fn a_room_without_a_limit_of_its_own_has_one_all_the_same() {
    let mut stage = Stage::new();
    for at in 0..MAX_PARTICIPANTS {
        stage.join_with(&format!("p{at}"), |join| join.permission.hidden = true);
        stage.forget();
    }
    let one_more = stage.ticket("one more");
    assert_eq!(stage.room.check_join(&one_more), Err(JoinError::RoomFull));
}

#[test]
fn what_is_too_long_is_refused_by_name() {
    let mut stage = Stage::new();
    let mut refused = |change: &dyn Fn(&mut Join)| {
        let mut join = stage.ticket("alice");
        change(&mut join);
        stage.room.check_join(&join)
    };
    assert_eq!(refused(&|join| join.name = "n".repeat(257)), Err(JoinError::TooLong("name")));
    assert_eq!(refused(&|join| join.name = "n".repeat(256)), Ok(()));
    assert_eq!(refused(&|join| join.metadata = "m".repeat(512 * 1024 + 1)), Err(JoinError::TooLong("metadata")));
    let long = "i".repeat(257);
    assert_eq!(
        refused(&|join| join.identity = room::Identity::token(long.as_str())),
        Err(JoinError::TooLong("identity"))
    );
    assert_eq!(refused(&|join| join.identity = room::Identity::token("")), Err(JoinError::EmptyIdentity));
    let huge = "v".repeat(64 * 1024);
    let attributes = |join: &mut Join| drop(join.attributes.insert("k".into(), huge.clone()));
    assert_eq!(refused(&attributes), Err(JoinError::TooLong("attributes")));
}

#[test]
fn different_seeds_give_different_sids() {
    let now = Stage::new().now();
    let one = Room::new(RoomConfig::default(), "r", 1, now);
    let two = Room::new(RoomConfig::default(), "r", 2, now);
    assert_ne!(one.sid(), two.sid());
}
