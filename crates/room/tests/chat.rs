//! The chat's order: who may write, how often, how much; and who may not come in.

mod stage;

use room::chat::{ChatMessage, ChatPost, ChatRefused, ChatRules};
use room::limits::{
    MAX_BANS, MAX_CHAT_AUTHORS, MAX_CHAT_FRAME_BYTES, MAX_CHAT_ID_BYTES, MAX_CHAT_TEXT_BYTES, MAX_MUTES,
    MAX_SLOW_MODE_S,
};
use room::moderation::{BanList, Banned, Moderation, ModerationError};
use room::participant::DisconnectReason;
use room::{Identity, JoinError, Orders, Origin};
use stage::{START_MS, Stage};
use std::net::IpAddr;
use std::time::Duration;

fn bus(id: &str) -> Identity {
    Identity { origin: Origin::Bus, id: id.into() }
}

fn post(author: &Identity, text: &str) -> ChatPost {
    ChatPost { author: author.clone(), name: "Mako".into(), text: text.into(), id: None, frame: None }
}

fn say(stage: &mut Stage, author: &Identity, text: &str) -> Result<ChatMessage, ChatRefused> {
    let now = stage.now();
    stage.room.say(now, post(author, text))
}

fn rules(closed: bool, slow_mode_s: u32) -> Moderation {
    Moderation::SetRules(ChatRules { closed, slow_mode_s })
}

