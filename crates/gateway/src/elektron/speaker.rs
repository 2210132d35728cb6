//! What one socket says, frame by frame: what can be passed on at once, and what has to wait for the store first.
//!
//! A message that is kept is stored before it, and the same sender's later messages, are passed on. Who is where, and
//! pictures, wait for nothing but their room's door.

use super::limits::{DOOR_OPEN, MAX_CHATS_IN_FLIGHT, MAX_DOORS, MAX_JOBS};
use super::{Elektron, frames, log};
use crate::rooms::{Credential, JoinError, RoomGone};
use bus::pace::Pace;
use bus::{Complaint, Said, View, What};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use room::{ChatPost, Identity, Origin};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;
use wire::elektron::attributes::{self, AttributesError};
use wire::elektron::frame::{Frame, FrameError, Kind};
use wire::elektron::message;
use wire::websocket::{self, Opcode};

/// What follows from what was said.
#[derive(Debug)]
pub(super) enum Outcome {
    /// For the hub.
    Say(Said),
    /// An ERROR message for this socket: room, and what is wrong.
    Complain(Option<Arc<str>>, String),
}

/// A socket says more than any may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooMuch;

/// Somebody at a room's door.
type Door = (Arc<str>, Option<Arc<str>>);

/// What one socket has said and is waiting for.
pub(super) struct Speaker {
    elektron: Arc<Elektron>,
    view: View,
    address: IpAddr,
    /// Stands for a userId in the chat, where there is none.
    nameless: Arc<str>,
    pace: Pace,
    /// The last room and user, which most often are the next too.
    last_room: Option<Arc<str>>,
    last_user: Option<Arc<str>>,
    /// Until when they are open, and whether they are.
    doors: HashMap<Door, (Instant, Result<(), JoinError>)>,
    jobs: VecDeque<Job>,
    running: FuturesOrdered<BoxFuture<'static, Done>>,
    /// How many of `running` are chat.
    chats: usize,
    outcomes: VecDeque<Outcome>,
    /// Whose pictures it has sent: with it their cameras go off.
    cameras: Vec<(Arc<str>, Arc<str>)>,
}

/// Something that waits its turn.
enum Job {
    /// Is the door open?
    Knock(Door),
    /// Passed on, if the door was open.
    Plain(Said),
    Chat(Box<Said>, ChatPost, Option<Keep>),
    /// Kept, and then passed on.
    Keep(Box<Said>, Keep),
    /// E-02: what was said before, for the joiner.
    Join(Box<Said>),
}

/// What is to be stored of a message.
struct Keep {
    /// Among the room's messages, as of this type (E-14).
    message: Option<String>,
    /// Among its likes and hearts.
    like: bool,
    /// JSON.
    value: Bytes,
}

/// What became of a job.
enum Done {
    Knocked(Door, Result<(), JoinError>),
    Said(Box<Said>, Vec<String>),
    /// Nothing is passed on.
    Refused(Option<Arc<str>>, String),
}

impl Speaker {
    pub(super) fn new(elektron: Arc<Elektron>, view: View, address: IpAddr, now: Instant) -> Self {
        let pace = Pace::new(elektron.config.messages_per_s, now.into_std());
        Self {
            elektron,
            view,
            address,
            nameless: crate::draw::name("nameless-").into(),
            pace,
            last_room: None,
            last_user: None,
            doors: HashMap::new(),
            jobs: VecDeque::new(),
            running: FuturesOrdered::new(),
            chats: 0,
            outcomes: VecDeque::new(),
            cameras: Vec::new(),
        }
    }

    /// So much waits that the socket is not to be read.
    pub(super) fn is_busy(&self) -> bool {
        self.jobs.len() >= MAX_JOBS
    }

    /// What follows from what has been said so far. Asked for the next one, the one before is with the hub.
    pub(super) fn next_outcome(&mut self) -> Option<Outcome> {
        if self.outcomes.is_empty() {
            self.start_jobs();
        }
        self.outcomes.pop_front()
    }

    /// Waits until something that was asked of others is done.
    pub(super) async fn work(&mut self) {
        match self.running.next().await {
            Some(done) => {
                // Chat only runs with chat.
                self.chats = if self.chats > 0 { self.running.len() } else { 0 };
                self.finish(done);
                self.start_jobs();
            }
            None => std::future::pending().await,
        }
    }

    /// A ping or a pong: it says nothing, but costs something.
    pub(super) fn hear_nothing(&mut self, now: Instant) -> Result<(), TooMuch> {
        if self.pace.admit(0, now.into_std()) { Ok(()) } else { Err(TooMuch) }
    }

