//! Sockets that close and come back (E-04).

mod stage;

use bus::{Input, SocketId, What};
use stage::{Caller, Shown, Stage, attribute};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn with_cookie(cookie: u128, address: u64) -> Caller {
    Caller { cookie: Some(cookie), address, ..Caller::default() }
}

fn from(address: u64) -> Caller {
    Caller { address, ..Caller::default() }
}

fn joined(stage: &mut Stage, caller: Caller, user: &str) -> SocketId {
    let socket = stage.open_as(caller);
    stage.join(socket, "first", user);
    socket
}

/// E-04: as leaving after 30 s of grace.
#[test]
fn e_04_a_closed_socket_leaves_after_half_a_minute() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let alice = joined(&mut stage, from(1), "alice");
    stage.pass(SECOND);
    stage.close(alice);
    stage.pass(SECOND * 29);
    assert_eq!(stage.users(witness, "first"), ["alice"]);
    stage.pass(SECOND * 2);
    assert_eq!(stage.channels(witness), serde_json::json!({}));
}

/// E-04: known by the userId in whatever it sends, wherever it comes from.
#[test]
fn e_04_known_by_the_user_in_whatever_it_sends() {
    for what in [What::Other, What::Kept, What::Image, What::ChannelUserUpdate(Vec::new())] {
        let mut stage = Stage::new();
        let witness = stage.witness();
        let alice = joined(&mut stage, with_cookie(1, 1), "alice");
        stage.close(alice);
        stage.pass(SECOND * 20);
        let back = stage.open_as(with_cookie(2, 2));
        stage.say(back, "another room", "alice", what);
        stage.pass(SECOND * 100);
        assert_eq!(stage.users(witness, "first"), ["alice"]);
        stage.close(back);
        stage.pass(SECOND * 31);
        assert_eq!(stage.users(witness, "first"), [""; 0], "and it holds as any other");
    }
}

/// E-04: a silent viewer is known by the cookie that it was given, from another address too.
#[test]
fn e_04_a_silent_viewer_is_known_by_its_cookie() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let alice = joined(&mut stage, from(1), "alice");
    stage.close(alice);
    stage.pass(SECOND * 20);
    let back = stage.open_as(with_cookie(Stage::cookie_of(alice), 99));
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), ["alice"]);
    stage.close(back);
    stage.pass(SECOND * 29);
    assert_eq!(stage.users(witness, "first"), ["alice"], "the grace begins anew");
    let again = stage.open_as(with_cookie(Stage::cookie_of(alice), 98));
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), ["alice"]);
    stage.close(again);
    stage.pass(SECOND * 31);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
}

/// E-04: else by the same address and user agent.
#[test]
fn e_04_a_client_without_cookies_is_known_by_its_address() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let alice = joined(&mut stage, from(7), "alice");
    stage.close(alice);
    stage.pass(SECOND);
    stage.open_as(from(8));
    stage.pass(SECOND * 10);
    stage.open_as(from(7));
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), ["alice"]);
}

#[test]
fn e_04_a_stranger_is_nobodys_return() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let alice = joined(&mut stage, with_cookie(5, 7), "alice");
    stage.close(alice);
    stage.open_as(from(8));
    stage.open_as(with_cookie(6, 7));
    stage.open_as(from(7));
    stage.pass(SECOND * 31);
    assert_eq!(
        stage.users(witness, "first"),
        [""; 0],
        "another address, another cookie, a browser that has lost its own"
    );
}

/// E-04: of several lost behind one address, as many stay as sockets came back.
#[test]
fn e_04_as_many_stay_as_came_back() {
    for back in 0..=4 {
        let mut stage = Stage::new();
        let witness = stage.witness();
        let lost: Vec<_> = (0..3).map(|user| joined(&mut stage, from(7), &format!("u{user}"))).collect();
        lost.into_iter().for_each(|socket| stage.close(socket));
        stage.pass(SECOND * 5);
        for _ in 0..back {
            stage.open_as(from(7));
        }
        stage.pass(SECOND * 100);
        assert_eq!(stage.users(witness, "first").len(), back.min(3), "{back}");
    }
}

/// E-04: and if the wrong ones stayed, a word puts it right.
#[test]
fn e_04_the_wrong_ones_that_stayed_make_room_for_the_right_ones() {
    for lost in ["u0", "u1", "u2"] {
        let mut stage = Stage::new();
        let witness = stage.witness();
        let sockets: Vec<_> = (0..3).map(|user| joined(&mut stage, from(7), &format!("u{user}"))).collect();
        sockets.into_iter().for_each(|socket| stage.close(socket));
        stage.pass(SECOND * 5);
        let back = stage.open_as(from(7));
        stage.pass(SECOND * 100);
        assert_eq!(stage.users(witness, "first").len(), 1);
        stage.say(back, "first", lost, What::Other);
        stage.pass(SECOND);
        assert_eq!(stage.users(witness, "first"), [lost]);
        assert_eq!(stage.channels(witness)["first"]["users"][lost]["userName"], lost.to_uppercase());
    }
}

