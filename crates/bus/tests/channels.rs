//! CHANNELS_UPDATED (E-03): what is in it, for whom, and how often.

mod stage;

use bus::{Input, What};
use serde_json::json;
use stage::{Caller, Stage, at, attribute};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// E-03
#[test]
fn e_03_every_rooms_users_and_what_is_known_of_them() {
    let mut stage = Stage::new();
    stage.person("first", "u1");
    let koko = stage.person("first", "u2");
    let place = vec![attribute("userX", "1.5"), attribute("userY", "\"1.23\""), attribute("userColor", "\"#ff0000\"")];
    stage.say(koko, "first", "u2", What::ChannelUserUpdate(place));
    stage.join(koko, "second", "u2");
    stage.pass(SECOND);
    let expected = json!({
        "first": {"users": {
            "u1": {"userName": "U1"},
            "u2": {"userName": "U2", "userX": 1.5, "userY": "1.23", "userColor": "#ff0000"},
        }},
        "second": {"users": {"u2": {"userName": "U2"}}},
    });
    assert_eq!(stage.channels(koko), expected);
}

/// E-03: at most 20 a second, and the last one is true.
#[test]
fn e_03_at_most_twenty_a_second() {
    let mut stage = Stage::new();
    let mover = stage.person("first", "m");
    stage.pass(SECOND);
    stage.forget();
    for step in 0..200 {
        stage.say(mover, "first", "m", at(&step.to_string()));
        stage.pass(Duration::from_millis(5));
    }
    stage.pass(SECOND);
    assert_eq!(stage.channels(mover)["first"]["users"]["m"]["userX"], 199);
    let published = &stage.published[&mover];
    assert!((20..=21).contains(&published.len()), "{}", published.len());
    assert!(published.windows(2).all(|two| two[1].0 - two[0].0 >= Duration::from_millis(50)));
}

/// E-03: the first change is told at once.
#[test]
fn e_03_a_change_after_silence_is_told_at_once() {
    let mut stage = Stage::new();
    let mover = stage.person("first", "m");
    stage.pass(SECOND);
    stage.forget();
    stage.say(mover, "first", "m", at("1"));
    assert_eq!(stage.published[&mover].len(), 1);
}

/// E-03: at most 256 KiB a second, down to one a second.
#[test]
fn e_03_with_many_users_the_rate_falls() {
    for (users, longest) in [(300, 1.0), (3_000, 1.0)] {
        let mut stage = Stage::new();
        let watcher = stage.open();
        let deaf = |user: u32| Caller { rooms: Some(vec!["nowhere"]), address: user.into(), ..Caller::default() };
        let crowd: Vec<_> = (0..users).map(|user| stage.open_as(deaf(user))).collect();
        for (user, socket) in crowd.iter().enumerate() {
            stage.join(*socket, &format!("room {}", user % 10), &format!("u{user}"));
            let long = vec![attribute("note", &format!("\"{}\"", "x".repeat(150)))];
            stage.say(*socket, &format!("room {}", user % 10), &format!("u{user}"), What::ChannelUserUpdate(long));
        }
        stage.pass(SECOND);
        stage.forget();
        for step in 0..200 {
            stage.say(crowd[0], "room 0", "u0", at(&step.to_string()));
            stage.pass(Duration::from_millis(50));
        }
        let published = &stage.published[&watcher];
        let bytes: usize = published.iter().map(|(_, bytes)| bytes).sum();
        let largest = published.iter().map(|(_, bytes)| *bytes).max().unwrap();
        // What is larger than a second's bytes still comes once a second.
        let allowed = (256 * 1024).max(largest) as f64 * 10.0 + largest as f64;
        assert!(bytes as f64 <= allowed, "{users}: {bytes} bytes in 10 s, {largest} at once");
        let gaps = published.windows(2).map(|two| (two[1].0 - two[0].0).as_secs_f64());
        let widest = gaps.fold(0.0_f64, f64::max);
        assert!(widest <= longest + 0.06, "{users}: {widest} s");
    }
}

/// E-03: sent only when something changed.
#[test]
fn e_03_nothing_new_is_not_told() {
    let mut stage = Stage::new();
    let mover = stage.person("first", "m");
    stage.say(mover, "first", "m", at("1"));
    stage.pass(SECOND);
    stage.forget();
    stage.say(mover, "first", "m", at("1"));
    stage.say(mover, "first", "m", What::UserUpdate(vec![attribute("userX", "1")]));
    stage.say(mover, "first", "m", What::Other);
    stage.pass(SECOND * 5);
    assert!(stage.published.is_empty(), "{:?}", stage.published);
}

/// E-03: encoded once for each set of rooms, and nobody sees more than theirs.
#[test]
fn e_03_each_sees_its_own_rooms() {
    let mut stage = Stage::new();
    let narrow = stage.open_as(Caller { rooms: Some(vec!["first"]), ..Caller::default() });
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    stage.take("stage");
    let wide = stage.person("first", "a");
    stage.join(wide, "second", "a");
    stage.join(holder, "stage", "h");
    stage.pass(SECOND);
    let rooms = |socket| stage.channels(socket).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(rooms(narrow), ["first"]);
    assert_eq!(rooms(wide), ["first", "second"]);
    assert_eq!(rooms(holder), ["first", "second", "stage"]);
}

/// E-03: a change in a room that a socket does not see is nothing to it.
#[test]
fn e_03_only_those_who_see_a_room_are_told() {
    let mut stage = Stage::new();
    let narrow = stage.open_as(Caller { rooms: Some(vec!["first"]), ..Caller::default() });
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    stage.take("stage");
    let wide = stage.open();
    stage.pass(SECOND);
    stage.forget();
    stage.join(holder, "stage", "h");
    stage.join(wide, "second", "w");
    stage.pass(SECOND);
    let told: Vec<_> = stage.published.keys().copied().collect();
    assert!(!told.contains(&narrow) && told.contains(&wide) && told.contains(&holder));
    assert_eq!(stage.published[&wide].len(), 1, "nothing of the stage");
}

/// People of other gateways are among a room's users.
#[test]
fn e_03_people_of_other_gateways_are_there() {
    let mut stage = Stage::new();
    let alice = stage.person("first", "alice");
    let known = |x: &str| vec![attribute("userName", "\"Alice\""), attribute("userX", x)];
    let present = |x: &str| Input::Present { room: "first".into(), id: "token:alice".into(), attributes: known(x) };
    stage.input(present("1.5"));
    stage.input(present("2"));
    stage.pass(SECOND);
    assert_eq!(stage.channels(alice)["first"]["users"]["token:alice"], json!({"userName": "Alice", "userX": 2}));
    assert_eq!(stage.users(alice, "first"), ["alice", "token:alice"]);
    stage.input(Input::Gone { room: "first".into(), id: "token:alice".into() });
    stage.pass(SECOND);
    assert_eq!(stage.users(alice, "first"), ["alice"]);
}

/// A client that calls itself as another gateway's people are called changes nothing of theirs.
#[test]
fn nobody_of_the_bus_is_somebody_of_another_gateway() {
    let mut stage = Stage::new();
    let attributes = vec![attribute("userName", "\"Alice\"")];
    stage.input(Input::Present { room: "first".into(), id: "token:alice".into(), attributes });
    let mallory = stage.open();
    stage.say(mallory, "first", "token:alice", What::UserUpdate(vec![attribute("userName", "\"Fool\"")]));
    stage.say(mallory, "first", "token:alice", What::Leave);
    stage.pass(SECOND);
    assert_eq!(stage.channels(mallory)["first"]["users"]["token:alice"], json!({"userName": "Alice"}));
}