    /// A message.
    ///
    /// # Errors
    /// It is one too many.
    pub(super) fn hear(&mut self, opcode: Opcode, payload: &[u8], now: Instant) -> Result<(), TooMuch> {
        if !self.pace.admit(payload.len(), now.into_std()) {
            return Err(TooMuch);
        }
        if payload.is_empty() && opcode == Opcode::Binary {
            // None is ever sent.
            return Ok(());
        }
        metrics::counter!("odeon_bus_messages_total").increment(1);
        match Frame::parse(payload) {
            Ok(message) => self.take(opcode, payload, &message, now),
            Err(FrameError::Opaque) => {
                let frame = websocket::frame(opcode, payload).into();
                let said = Said { room: None, user: None, name: None, frame, what: What::Other };
                self.pass_on(said);
            }
            Err(error) => self.complain(None, error),
        }
        Ok(())
    }

    fn take(&mut self, opcode: Opcode, payload: &[u8], message: &Frame<'_>, now: Instant) {
        let frame: Bytes = websocket::frame(opcode, payload).into();
        let room = intern(&mut self.last_room, &message.channel);
        let user = intern(&mut self.last_user, &message.user_id);
        let name = (!message.user_name.is_empty()).then(|| message::json_string(&message.user_name).into());
        let what = self.what(message, room.as_ref());
        let said = Said { room, user, name, frame, what };
        if matches!(said.what, What::Reset | What::Reload) {
            // The hub knows who may.
            return self.outcomes.push_back(Outcome::Say(said));
        }
        let Some(room) = said.room.clone() else {
            return match message.keep {
                true => self.wait(Job::Keep(Box::new(said), keep(message, payload))),
                false => self.pass_on(said),
            };
        };
        if !self.view.may_send(&room, self.elektron.registry.is_open(&room)) {
            return self.complain(Some(room), Complaint::NoSuchRoom);
        }
        self.take_in_room(opcode, payload, message, said, &room, now);
    }

    fn take_in_room(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        message: &Frame<'_>,
        said: Said,
        room: &Arc<str>,
        now: Instant,
    ) {
        let door = (room.clone(), said.user.clone());
        let open = match self.doors.get(&door).filter(|(until, _)| *until > now) {
            Some((_, Ok(()))) => true,
            Some((_, Err(error))) => {
                let error = *error;
                return self.complain(Some(room.clone()), error);
            }
            None => {
                self.wait(Job::Knock(door));
                false
            }
        };
        let founded = !makes_a_room(message) || self.found(room, now);
        self.watch_camera(&said, message, founded);
        match message.kind {
            Kind::Chat if founded => {
                let post = self.post(opcode, payload, message);
                let keep = message.keep.then(|| keep(message, payload));
                self.wait(Job::Chat(Box::new(Said { what: What::Kept, ..said }), post, keep));
            }
            Kind::Join if founded => self.wait(Job::Join(Box::new(said))),
            Kind::Like | Kind::Heart if founded => self.wait(Job::Keep(Box::new(said), keep(message, payload))),
            _ if message.keep && founded => self.wait(Job::Keep(Box::new(said), keep(message, payload))),
            Kind::ChannelUserUpdate | Kind::UserUpdate | Kind::Image | Kind::ImageJoin | Kind::ImageLeave
                if open && founded =>
            {
                self.outcomes.push_back(Outcome::Say(said));
            }
            _ if founded => self.pass_on(said),
            // Over the limit for new rooms: it is passed on, and that is all.
            _ => self.pass_on(Said { what: What::Other, ..said }),
        }
    }

    fn what(&mut self, message: &Frame<'_>, room: Option<&Arc<str>>) -> What {
        match message.kind {
            Kind::Join => What::Join(Vec::new()),
            Kind::Leave => What::Leave,
            Kind::UserUpdate => self.news(message, room).map_or(What::Other, What::UserUpdate),
            Kind::ChannelUserUpdate => self.news(message, room).map_or(What::Other, What::ChannelUserUpdate),
            Kind::Image => What::Image,
            Kind::ImageLeave => What::ImageLeave,
            Kind::Reset => What::Reset,
            Kind::Update => What::Reload,
            Kind::Chat | Kind::Like | Kind::Heart | Kind::ImageJoin | Kind::Other => What::Other,
        }
    }

    /// What is too much is passed on, and not merged.
    fn news(&mut self, message: &Frame<'_>, room: Option<&Arc<str>>) -> Option<Vec<attributes::Attribute>> {
        match attributes::parse(message.value.unwrap_or_default()) {
            Ok(news) => Some(news),
            Err(error @ AttributesError::TooLarge) => {
                self.complain(room.cloned(), error);
                None
            }
            Err(AttributesError::NoObject) => None,
        }
    }

    fn found(&mut self, room: &Arc<str>, now: Instant) -> bool {
        match self.elektron.founders.begin(room, self.address, now.into_std()) {
            Ok(()) => true,
            Err(error) => {
                self.complain(Some(room.clone()), error);
                false
            }
        }
    }

