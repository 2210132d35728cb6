//! Who hears a message (E-01).

mod stage;

use bus::{Complaint, Input, Lane, What};
use stage::{Caller, Got, Stage, text};

/// E-01: the sender included.
#[test]
fn e_01_everybody_hears_and_so_does_whoever_said_it() {
    let mut stage = Stage::new();
    let [alice, bob] = [stage.open(), stage.open()];
    stage.say_text(alice, "residence", "a", "tere", What::Other);
    assert_eq!(stage.heard(alice), [text("tere")]);
    assert_eq!(stage.heard(bob), [text("tere")]);
}

/// E-01: text that is no JSON, and messages without a channel, go to all who see everything.
#[test]
fn e_01_a_message_without_a_room_is_for_those_who_see_everything() {
    let mut stage = Stage::new();
    let [alice, bob] = [stage.open(), stage.open()];
    let narrow = stage.open_as(Caller { rooms: Some(vec!["a", "b"]), ..Caller::default() });
    stage.say_text(alice, "", "", "[object Object]", What::Other);
    for socket in [alice, bob] {
        assert_eq!(stage.heard(socket), [text("[object Object]")]);
    }
    assert_eq!(stage.heard(narrow), []);
    stage.say_text(narrow, "", "", "mine", What::Other);
    assert_eq!(stage.messages(narrow), ["mine"], "what comes back is all that some clients show");
    assert_eq!(stage.messages(bob), ["mine"]);
}

/// E-01: `?channel=a,b`
#[test]
fn e_01_a_socket_narrows_itself_to_rooms() {
    let mut stage = Stage::new();
    let wide = stage.open();
    let narrow = stage.open_as(Caller { rooms: Some(vec!["a", "b"]), ..Caller::default() });
    for room in ["a", "b", "c"] {
        stage.say_text(wide, room, "u", room, What::Other);
    }
    assert_eq!(stage.messages(narrow), ["a", "b"]);
    stage.say_text(narrow, "c", "n", "to c", What::Other);
    assert_eq!(stage.messages(narrow), ["to c"]);
    assert_eq!(stage.messages(wide), ["a", "b", "c", "to c"]);
}

/// E-01: a token room is on the bus for those who came with a token for it, and for nobody else.
#[test]
fn e_01_a_token_room_is_for_those_with_its_token() {
    let mut stage = Stage::new();
    let public = stage.open();
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    let other = stage.open_as(Caller { token: Some("cellar"), ..Caller::default() });
    stage.take("stage");
    stage.forget();
    stage.say_text(holder, "stage", "h", "secret", What::Other);
    assert_eq!(stage.messages(holder), ["secret"]);
    for socket in [public, other] {
        assert_eq!(stage.heard(socket), []);
        stage.say_text(socket, "stage", "p", "let me in", What::Other);
        assert_eq!(stage.heard(socket), [Got::Error(Complaint::NoSuchRoom)]);
    }
    assert_eq!(stage.heard(holder), []);
    stage.say_text(holder, "foyer", "h", "hello all", What::Other);
    assert_eq!(stage.messages(public), ["hello all"], "the others are open to it as to everybody");
}

#[test]
fn what_the_room_and_the_server_say_goes_the_same_ways() {
    let mut stage = Stage::new();
    let public = stage.open();
    let narrow = stage.open_as(Caller { rooms: Some(vec!["stage"]), ..Caller::default() });
    let holder = stage.open_as(Caller { token: Some("stage"), ..Caller::default() });
    let mut post = |room: Option<&str>, frame: &'static str| {
        stage.input(Input::Post { room: room.map(Into::into), frame: frame.into() });
        [public, narrow, holder].map(|socket| stage.messages(socket).len())
    };
    assert_eq!(post(Some("stage"), "one"), [1, 1, 1]);
    assert_eq!(post(Some("foyer"), "two"), [1, 0, 1]);
    assert_eq!(post(None, "three"), [1, 0, 1]);
    stage.take("stage");
    stage.forget();
    stage.input(Input::Post { room: Some("stage".into()), frame: "four".into() });
    assert_eq!([public, narrow, holder].map(|socket| stage.messages(socket).len()), [0, 0, 1]);
}

/// E-11, E-06: how they wait for a slow socket.
#[test]
fn e_11_images_and_moves_are_marked_by_their_source() {
    let mut stage = Stage::new();
    let alice = stage.open();
    let mut lane = |user: &str, room: &str, what: What| {
        stage.say(alice, room, user, what);
        let got = stage.heard(alice);
        got.into_iter().find_map(|got| if let Got::Message(_, lane) = got { Some(lane) } else { None }).unwrap()
    };
    let Lane::Newest(one) = lane("a", "r", What::Image) else { panic!() };
    assert_eq!(lane("a", "r", What::Image), Lane::Newest(one));
    assert_eq!(lane("a", "r", What::ImageLeave), Lane::Last(one));
    assert_ne!(lane("b", "r", What::Image), Lane::Newest(one));
    assert_ne!(lane("a", "s", What::Image), Lane::Newest(one));
    assert_eq!(lane("a", "r", stage::at("1")), Lane::Move(one));
    let Lane::Newest(nobody) = lane("", "r", What::Image) else { panic!() };
    assert_eq!(lane("", "r", What::Image), Lane::Newest(nobody));
    let bob = stage.open();
    stage.say(bob, "r", "", What::Image);
    let another = stage.heard(bob);
    assert!(!another.contains(&Got::Message("image:r:".into(), Lane::Newest(nobody))), "{another:?}");
}

/// A place in the table is given again.
#[test]
fn a_socket_that_closed_hears_nothing_and_says_nothing() {
    let mut stage = Stage::new();
    let [alice, bob] = [stage.open(), stage.open()];
    stage.close(alice);
    stage.say_text(bob, "r", "b", "anybody?", What::Other);
    stage.say_text(alice, "r", "a", "me", What::Other);
    assert_eq!(stage.messages(bob), ["anybody?"]);
    assert_eq!(stage.messages(alice), [""; 0]);
}
