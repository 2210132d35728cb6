//! A bus, sockets and a clock that stands still until a test moves it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use bus::input::Attribute;
use bus::{
    Bus, BusLimits, Channels, CloseReason, Complaint, Effect, Grant, Input, Lane, Piece, Said, SocketId, View, Visitor,
    What, World,
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Every room is open but these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doors(Rc<RefCell<BTreeSet<String>>>);

impl World for Doors {
    fn is_open(&self, room: &str) -> bool {
        !self.0.borrow().contains(room)
    }

    fn channels_updated(&mut self, channels: &Channels<'_>) -> Bytes {
        let mut rooms: Vec<(String, Users)> = Vec::new();
        channels.each(|piece| match piece {
            Piece::Room(name) => rooms.push((name.to_owned(), Vec::new())),
            Piece::User(id) => rooms.last_mut().unwrap().1.push((id.to_owned(), Map::new())),
            Piece::Attribute(key, json) => {
                let user = rooms.last_mut().unwrap().1.last_mut().unwrap();
                user.1.insert(key.to_owned(), serde_json::from_str(json).unwrap());
            }
        });
        let users =
            |users: Users| users.into_iter().map(|(id, known)| (id, Value::Object(known))).collect::<Map<_, _>>();
        let value: Map<_, _> = rooms.into_iter().map(|(name, of)| (name, json!({ "users": users(of) }))).collect();
        Value::Object(value).to_string().into()
    }
}

/// Users and what is known of each.
type Users = Vec<(String, Map<String, Value>)>;

/// What a socket got.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Got {
    Message(String, Lane),
    Channels(Value),
    Error(Complaint),
    Closed(CloseReason),
}

/// What other gateways' clients are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    Enter(String, String, Option<SocketId>),
    Profile(String, String, Vec<Attribute>),
    Exit(String, String),
    ClearChats,
}

pub(crate) struct Stage {
    pub(crate) bus: Bus<Doors>,
    pub(crate) doors: Doors,
    pub(crate) now: Instant,
    next: u32,
    got: BTreeMap<SocketId, Vec<Got>>,
    /// The last CHANNELS_UPDATED of each socket.
    channels: BTreeMap<SocketId, Value>,
    /// When each socket got CHANNELS_UPDATED, and how many bytes.
    pub(crate) published: BTreeMap<SocketId, Vec<(Instant, usize)>>,
    pub(crate) shown: Vec<Shown>,
}

/// How a socket is opened.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    pub(crate) cookie: Option<u128>,
    pub(crate) address: u64,
    pub(crate) rooms: Option<Vec<&'static str>>,
    pub(crate) token: Option<&'static str>,
    pub(crate) operator: bool,
    /// Its token does not let it speak, or listen.
    pub(crate) mute: bool,
    pub(crate) deaf: bool,
}

impl Doors {
    pub(crate) fn close(&self, room: &str) {
        self.0.borrow_mut().insert(room.to_owned());
    }

    pub(crate) fn open(&self, room: &str) {
        self.0.borrow_mut().remove(room);
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(BusLimits::default())
    }

    pub(crate) fn with(limits: BusLimits) -> Self {
        let doors = Doors::default();
        Self {
            bus: Bus::new(limits, doors.clone()),
            doors,
            now: Instant::now(),
            next: 0,
            got: BTreeMap::new(),
            channels: BTreeMap::new(),
            published: BTreeMap::new(),
            shown: Vec::new(),
        }
    }

    /// A socket of somebody whom nothing tells from others.
    pub(crate) fn open(&mut self) -> SocketId {
        // Each from its own address, or they would be taken for each other.
        self.open_as(Caller { address: 1_000 + u64::from(self.next), ..Caller::default() })
    }

    pub(crate) fn open_as(&mut self, caller: Caller) -> SocketId {
        self.next += 1;
        let socket = SocketId(self.next);
        let given = 1_000_000 + u128::from(self.next);
        let visitor = Visitor {
            cookie: caller.cookie.unwrap_or(given),
            sent_cookie: caller.cookie.is_some(),
            address: caller.address,
        };
        let narrowed = caller.rooms.map(|rooms| Arc::new(rooms.into_iter().map(Arc::from).collect::<BTreeSet<_>>()));
        let grant = caller.token.map(|room| Grant { room: room.into(), may_see: !caller.deaf, may_send: !caller.mute });
        let view = View { narrowed, grant };
        self.input(Input::Opened { socket, visitor, view, operator: caller.operator });
        socket
    }

    /// The cookie that a socket was given when it came without one.
    pub(crate) fn cookie_of(socket: SocketId) -> u128 {
        1_000_000 + u128::from(socket.0)
    }

    pub(crate) fn close(&mut self, socket: SocketId) {
        self.input(Input::Closed { socket, heard_at: self.now });
    }

    pub(crate) fn say(&mut self, socket: SocketId, room: &str, user: &str, what: What) {
        let text = format!("{}:{room}:{user}", name(&what));
        self.say_text(socket, room, user, &text, what);
    }

