//! CHANNEL_JOIN and CHANNEL_LEAVE (E-02, E-04).

mod stage;

use bus::{BusLimits, Complaint, What};
use serde_json::json;
use stage::{Got, Stage, text};

/// E-02: to the joiner alone what was said before, to all the join, then CHANNELS_UPDATED.
#[test]
fn e_02_the_order_of_a_join() {
    let mut stage = Stage::new();
    let bob = stage.open();
    let alice = stage.open();
    let syncs = vec!["chat".into(), "likes".into()];
    stage.say_text(alice, "first", "mako", "join", What::Join(syncs));
    let channels = Got::Channels(json!({"first": {"users": {"mako": {"userName": "MAKO"}}}}));
    assert_eq!(stage.heard(alice), [text("chat"), text("likes"), text("join"), channels.clone()]);
    assert_eq!(stage.heard(bob), [text("join"), channels]);
}

/// E-02: whoever joins again is there once, and learns who is there.
#[test]
fn e_02_joining_again_changes_nothing_and_tells_all() {
    let mut stage = Stage::new();
    let alice = stage.person("first", "mako");
    stage.pass(std::time::Duration::from_secs(1));
    stage.forget();
    stage.join(alice, "first", "mako");
    let channels = Got::Channels(json!({"first": {"users": {"mako": {"userName": "MAKO"}}}}));
    assert_eq!(stage.heard(alice), [text("join:first:mako"), channels]);
    assert_eq!(stage.shown, []);
}

/// E-04: the user is removed, then the echo, then CHANNELS_UPDATED.
#[test]
fn e_04_a_leave_is_told_to_all() {
    let mut stage = Stage::new();
    let [alice, bob] = [stage.person("first", "mako"), stage.person("first", "koko")];
    stage.join(bob, "second", "koko");
    stage.pass(std::time::Duration::from_secs(1));
    stage.forget();
    stage.say(alice, "first", "mako", What::Leave);
    let users = json!({"koko": {"userName": "KOKO"}});
    let channels = Got::Channels(json!({"first": {"users": users}, "second": {"users": users}}));
    assert_eq!(stage.heard(bob), [text("leave:first:mako"), channels.clone()]);
    assert_eq!(stage.heard(alice), [text("leave:first:mako"), channels]);
    stage.pass(std::time::Duration::from_secs(1));
    stage.say(alice, "first", "nobody", What::Leave);
    assert_eq!(stage.heard(bob).first(), Some(&text("leave:first:nobody")));
}

/// One socket may play several people, and one person may have several sockets.
#[test]
fn a_user_is_one_whatever_the_sockets() {
    let mut stage = Stage::new();
    let patch = stage.open();
    stage.join(patch, "first", "mako");
    stage.join(patch, "first", "koko");
    let other = stage.person("first", "mako");
    stage.pass(std::time::Duration::from_secs(1));
    assert_eq!(stage.users(other, "first"), ["koko", "mako"]);
}

/// Without a room or a user there is nobody to put anywhere.
#[test]
fn a_join_of_nobody_or_nowhere_is_passed_on() {
    let mut stage = Stage::new();
    let alice = stage.open();
    stage.join(alice, "", "mako");
    stage.join(alice, "first", "");
    stage.pass(std::time::Duration::from_secs(1));
    assert_eq!(stage.messages(alice), ["join::mako", "join:first:"]);
    assert_eq!(stage.users(alice, "first"), [""; 0]);
}

/// E-14: users in a room; the message goes on.
#[test]
fn e_14_a_room_takes_so_many_users() {
    let mut stage = Stage::with(BusLimits { users_in_room: 2, ..BusLimits::default() });
    stage.person("first", "a");
    stage.person("first", "b");
    let carol = stage.open();
    stage.join(carol, "first", "c");
    stage.pass(std::time::Duration::from_secs(1));
    assert_eq!(stage.users(carol, "first"), ["a", "b"]);
    let heard = stage.heard(carol);
    assert!(heard.contains(&text("join:first:c")) && heard.contains(&Got::Error(Complaint::RoomFull)), "{heard:?}");
    stage.join(carol, "second", "c");
    assert_eq!(stage.errors(carol), []);
    stage.forget();
    stage.join(carol, "first", "a");
    assert_eq!(stage.errors(carol), [], "who is there already needs no place");
}

#[test]
fn a_socket_speaks_for_so_many() {
    let mut stage = Stage::new();
    let patch = stage.open();
    for user in 0..bus::limits::MAX_USERS_OF_SOCKET {
        stage.join(patch, "first", &format!("u{user}"));
    }
    assert_eq!(stage.errors(patch), []);
    stage.join(patch, "first", "one more");
    assert_eq!(stage.errors(patch), [Complaint::TooManyUsers]);
    stage.pass(std::time::Duration::from_secs(1));
    assert_eq!(stage.users(patch, "first").len(), bus::limits::MAX_USERS_OF_SOCKET);
}