/// E-04: a newcomer behind the same address says who it is, and is nobody's return.
#[test]
fn e_04_a_newcomer_who_says_who_it_is_stands_in_for_nobody() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let alice = joined(&mut stage, from(7), "alice");
    stage.close(alice);
    stage.pass(SECOND * 10);
    joined(&mut stage, from(7), "bob");
    stage.pass(SECOND * 10);
    assert_eq!(stage.users(witness, "first"), ["alice", "bob"]);
    stage.pass(SECOND * 11);
    assert_eq!(stage.users(witness, "first"), ["bob"], "the grace is no longer for that");
}

/// The new socket may be there before the old one is known to be dead.
#[test]
fn e_04_a_socket_that_came_before_the_loss_was_noticed_counts() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let alice = joined(&mut stage, from(7), "alice");
    let heard_at = stage.now;
    stage.pass(SECOND * 5);
    let back = stage.open_as(from(7));
    stage.pass(SECOND * 40);
    stage.input(Input::Closed { socket: alice, heard_at });
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), ["alice"]);
    stage.close(back);
    stage.pass(SECOND * 31);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
}

/// Another tab that was open all the time is no return.
#[test]
fn e_04_a_silent_socket_that_was_there_before_is_no_return() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    stage.open_as(from(7));
    stage.pass(SECOND);
    let alice = joined(&mut stage, from(7), "alice");
    stage.pass(SECOND);
    stage.close(alice);
    stage.pass(SECOND * 31);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
}

/// One of two sockets of a user is not the user.
#[test]
fn e_04_a_user_with_another_socket_stays() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let [one, two] = [1, 2].map(|address| joined(&mut stage, from(address), "alice"));
    stage.close(one);
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), ["alice"]);
    stage.close(two);
    stage.pass(SECOND * 31);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
}

/// A socket's users come back together, and what was known of them is still known.
#[test]
fn e_04_all_users_of_a_socket_come_back_with_it() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let patch = stage.open_as(from(7));
    for user in ["a", "b"] {
        stage.join(patch, "first", user);
        stage.say(patch, "first", user, What::ChannelUserUpdate(vec![attribute("userX", "5")]));
    }
    stage.close(patch);
    stage.pass(SECOND * 10);
    let back = stage.open_as(from(7));
    stage.say(back, "first", "a", What::Other);
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), ["a", "b"]);
    assert_eq!(stage.channels(witness)["first"]["users"]["b"]["userX"], 5);
    stage.close(back);
    stage.pass(SECOND * 31);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
}

/// Whoever says goodbye is gone, whatever comes after.
#[test]
fn e_04_who_has_left_is_not_brought_back() {
    let mut stage = Stage::new();
    let witness = stage.witness();
    let alice = joined(&mut stage, from(7), "alice");
    stage.say(alice, "first", "alice", What::Leave);
    stage.close(alice);
    stage.open_as(from(7));
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
}

/// Other gateways' clients see somebody go when the grace is over, and not before.
#[test]
fn e_04_others_are_told_when_the_grace_is_over() {
    let mut stage = Stage::new();
    let alice = joined(&mut stage, from(7), "alice");
    let enter = Shown::Enter("first".into(), "alice".into(), Some(alice));
    assert_eq!(std::mem::take(&mut stage.shown), [enter]);
    stage.close(alice);
    stage.pass(SECOND * 29);
    assert_eq!(stage.shown, []);
    stage.pass(SECOND * 2);
    assert_eq!(stage.shown, [Shown::Exit("first".into(), "alice".into())]);
}

/// A socket without a token keeps nobody in a token room.
#[test]
fn e_04_only_a_token_stands_in_for_a_token() {
    let mut stage = Stage::new();
    stage.take("first");
    let holder = Caller { token: Some("first"), ..from(7) };
    let witness = stage.open_as(Caller { token: Some("first"), ..from(1) });
    let alice = joined(&mut stage, holder.clone(), "alice");
    stage.close(alice);
    let public = stage.open_as(from(7));
    stage.say(public, "elsewhere", "alice", What::Other);
    stage.pass(SECOND * 31);
    assert_eq!(stage.users(witness, "first"), [""; 0]);
    let alice = joined(&mut stage, holder.clone(), "alice");
    stage.close(alice);
    stage.open_as(holder);
    stage.pass(SECOND * 100);
    assert_eq!(stage.users(witness, "first"), ["alice"]);
}