fn mute(identity: &Identity, muted: bool) -> Moderation {
    Moderation::Mute { identity: identity.clone(), muted }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn what_is_said_has_our_time_and_an_id() {
    let mut stage = Stage::new();
    stage.pass_secs(3);
    let said = say(&mut stage, &bus("u1"), "hello").unwrap();
    assert_eq!((said.at_ms, &*said.text, &*said.name), (START_MS + 3_000, "hello", "Mako"));
    assert!(said.id.len() == 16 && said.id.bytes().all(|byte| byte.is_ascii_lowercase()), "{}", said.id);
    let other = say(&mut stage, &bus("u1"), "hello").unwrap();
    assert_ne!(said.id, other.id);
    let now = stage.now();
    let own = ChatPost { id: Some("xykwphlsmcouazdg".into()), ..post(&bus("u1"), "hello") };
    assert_eq!(&*stage.room.say(now, own).unwrap().id, "xykwphlsmcouazdg");
}

#[test]
fn whoever_speaks_need_not_be_in_the_room() {
    let mut stage = Stage::new();
    stage.join("alice");
    assert!(say(&mut stage, &Identity::token("alice"), "from within").is_ok());
    assert!(say(&mut stage, &bus("u1"), "from outside").is_ok());
}

#[test]
fn a_closed_chat_takes_nothing_until_it_is_open_again() {
    let mut stage = Stage::new();
    stage.moderate(&rules(true, 0)).unwrap();
    assert_eq!(say(&mut stage, &bus("u1"), "hello"), Err(ChatRefused::Closed));
    stage.moderate(&rules(false, 0)).unwrap();
    assert!(say(&mut stage, &bus("u1"), "hello").is_ok());
}

#[test]
fn who_is_muted_is_silent_and_the_others_are_not() {
    let mut stage = Stage::new();
    stage.moderate(&mute(&bus("u1"), true)).unwrap();
    assert_eq!(say(&mut stage, &bus("u1"), "hello"), Err(ChatRefused::Muted));
    assert!(say(&mut stage, &bus("u2"), "hello").is_ok());
    assert!(say(&mut stage, &Identity::token("u1"), "hello").is_ok(), "another origin's u1 is another person");
    stage.moderate(&mute(&bus("u1"), false)).unwrap();
    assert!(say(&mut stage, &bus("u1"), "hello").is_ok());
    assert_eq!(stage.moderate(&mute(&bus("u1"), false)), Err(ModerationError::NotFound));
}

#[test]
fn in_slow_mode_each_author_waits() {
    let mut stage = Stage::new();
    stage.moderate(&rules(false, 10)).unwrap();
    assert!(say(&mut stage, &bus("u1"), "one").is_ok());
    assert!(say(&mut stage, &bus("u2"), "one").is_ok());
    stage.pass(Duration::from_millis(4_500));
    assert_eq!(say(&mut stage, &bus("u1"), "two"), Err(ChatRefused::SlowMode { wait_ms: 5_500 }));
    stage.pass(Duration::from_millis(5_499));
    assert_eq!(say(&mut stage, &bus("u1"), "two"), Err(ChatRefused::SlowMode { wait_ms: 1 }));
    stage.pass(Duration::from_millis(1));
    assert!(say(&mut stage, &bus("u1"), "two").is_ok(), "a refusal does not prolong it");
    stage.moderate(&rules(false, 0)).unwrap();
    assert!(say(&mut stage, &bus("u1"), "three").is_ok());
}

#[test]
fn what_was_not_stored_costs_no_wait() {
    let mut stage = Stage::new();
    stage.moderate(&rules(false, 10)).unwrap();
    let said = say(&mut stage, &bus("u1"), "one").unwrap();
    stage.room.unsay(&said.author);
    assert!(say(&mut stage, &bus("u1"), "one").is_ok());
}

/// A shard has let it pass and others have read it: what it could not know is asked, its own clock is trusted.
#[test]
fn what_was_overheard_is_not_held_by_slow_mode() {
    let mut stage = Stage::new();
    stage.moderate(&rules(false, 10)).unwrap();
    let alice = Identity::token("alice");
    let now = stage.now();
    assert!(stage.room.overhear(now, post(&alice, "one")).is_ok());
    assert!(stage.room.overhear(now, post(&alice, "two")).is_ok());
    assert!(say(&mut stage, &alice, "three").is_err(), "it counts for what she says elsewhere");
    stage.moderate(&mute(&alice, true)).unwrap();
    assert_eq!(stage.room.overhear(now, post(&alice, "four")), Err(ChatRefused::Muted));
}

#[test]
fn what_is_too_long_is_refused() {
    let mut stage = Stage::new();
    let now = stage.now();
    let long = |bytes| "x".repeat(bytes);
    let mut takes = |change: &dyn Fn(&mut ChatPost)| {
        let mut post = post(&bus("u1"), "hello");
        change(&mut post);
        stage.room.say(now, post).map(|_| ())
    };
    assert_eq!(takes(&|post| post.text = long(MAX_CHAT_TEXT_BYTES)), Ok(()));
    assert_eq!(takes(&|post| post.text = long(MAX_CHAT_TEXT_BYTES + 1)), Err(ChatRefused::TooLong));
    assert_eq!(takes(&|post| post.id = Some(long(MAX_CHAT_ID_BYTES))), Ok(()));
    assert_eq!(takes(&|post| post.id = Some(long(MAX_CHAT_ID_BYTES + 1))), Err(ChatRefused::TooLong));
    assert_eq!(takes(&|post| post.frame = Some(long(MAX_CHAT_FRAME_BYTES).into())), Ok(()));
    assert_eq!(takes(&|post| post.frame = Some(long(MAX_CHAT_FRAME_BYTES + 1).into())), Err(ChatRefused::TooLong));
}

/// Identities of the bus cost nothing: those who make up many are not remembered without end.
#[test]
fn q_7_slow_mode_remembers_so_many_authors_and_no_more() {
    let mut stage = Stage::new();
    stage.moderate(&rules(false, MAX_SLOW_MODE_S)).unwrap();
    for number in 0..=MAX_CHAT_AUTHORS {
        assert!(say(&mut stage, &bus(&number.to_string()), "hello").is_ok());
    }
    assert!(say(&mut stage, &bus(&MAX_CHAT_AUTHORS.to_string()), "again").is_err());
    assert!(say(&mut stage, &bus("1"), "again").is_err());
    assert!(say(&mut stage, &bus("0"), "again").is_ok(), "the one who wrote longest ago is forgotten");
}

#[test]
fn slow_mode_and_mutes_have_their_limits() {
    let mut stage = Stage::new();
    assert_eq!(stage.moderate(&rules(true, MAX_SLOW_MODE_S + 1)), Err(ModerationError::TooSlow));
    assert!(say(&mut stage, &bus("u1"), "hello").is_ok(), "nothing has changed");
    for number in 0..MAX_MUTES {
        stage.moderate(&mute(&bus(&number.to_string()), true)).unwrap();
    }
    assert_eq!(stage.moderate(&mute(&bus("more"), true)), Err(ModerationError::Full));
    assert_eq!(stage.moderate(&mute(&bus("0"), true)), Ok(()), "it is muted already");
}

#[test]
fn a_ban_removes_and_keeps_out_within_its_origin() {
    let mut stage = Stage::new();
    let visitor = stage.join_with("mallory", |join| join.identity = bus("mallory"));
    let namesake = stage.join("mallory");
    stage.moderate(&Moderation::Ban(Banned::Identity(bus("mallory")))).unwrap();
    assert_eq!(stage.leave_told(visitor).map(|(reason, _)| reason), Some(DisconnectReason::ParticipantRemoved));
    assert_eq!(stage.leave_told(namesake), None, "the token holder is somebody else");
    let mut again = stage.ticket("mallory");
    again.identity = bus("mallory");
    assert_eq!(stage.room.check_join(&again), Err(JoinError::Banned));
    assert_eq!(say(&mut stage, &bus("mallory"), "hello"), Err(ChatRefused::Banned));
    stage.moderate(&Moderation::Unban(Banned::Identity(bus("mallory")))).unwrap();
    assert_eq!(stage.room.check_join(&again), Ok(()));
    let unban = stage.moderate(&Moderation::Unban(Banned::Identity(bus("mallory"))));
    assert_eq!(unban, Err(ModerationError::NotFound));
}

#[test]
fn a_banned_address_stands_for_its_household() {
    let mut list = BanList::default();
    for text in ["192.0.2.7", "2001:db8:1:2::7"] {
        assert_eq!(list.add(Banned::Address(address(text))), Ok(true));
    }
    let bars = |text| list.bars(None, Some(address(text)));
    assert!(bars("192.0.2.7") && bars("::ffff:192.0.2.7") && bars("2001:db8:1:2:3:4:5:6"));
    assert!(!bars("192.0.2.8") && !bars("2001:db8:1:3::7"));
    assert!(list.remove(&Banned::Address(address("2001:db8:1:2:ffff::"))));
    assert_eq!(list.iter().count(), 1);
}

#[test]
fn bans_have_their_limit() {
    let mut list = BanList::default();
    for number in 0..MAX_BANS {
        list.add(Banned::Identity(bus(&number.to_string()))).unwrap();
    }
    assert_eq!(list.add(Banned::Identity(bus("more"))), Err(ModerationError::Full));
    assert_eq!(list.add(Banned::Identity(bus("0"))), Ok(false));
}

#[test]
fn what_moderators_said_before_the_room_began_holds() {
    let mut stage = Stage::new();
    let mut bans = BanList::default();
    bans.add(Banned::Identity(bus("mallory"))).unwrap();
    let rules = ChatRules { closed: false, slow_mode_s: 10 };
    stage.room.restore(Orders { rules, muted: vec![bus("u1")], bans });
    assert_eq!(say(&mut stage, &bus("u1"), "hello"), Err(ChatRefused::Muted));
    assert_eq!(say(&mut stage, &bus("mallory"), "hello"), Err(ChatRefused::Banned));
    assert!(say(&mut stage, &bus("u2"), "hello").is_ok());
    assert!(matches!(say(&mut stage, &bus("u2"), "hello"), Err(ChatRefused::SlowMode { .. })));
    assert_eq!(stage.room.chat_rules(), rules);
}