    fn post(&self, opcode: Opcode, payload: &[u8], message: &Frame<'_>) -> ChatPost {
        let author = if message.user_id.is_empty() { self.nameless.clone() } else { (&*message.user_id).into() };
        ChatPost {
            author: Identity { origin: Origin::Bus, id: author },
            name: message.user_name.to_string(),
            text: message.value_text().into_owned(),
            id: Some(message.id.to_string()),
            frame: Some(frames::into_log(opcode, payload)),
        }
    }

    /// The live audience, for whoever shows it elsewhere.
    fn watch_camera(&mut self, said: &Said, message: &Frame<'_>, founded: bool) {
        let Some((room, user)) = said.room.as_ref().zip(said.user.as_ref()) else { return };
        match message.kind {
            Kind::ImageLeave => self.elektron.audience.hide(room, user),
            Kind::Image | Kind::ImageJoin if founded && self.elektron.camera(room, user, message) => {
                let camera = (room.clone(), user.clone());
                if self.cameras.len() < MAX_DOORS && !self.cameras.contains(&camera) {
                    self.cameras.push(camera);
                }
            }
            _ => {}
        }
    }

    /// Behind what waits, if something does.
    fn pass_on(&mut self, said: Said) {
        if self.jobs.is_empty() && self.running.is_empty() {
            self.outcomes.push_back(Outcome::Say(said));
        } else {
            self.wait(Job::Plain(said));
        }
    }

    fn wait(&mut self, job: Job) {
        self.jobs.push_back(job);
        self.start_jobs();
    }

    fn start_jobs(&mut self) {
        while let Some(job) = self.jobs.front() {
            // Only chat goes on together, unless it is stored first: the room keeps its order. It comes back from there by
            // another way, so what was said before has to be with the hub.
            let may = match job {
                Job::Chat(_, _, Some(_)) => self.running.is_empty() && self.outcomes.is_empty(),
                Job::Chat(..) => {
                    let alone = self.chats == self.running.len() && self.outcomes.is_empty();
                    alone && self.chats < MAX_CHATS_IN_FLIGHT
                }
                _ => self.running.is_empty(),
            };
            let Some(job) = may.then(|| self.jobs.pop_front()).flatten() else { return };
            self.start(job);
        }
    }

    fn start(&mut self, job: Job) {
        let said = match &job {
            Job::Knock(_) => None,
            Job::Plain(said) => Some(said),
            Job::Chat(said, ..) | Job::Keep(said, _) | Job::Join(said) => Some(&**said),
        };
        if let Some(error) = said.and_then(|said| self.shut(said)) {
            let room = said.and_then(|said| said.room.clone());
            return self.complain(room, error);
        }
        let (elektron, address) = (Arc::clone(&self.elektron), self.address);
        let work: BoxFuture<'static, Done> = match job {
            Job::Knock(door) => {
                let credential = self.credential(&door.0);
                Box::pin(knock(elektron, door, credential, address))
            }
            Job::Plain(said) => return self.outcomes.push_back(Outcome::Say(said)),
            Job::Chat(said, post, keep) => {
                self.chats += usize::from(keep.is_none());
                let credential = said.room.as_deref().map_or(Credential::Public, |room| self.credential(room));
                Box::pin(chat(elektron, said, post, keep, credential, address))
            }
            Job::Keep(said, keep) => Box::pin(store(elektron, said, keep)),
            Job::Join(said) => Box::pin(join(elektron, said)),
        };
        self.running.push_back(work);
    }

    /// Why somebody stays outside.
    fn shut(&self, said: &Said) -> Option<JoinError> {
        let door = (said.room.clone()?, said.user.clone());
        self.doors.get(&door).and_then(|(_, answer)| answer.as_ref().err().copied())
    }

    fn credential(&self, room: &str) -> Credential {
        if self.view.has_token_for(room) { Credential::Token } else { Credential::Public }
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Knocked(door, answer) => {
                if self.doors.len() >= MAX_DOORS {
                    self.doors.clear();
                }
                self.doors.insert(door, (Instant::now() + DOOR_OPEN, answer));
            }
            Done::Said(said, complaints) => {
                let room = said.room.clone();
                self.outcomes.push_back(Outcome::Say(*said));
                complaints.into_iter().for_each(|complaint| self.complain(room.clone(), complaint));
            }
            Done::Refused(room, complaint) => {
                self.complain(room, complaint);
            }
        }
    }

    fn complain(&mut self, room: Option<Arc<str>>, complaint: impl ToString) {
        self.outcomes.push_back(Outcome::Complain(room, complaint.to_string()));
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        for (room, user) in &self.cameras {
            self.elektron.audience.hide(room, user);
        }
    }
}

