//! Anything in any order: nobody hears what they may not, what is shown is taken back, and in the end nothing is left.

mod stage;

use bus::limits::{GRACE, MAX_PRESENCE_BYTES};
use bus::{BusLimits, Complaint, Input, Removal, SocketId, What};
use proptest::prelude::*;
use serde_json::json;
use stage::{Caller, Got, Shown, Stage, attribute};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

const ROOMS: [&str; 3] = ["a", "b", "c"];
const USERS: [&str; 4] = ["u", "v", "w", "x"];

#[derive(Clone, Debug)]
enum Step {
    Open { cookie: Option<u8>, address: u8, narrow: Option<u8>, token: Option<u8>, operator: bool },
    Close { socket: u8, heard_ms: u16 },
    Say { socket: u8, room: Option<u8>, user: Option<u8>, what: u8 },
    Take { room: u8 },
    End { room: u8 },
    Removed { room: u8, user: u8, by: u8 },
    Refused { room: u8, user: u8, banned: bool },
    Other { room: u8, there: bool },
    Pass { ms: u16 },
}

fn step() -> impl Strategy<Value = Step> {
    let maybe = || proptest::option::of(0..4_u8);
    let open = (maybe(), 0..3_u8, proptest::option::weighted(0.2, 0..8_u8), maybe(), proptest::bool::weighted(0.1));
    prop_oneof![
        3 => open.prop_map(|(cookie, address, narrow, token, operator)| {
            Step::Open { cookie, address, narrow, token: token.filter(|token| *token < 2), operator }
        }),
        3 => (any::<u8>(), 0..5_000_u16).prop_map(|(socket, heard_ms)| Step::Close { socket, heard_ms }),
        9 => (any::<u8>(), maybe(), proptest::option::weighted(0.9, 0..4_u8), 0..10_u8)
            .prop_map(|(socket, room, user, what)| Step::Say { socket, room, user, what }),
        1 => (0..3_u8).prop_map(|room| Step::Take { room }),
        1 => (0..3_u8).prop_map(|room| Step::End { room }),
        1 => (0..3_u8, 0..4_u8, 0..3_u8).prop_map(|(room, user, by)| Step::Removed { room, user, by }),
        1 => (0..3_u8, 0..4_u8, any::<bool>()).prop_map(|(room, user, banned)| Step::Refused { room, user, banned }),
        1 => (0..3_u8, any::<bool>()).prop_map(|(room, there)| Step::Other { room, there }),
        4 => (0..20_000_u16).prop_map(|ms| Step::Pass { ms }),
    ]
}

struct Show {
    stage: Stage,
    sockets: Vec<(SocketId, Caller)>,
    closed: BTreeSet<&'static str>,
    shown: BTreeSet<(String, String)>,
}

impl Show {
    fn new() -> Self {
        let stage = Stage::with(BusLimits { users_in_room: 3, visible_users: 2 });
        Self { stage, sockets: Vec::new(), closed: BTreeSet::new(), shown: BTreeSet::new() }
    }

    fn play(&mut self, step: Step) {
        let room = |room: u8| ROOMS[usize::from(room) % ROOMS.len()];
        let user = |user: u8| USERS[usize::from(user) % USERS.len()];
        match step {
            Step::Open { cookie, address, narrow, token, operator } => {
                let rooms =
                    narrow.map(|bits| (0..3).filter(|bit| bits >> bit & 1 == 1).map(|bit| ROOMS[bit]).collect());
                let token = token.map(room);
                let cookie = cookie.map(u128::from);
                let caller = Caller { cookie, address: address.into(), rooms, token, operator, ..Caller::default() };
                self.sockets.push((self.stage.open_as(caller.clone()), caller));
            }
            Step::Close { socket, heard_ms } => {
                if let Some(at) = self.pick(socket) {
                    let (socket, _) = self.sockets.swap_remove(at);
                    let heard_at = self.stage.now - Duration::from_millis(heard_ms.into());
                    self.stage.input(Input::Closed { socket, heard_at });
                }
            }
            Step::Say { socket, room: at, user: who, what } => {
                if let Some(socket) = self.pick(socket).map(|at| self.sockets[at].0) {
                    let (room, user) = (at.filter(|at| *at < 3).map_or("", room), who.map_or("", user));
                    self.stage.say(socket, room, user, of(what));
                }
            }
            Step::Take { room: at } => {
                self.closed.insert(room(at));
                self.stage.take(room(at));
            }
            Step::End { room: at } => {
                self.closed.remove(room(at));
                self.stage.doors.open(room(at));
                self.stage.input(Input::RoomEnded { room: room(at).into() });
            }
            Step::Removed { room: at, user: who, by } => {
                let by = [Removal::Operator, Removal::RoomEnded, Removal::Other][usize::from(by)];
                if self.shown.remove(&(room(at).into(), user(who).into())) {
                    self.stage.input(Input::Removed { room: room(at).into(), user: user(who).into(), by });
                }
            }
            Step::Refused { room: at, user: who, banned } => {
                if self.shown.remove(&(room(at).into(), user(who).into())) {
                    self.stage.input(Input::Refused { room: room(at).into(), user: user(who).into(), banned });
                }
            }
            Step::Other { room: at, there } => {
                let (room, id) = (room(at).into(), "token:t".into());
                self.stage.input(match there {
                    true => Input::Present { room, id, attributes: vec![attribute("userX", "1")] },
                    false => Input::Gone { room, id },
                });
            }
            Step::Pass { ms } => self.stage.pass(Duration::from_millis(ms.into())),
        }
        self.check();
    }