    pub(crate) fn say_text(&mut self, socket: SocketId, room: &str, user: &str, text: &str, what: What) {
        let some = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
        let name = (!user.is_empty()).then(|| Value::from(user.to_uppercase()).to_string().into());
        let frame = Bytes::from(text.to_owned());
        let said = Said { room: some(room), user: some(user), name, frame, what };
        self.input(Input::Said { socket, said });
    }

    pub(crate) fn join(&mut self, socket: SocketId, room: &str, user: &str) {
        self.say(socket, room, user, What::Join(Vec::new()));
    }

    /// Somebody with a socket of their own, in a room.
    pub(crate) fn person(&mut self, room: &str, user: &str) -> SocketId {
        let socket = self.open();
        self.join(socket, room, user);
        socket
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.bus.handle(self.now, input);
        self.drain();
    }

    /// Closes a room to all without a token, and says so.
    pub(crate) fn take(&mut self, room: &str) {
        self.doors.close(room);
        self.input(Input::BecameToken { room: room.into() });
    }

    /// Lets time pass, with everything that it brings.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.bus.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.bus.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(effect) = self.bus.poll_effect() {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send { to, frame, lane } => {
                for socket in to.iter().flat_map(|group| group.iter()) {
                    let got = self.read(*socket, &frame, lane);
                    self.got.entry(*socket).or_default().push(got);
                }
            }
            Effect::Complain { to, complaint, .. } => self.got.entry(to).or_default().push(Got::Error(complaint)),
            Effect::Close { socket, reason } => self.got.entry(socket).or_default().push(Got::Closed(reason)),
            Effect::Enter { room, user, socket, .. } => {
                self.shown.push(Shown::Enter(room.to_string(), user.to_string(), socket));
            }
            Effect::Profile { room, user, profile } => {
                self.shown.push(Shown::Profile(room.to_string(), user.to_string(), profile));
            }
            Effect::Exit { room, user } => self.shown.push(Shown::Exit(room.to_string(), user.to_string())),
            Effect::ClearChats => self.shown.push(Shown::ClearChats),
        }
    }

    fn read(&mut self, socket: SocketId, frame: &Bytes, lane: Lane) -> Got {
        let text = String::from_utf8_lossy(frame);
        if lane != Lane::Channels {
            return Got::Message(text.into_owned(), lane);
        }
        let value: Value = serde_json::from_str(&text).unwrap();
        self.channels.insert(socket, value.clone());
        self.published.entry(socket).or_default().push((self.now, frame.len()));
        Got::Channels(value)
    }

    /// What a socket got since this was asked last.
    pub(crate) fn heard(&mut self, socket: SocketId) -> Vec<Got> {
        self.got.remove(&socket).unwrap_or_default()
    }

    /// The messages among it.
    pub(crate) fn messages(&mut self, socket: SocketId) -> Vec<String> {
        let got = self.heard(socket).into_iter();
        got.filter_map(|got| if let Got::Message(text, _) = got { Some(text) } else { None }).collect()
    }

    /// The errors among it.
    pub(crate) fn errors(&mut self, socket: SocketId) -> Vec<Complaint> {
        let got = self.heard(socket).into_iter();
        got.filter_map(|got| if let Got::Error(complaint) = got { Some(complaint) } else { None }).collect()
    }

    pub(crate) fn forget(&mut self) {
        self.got.clear();
        self.shown.clear();
        self.published.clear();
    }

    /// The last CHANNELS_UPDATED that a socket got.
    pub(crate) fn channels(&self, socket: SocketId) -> Value {
        self.channels.get(&socket).cloned().unwrap_or(Value::Null)
    }

    /// Who is in a room, as a socket knows it.
    pub(crate) fn users(&self, socket: SocketId, room: &str) -> Vec<String> {
        let channels = self.channels(socket);
        let users = channels[room]["users"].as_object();
        users.into_iter().flatten().map(|(id, _)| id.clone()).collect()
    }

    /// A socket that sees everything, and has just been told who is where.
    pub(crate) fn witness(&mut self) -> SocketId {
        let witness = self.open();
        self.pass(Duration::from_secs(1));
        witness
    }
}

pub(crate) fn text(text: &str) -> Got {
    Got::Message(text.to_owned(), Lane::Ordered)
}

pub(crate) fn attribute(key: &str, json: &str) -> Attribute {
    (key.to_owned(), json.into())
}

pub(crate) fn at(x: &str) -> What {
    What::ChannelUserUpdate(vec![attribute("userX", x)])
}

fn name(what: &What) -> &'static str {
    match what {
        What::Join(_) => "join",
        What::Leave => "leave",
        What::UserUpdate(_) => "user update",
        What::ChannelUserUpdate(_) => "move",
        What::Image => "image",
        What::ImageLeave => "image leave",
        What::Reset => "reset",
        What::Reload => "reload",
        What::Other => "other",
        What::Kept => "kept",
    }
}
