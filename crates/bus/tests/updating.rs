//! USER_UPDATE and CHANNEL_USER_UPDATE (E-05, E-06).

mod stage;

use bus::limits::{MAX_KEYS_OF_USER, MAX_PRESENCE_BYTES, MAX_USER_BYTES};
use bus::{Complaint, What};
use serde_json::json;
use stage::{Caller, Stage, at, attribute};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn renamed(name: &str) -> What {
    What::UserUpdate(vec![attribute("userName", &format!("\"{name}\""))])
}

/// E-05: in every room.
#[test]
fn e_05_a_user_update_is_merged_in_every_room() {
    let mut stage = Stage::new();
    let koko = stage.person("first", "koko");
    stage.join(koko, "second", "koko");
    stage.person("first", "mako");
    stage.say(koko, "", "koko", What::UserUpdate(vec![attribute("userName", "\"Kokoburra\""), attribute("y", "100")]));
    stage.pass(SECOND);
    let kokoburra = json!({"userName": "Kokoburra", "y": 100});
    let expected = json!({
        "first": {"users": {"koko": kokoburra, "mako": {"userName": "MAKO"}}},
        "second": {"users": {"koko": kokoburra}},
    });
    assert_eq!(stage.channels(koko), expected);
}

/// E-05: whoever is nowhere stays nowhere.
#[test]
fn e_05_a_user_update_puts_nobody_anywhere() {
    let mut stage = Stage::new();
    let koko = stage.open();
    stage.say(koko, "", "koko", renamed("Koko"));
    stage.pass(SECOND);
    assert!(stage.published.is_empty());
    assert_eq!(stage.messages(koko), ["user update::koko"]);
}

/// E-06: in one room, also before the join.
#[test]
fn e_06_a_channel_user_update_is_merged_in_one_room_and_inserts() {
    let mut stage = Stage::new();
    let koko = stage.open();
    stage.say(koko, "first", "koko", at("\"1.23\""));
    stage.say(koko, "second", "koko", What::ChannelUserUpdate(vec![attribute("userName", "\"Other\"")]));
    stage.say(
        koko,
        "first",
        "koko",
        What::ChannelUserUpdate(vec![attribute("userY", "2"), attribute("userX", "null")]),
    );
    stage.pass(SECOND);
    let expected = json!({
        "first": {"users": {"koko": {"userName": "KOKO", "userX": null, "userY": 2}}},
        "second": {"users": {"koko": {"userName": "Other"}}},
    });
    assert_eq!(stage.channels(koko), expected);
    assert_eq!(stage.shown, [], "others see them only after the join");
}

/// E-06: kept as sent.
#[test]
fn e_06_values_are_kept_as_they_came() {
    let mut stage = Stage::new();
    let koko = stage.open();
    let odd = vec![attribute("a", "\"1.230\""), attribute("b", "[1,{\"c\":null}]"), attribute("b", "true")];
    stage.say(koko, "first", "koko", What::ChannelUserUpdate(odd));
    stage.pass(SECOND);
    let expected = json!({"userName": "KOKO", "a": "1.230", "b": true});
    assert_eq!(stage.channels(koko)["first"]["users"]["koko"], expected);
}

/// Nobody changes a user of a room that they may not enter.
#[test]
fn e_05_e_06_a_token_room_is_out_of_reach() {
    let mut stage = Stage::new();
    stage.take("stage");
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    stage.join(holder, "stage", "alice");
    let mallory = stage.open();
    stage.say(mallory, "", "alice", renamed("Fool"));
    stage.say(mallory, "stage", "alice", at("666"));
    stage.say(mallory, "stage", "alice", What::Leave);
    stage.close(mallory);
    stage.pass(SECOND * 60);
    assert_eq!(stage.channels(holder), json!({"stage": {"users": {"alice": {"userName": "ALICE"}}}}));
    stage.say(holder, "", "alice", renamed("Alice"));
    stage.pass(SECOND);
    assert_eq!(stage.channels(holder)["stage"]["users"]["alice"], json!({"userName": "Alice"}));
}

/// What is too much is not merged at all, and the message goes on.
#[test]
fn so_much_can_be_known_of_a_user() {
    let mut stage = Stage::new();
    let koko = stage.person("first", "koko");
    let long = |bytes: usize| vec![attribute("note", &format!("\"{}\"", "x".repeat(bytes)))];
    stage.say(koko, "first", "koko", What::ChannelUserUpdate(long(MAX_USER_BYTES - 100)));
    assert_eq!(stage.errors(koko), []);
    stage.say(koko, "first", "koko", What::ChannelUserUpdate(long(MAX_USER_BYTES - 101)));
    assert_eq!(stage.errors(koko), [], "in the place of the other");
    let mut more = long(MAX_USER_BYTES);
    more.push(attribute("userX", "1"));
    stage.say(koko, "first", "koko", What::ChannelUserUpdate(more));
    assert_eq!(stage.errors(koko), [Complaint::UserTooLarge]);
    let many = (0..MAX_KEYS_OF_USER).map(|key| attribute(&format!("k{key}"), "1")).collect();
    stage.say(koko, "first", "koko", What::UserUpdate(many));
    assert_eq!(stage.errors(koko), [Complaint::UserTooLarge]);
    stage.pass(SECOND);
    let known = stage.channels(koko)["first"]["users"]["koko"].clone();
    assert_eq!(known.as_object().map(serde_json::Map::len), Some(2), "{known}");
}

#[test]
fn so_much_can_be_known_of_all() {
    let mut stage = Stage::new();
    let patch = stage.open();
    let note = attribute("note", &format!("\"{}\"", "x".repeat(MAX_USER_BYTES - 100)));
    let mut refused = 0;
    for user in 0..2 * MAX_PRESENCE_BYTES / MAX_USER_BYTES {
        let (socket, room) =
            (stage.open_as(Caller { rooms: Some(vec!["none"]), ..Caller::default() }), user.to_string());
        stage.say(socket, &room, "u", What::ChannelUserUpdate(vec![note.clone()]));
        refused += stage.errors(socket).len();
    }
    assert!(refused > 0);
    stage.pass(SECOND * 2);
    let largest = stage.published[&patch].iter().map(|(_, bytes)| *bytes).max().unwrap();
    assert!((MAX_PRESENCE_BYTES / 2..2 * MAX_PRESENCE_BYTES).contains(&largest), "{largest}");
    stage.say(patch, "0", "u", What::Leave);
    stage.say(patch, "new", "v", What::ChannelUserUpdate(vec![note]));
    assert_eq!(stage.errors(patch), [], "who leaves makes room");
}