    fn pick(&self, socket: u8) -> Option<usize> {
        (!self.sockets.is_empty()).then(|| usize::from(socket) % self.sockets.len())
    }

    fn check(&mut self) {
        for shown in std::mem::take(&mut self.stage.shown) {
            match shown {
                Shown::Enter(room, user, _) => assert!(self.shown.insert((room, user)), "shown twice"),
                Shown::Exit(room, user) => assert!(self.shown.remove(&(room, user)), "was not shown"),
                Shown::Profile(room, user, _) => assert!(self.shown.contains(&(room, user)), "is not shown"),
                Shown::ClearChats => {}
            }
        }
        for room in ROOMS {
            assert!(self.shown.iter().filter(|(there, _)| there == room).count() <= 2, "{:?}", self.shown);
        }
        for (socket, caller) in self.sockets.clone() {
            for got in self.stage.heard(socket) {
                self.check_heard(&caller, &got);
            }
        }
    }

    fn check_heard(&self, caller: &Caller, got: &Got) {
        let may = |room: &str| !self.closed.contains(room) || caller.token == Some(room);
        match got {
            Got::Message(text, _) => {
                let (what, rest) = text.split_once(':').unwrap();
                let room = rest.split(':').next().unwrap();
                assert!(room.is_empty() || may(room) || matches!(what, "reset" | "reload"), "{text}");
            }
            Got::Channels(channels) => {
                for (room, of) in channels.as_object().unwrap() {
                    assert!(may(room), "{room}");
                    assert!(caller.rooms.as_ref().is_none_or(|rooms| rooms.contains(&room.as_str())), "{room}");
                    assert!(of["users"].as_object().unwrap().len() <= 4, "three and one of another gateway");
                }
            }
            Got::Error(_) | Got::Closed(_) => {}
        }
    }

    /// Everybody goes: nothing is left, and the bus takes as much as on its first day.
    fn end(mut self) {
        for room in ROOMS {
            self.stage.input(Input::Gone { room: room.into(), id: "token:t".into() });
        }
        for (socket, _) in std::mem::take(&mut self.sockets) {
            self.stage.close(socket);
        }
        self.stage.pass(GRACE + Duration::from_secs(2));
        self.check();
        assert_eq!(self.shown, BTreeSet::new());
        assert_eq!(self.stage.bus.poll_timeout(), None);
        let stage = &mut self.stage;
        stage.doors.open("a");
        let last = stage.open();
        stage.join(last, "a", "last");
        stage.pass(Duration::from_secs(1));
        assert_eq!(stage.channels(last), json!({"a": {"users": {"last": {"userName": "LAST"}}}}));
        stage.say(last, "a", "last", What::Leave);
        static FRESH: OnceLock<usize> = OnceLock::new();
        let limits = BusLimits { users_in_room: 3, visible_users: 2 };
        assert_eq!(room_for(stage), *FRESH.get_or_init(|| room_for(&mut Stage::with(limits))));
    }
}

/// How many users with a note of 4,000 bytes fit in.
fn room_for(stage: &mut Stage) -> usize {
    let note = attribute("note", &format!("\"{}\"", "x".repeat(4_000)));
    let socket = stage.open_as(Caller { rooms: Some(vec!["none"]), address: 1, ..Caller::default() });
    for number in 0..MAX_PRESENCE_BYTES {
        stage.say(socket, &format!("n{number}"), "n", What::ChannelUserUpdate(vec![note.clone()]));
        if stage.errors(socket) == [Complaint::PresenceFull] {
            return number;
        }
    }
    unreachable!()
}

fn of(what: u8) -> What {
    let update = || vec![attribute("userX", &what.to_string())];
    match what {
        0 | 1 => What::Join(vec!["sync:".into()]),
        2 => What::Leave,
        3 => What::UserUpdate(update()),
        4 | 5 => What::ChannelUserUpdate(update()),
        6 => What::Image,
        7 => What::ImageLeave,
        8 => What::Reset,
        _ => What::Kept,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(steps in proptest::collection::vec(step(), 1..120)) {
        let mut show = Show::new();
        steps.into_iter().for_each(|step| show.play(step));
        show.end();
    }
}