/// The same text as before is the same allocation.
fn intern(last: &mut Option<Arc<str>>, text: &str) -> Option<Arc<str>> {
    if text.is_empty() {
        return None;
    }
    if last.as_deref() != Some(text) {
        *last = Some(text.into());
    }
    last.clone()
}

/// Something of it remains.
fn makes_a_room(message: &Frame<'_>) -> bool {
    let passes = matches!(message.kind, Kind::Other | Kind::Leave | Kind::UserUpdate | Kind::ImageLeave);
    message.keep || !passes
}

fn keep(message: &Frame<'_>, payload: &[u8]) -> Keep {
    Keep {
        message: message.keep.then(|| message.type_name.to_string()),
        like: matches!(message.kind, Kind::Like | Kind::Heart) && !message.channel.is_empty(),
        value: Bytes::copy_from_slice(payload),
    }
}

/// Is somebody barred from a room? That it can't be made is no reason not to say something there.
async fn knock(elektron: Arc<Elektron>, door: Door, credential: Credential, address: IpAddr) -> Done {
    let identity = door.1.clone().map(|id| Identity { origin: Origin::Bus, id });
    let answer = elektron.registry.check(&door.0, credential, identity.as_ref(), Some(address)).await;
    let answer = match answer {
        Err(error @ (JoinError::Banned | JoinError::NoSuchRoom | JoinError::BadName)) => Err(error),
        _ => Ok(()),
    };
    Done::Knocked(door, answer)
}

/// E-07: it comes back by the room, to everybody: that acknowledges it, so what is kept of it (E-14) is stored before.
async fn chat(
    elektron: Arc<Elektron>,
    said: Box<Said>,
    post: ChatPost,
    keep: Option<Keep>,
    credential: Credential,
    address: IpAddr,
) -> Done {
    let room = said.room.clone().unwrap_or_default();
    let kept = match keep.and_then(|keep| Some((keep.message?, keep.value))) {
        Some((kind, value)) => Some(log::keep(&elektron, &room, &kind, value).await),
        None => None,
    };
    if let Err(refused) = say(&elektron, &room, post, credential, address).await {
        if let Some(Ok(sequence)) = kept
            && let Err(error) = log::take_back(&elektron, &room, sequence).await
        {
            tracing::debug!(%error, "a message that was refused stays stored");
        }
        return Done::Refused(Some(room), refused);
    }
    Done::Said(said, kept.and_then(Result::err).iter().map(not_stored).collect())
}

async fn say(
    elektron: &Elektron,
    room: &str,
    post: ChatPost,
    credential: Credential,
    address: IpAddr,
) -> Result<(), String> {
    for _ in 0..crate::rooms::limits::JOIN_ATTEMPTS {
        let handle = match elektron.registry.find(room) {
            Some(handle) => handle,
            None => elektron.registry.open(room, credential, Some(address)).await.map_err(|error| error.to_string())?,
        };
        match handle.chat_by(credential, post.clone()).await {
            Ok(answer) => return answer.map(drop).map_err(|refused| refused.to_string()),
            Err(RoomGone) if credential == Credential::Public && !elektron.registry.is_open(room) => break,
            // It ended meanwhile: the next one is another.
            Err(RoomGone) => {}
        }
    }
    Err(Complaint::NoSuchRoom.to_string())
}

async fn store(elektron: Arc<Elektron>, said: Box<Said>, keep: Keep) -> Done {
    let room = said.room.clone().unwrap_or_default();
    let complaints = keep_all(&elektron, &room, keep).await;
    Done::Said(said, complaints)
}

/// What could not be stored is passed on all the same.
async fn keep_all(elektron: &Elektron, room: &str, keep: Keep) -> Vec<String> {
    let mut complaints = Vec::new();
    if keep.like
        && let Err(error) = log::like(elektron, room, keep.value.clone()).await
    {
        complaints.push(not_stored(&error));
    }
    if let Some(kind) = keep.message
        && let Err(error) = log::keep(elektron, room, &kind, keep.value).await
    {
        complaints.push(not_stored(&error));
    }
    complaints
}

/// What has failed is ours to know; whether to try again is theirs.
fn not_stored(error: &store::StoreError) -> String {
    tracing::debug!(%error, "a message on the bus could not be stored");
    "the message could not be stored".to_owned()
}

/// E-02
async fn join(elektron: Arc<Elektron>, mut said: Box<Said>) -> Done {
    let room = said.room.clone().unwrap_or_default();
    match elektron.syncs(&room).await {
        Ok(syncs) => said.what = What::Join(syncs),
        Err(error) => {
            tracing::debug!(%error, "what was said in a room could not be read");
            let complaint = "what was said before could not be read".to_owned();
            return Done::Said(said, vec![complaint]);
        }
    }
    Done::Said(said, Vec::new())
}
