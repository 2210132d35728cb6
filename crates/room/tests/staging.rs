//! What an event wants of its room.

mod stage;

use room::{ChatPost, ChatRefused, Identity, Origin, Staging};
use stage::Stage;

impl Stage {
    fn wants(&mut self, stays: bool, chat_closed: bool) {
        let now = self.now();
        self.room.stage(now, Staging { stays, chat_closed });
    }

    fn says(&mut self) -> Result<(), ChatRefused> {
        let author = Identity { origin: Origin::Bus, id: "mako".into() };
        let post = ChatPost { author, name: String::new(), text: "hello".into(), id: None, frame: None };
        let now = self.now();
        self.room.say(now, post).map(drop)
    }
}

#[test]
fn e_32_an_empty_room_stays_for_its_event_and_ends_a_while_after_it() {
    // E-32
    let mut stage = Stage::new();
    stage.wants(true, false);
    stage.pass_secs(4_000);
    assert!(!stage.ended());
    stage.wants(false, false);
    stage.pass_secs(19);
    assert!(!stage.ended());
    stage.pass_secs(1);
    assert!(stage.ended());
}

#[test]
fn e_32_nobody_writes_while_an_event_without_chat_is_on_whatever_the_rules_say() {
    // E-32
    let mut stage = Stage::new();
    stage.wants(true, true);
    assert_eq!(stage.says(), Err(ChatRefused::Closed));
    assert!(!stage.room.chat_rules().closed);
    stage.wants(true, false);
    assert_eq!(stage.says(), Ok(()));
}
