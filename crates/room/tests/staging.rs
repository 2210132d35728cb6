//! What an event wants of its room.

use room::input::Now;
use room::{ChatPost, ChatRefused, Identity, Origin, Room, RoomConfig, RoomEffect, Staging};
use std::time::{Duration, Instant};

struct Stage {
    room: Room,
    began: Instant,
}

impl Stage {
    fn new() -> Self {
        let began = Instant::now();
        Self { room: Room::new(RoomConfig::default(), "stage", 1, Now { at: began, unix_ms: 0 }), began }
    }

    fn at(&self, seconds: u64) -> Now {
        Now { at: self.began + Duration::from_secs(seconds), unix_ms: 0 }
    }

    fn stage(&mut self, seconds: u64, staging: Staging) {
        self.room.stage(self.at(seconds), staging);
    }

    /// Does it end by then?
    fn ends_by(&mut self, seconds: u64) -> bool {
        self.room.handle_timeout(self.at(seconds));
        std::iter::from_fn(|| self.room.poll_effect()).any(|effect| matches!(effect, RoomEffect::Ended))
    }
}

#[test]
fn e_32_an_empty_room_stays_for_its_event_and_ends_a_while_after_it() {
    // E-32
    let mut stage = Stage::new();
    stage.stage(0, Staging { stays: true, chat_closed: false });
    assert!(!stage.ends_by(4_000));
    stage.stage(4_000, Staging::default());
    assert!(!stage.ends_by(4_019));
    assert_eq!(stage.room.poll_timeout(), Some(stage.at(4_020).at));
    assert!(stage.ends_by(4_020));
}

#[test]
fn e_32_nobody_writes_while_an_event_without_chat_is_on_whatever_the_rules_say() {
    // E-32
    let mut stage = Stage::new();
    let author = Identity { origin: Origin::Bus, id: "mako".into() };
    let post = ChatPost { author, name: String::new(), text: "hello".into(), id: None, frame: None };
    stage.stage(0, Staging { stays: true, chat_closed: true });
    assert_eq!(stage.room.say(stage.at(1), post.clone()).map(drop), Err(ChatRefused::Closed));
    assert!(!stage.room.chat_rules().closed);
    stage.stage(2, Staging { stays: true, chat_closed: false });
    assert_eq!(stage.room.say(stage.at(3), post).map(drop), Ok(()));
}
