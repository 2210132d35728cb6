//! The bus's one task: it owns the [`Bus`], takes in what sockets say and rooms tell, and puts what follows into the
//! sockets' outboxes. It waits for nobody.

use super::ears::{Ears, Heard};
use super::frames;
use super::limits::{GOODBYE_BATCH, HUB_BATCH, HUB_LARGE_BYTES, HUB_REQUESTS, LARGE_BYTES};
use super::members::{Members, Outcome, Seat, Wish};
use super::outbox::{Ending, Outbox};
use super::world::Rooms;
use crate::rooms::{Credential, Registry};
use bus::input::Attribute;
use bus::{Bus, BusLimits, CloseReason, Complaint, Effect, Input, Lane, Said, SocketId, View, Visitor};
use bytes::Bytes;
use futures_util::FutureExt as _;
use room::participant::Participant;
use room::{Moderation, Origin};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use wire::elektron::attributes;

/// What a socket is to the hub.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) outbox: Arc<Outbox>,
    pub(super) visitor: Visitor,
    pub(super) view: View,
    pub(super) operator: bool,
    /// Its token says that it is not to be shown.
    pub(super) hidden: bool,
    pub(super) address: IpAddr,
}

/// A socket's place, while it lasts. When it is dropped the bus takes the socket as closed.
#[derive(Debug)]
pub(super) struct Place {
    hub: Hub,
    socket: SocketId,
    /// Which of the hub's lives it belongs to.
    life: u32,
    /// When it was heard last.
    pub(super) heard_at: Instant,
}

#[derive(Debug)]
enum Request {
    Open { newcomer: Box<Newcomer>, reply: oneshot::Sender<(SocketId, u32)> },
    Said { socket: SocketId, life: u32, said: Box<Said>, _held: Option<OwnedSemaphorePermit> },
    Closed { socket: SocketId, life: u32, heard_at: Instant },
    MemberEnded { seat: Seat, outcome: Outcome },
    Post { room: Option<Arc<str>>, frame: Bytes },
    GoAway(oneshot::Sender<()>),
}

/// The way to the hub. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    requests: mpsc::Sender<Request>,
    ears: Ears,
    /// Bytes of large messages that may wait there.
    large: Arc<Semaphore>,
}

impl Hub {
    /// Starts the task.
    pub(super) fn start(limits: BusLimits, registry: Registry, ears: Ears) -> Self {
        let (requests, queue) = mpsc::channel(HUB_REQUESTS);
        let large = Arc::new(Semaphore::new(HUB_LARGE_BYTES));
        let hub = Self { requests, ears: ears.clone(), large };
        tokio::spawn(run(hub.clone(), queue, limits, registry, ears));
        hub
    }

    /// Takes a socket in; `None`: the server ends.
    pub(super) async fn open(&self, newcomer: Newcomer) -> Option<Place> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Open { newcomer: Box::new(newcomer), reply };
        self.ask(request).await?;
        let (socket, life) = answer.await.ok()?;
        Some(Place { hub: self.clone(), socket, life, heard_at: Instant::now() })
    }

    /// A message for all who may see its room.
    pub(super) async fn post(&self, room: Option<Arc<str>>, frame: Bytes) {
        self.ask(Request::Post { room, frame }).await;
    }

    pub(super) async fn member_ended(&self, seat: Seat, outcome: Outcome) {
        self.ask(Request::MemberEnded { seat, outcome }).await;
    }

    /// Waits for a place in the queue; `None`: the hub is gone with the runtime, and there is nobody to tell.
    async fn ask(&self, request: Request) -> Option<()> {
        let place = self.requests.reserve().await.ok()?;
        self.ears.in_turn(|| place.send(request));
        Some(())
    }

    /// Tells all sockets that the server goes down; they have been told when it returns.
    pub(super) async fn go_away(&self) {
        let (reply, answer) = oneshot::channel();
        if self.ask(Request::GoAway(reply)).await.is_some() {
            let _ = answer.await;
        }
    }
}

impl Place {
    /// Says something; waits while the hub has too much to do.
    pub(super) async fn say(&self, said: Said) {
        let held = match said.frame.len() {
            bytes if bytes > LARGE_BYTES => {
                let bytes = u32::try_from(bytes.min(HUB_LARGE_BYTES)).unwrap_or(u32::MAX);
                Arc::clone(&self.hub.large).acquire_many_owned(bytes).await.ok()
            }
            _ => None,
        };
        let request = Request::Said { socket: self.socket, life: self.life, said: Box::new(said), _held: held };
        self.hub.ask(request).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let closed = Request::Closed { socket: self.socket, life: self.life, heard_at: self.heard_at };
        match self.hub.requests.try_reserve() {
            Ok(place) => self.hub.ears.in_turn(|| place.send(closed)),
            // Never lost: if the hub is busy, it is told as soon as there is place.
            Err(_) => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    let hub = self.hub.clone();
                    runtime.spawn(async move { hub.ask(closed).await });
                }
            }
        }
    }
}

/// One life after the other: a panic closes the sockets, which come back to a bus that begins anew.
async fn run(hub: Hub, mut queue: mpsc::Receiver<Request>, limits: BusLimits, registry: Registry, ears: Ears) {
    for life in 0.. {
        let mut desk = Desk::new(hub.clone(), limits, registry.clone(), ears.clone(), life);
        desk.taken = ears.taken(|| queue.len());
        let ended = AssertUnwindSafe(desk.serve(&mut queue)).catch_unwind().await;
        if ended.is_ok() {
            return;
        }
        metrics::counter!("odeon_bus_panics_total").increment(1);
        tracing::error!("the bus panicked: its sockets are closed, and it begins anew; please report it");
        desk.end_all(Ending::Restart);
        desk.members.clear();
    }
}

/// Everything that the hub's task owns.
struct Desk {
    hub: Hub,
    bus: Bus<Rooms>,
    registry: Registry,
    ears: Ears,
    members: Members,
    /// By [`SocketId`].
    seats: Vec<Option<Newcomer>>,
    free: Vec<u32>,
    life: u32,
    /// Requests that were taken from the queue, in all lives.
    taken: u64,
}

impl Desk {
    fn new(hub: Hub, limits: BusLimits, registry: Registry, ears: Ears, life: u32) -> Self {
        let bus = Bus::new(limits, Rooms(registry.clone()));
        let (members, seats, free) = (Members::default(), Vec::new(), Vec::new());
        Self { hub, bus, registry, ears, members, seats, free, life, taken: 0 }
    }

    async fn serve(&mut self, queue: &mut mpsc::Receiver<Request>) {
        let ears = self.ears.clone();
        let mut requests = Vec::with_capacity(HUB_BATCH);
        loop {
            let timeout = self.bus.poll_timeout();
            tokio::select! {
                () = ears.listen() => self.hear(),
                count = queue.recv_many(&mut requests, HUB_BATCH) => {
                    if count == 0 {
                        return;
                    }
                    requests.drain(..).for_each(|request| self.take(request));
                    self.hear();
                    // The sockets write now: what comes meanwhile goes out in one call.
                    tokio::task::yield_now().await;
                }
                () = sleep_until(timeout) => {
                    self.bus.handle_timeout(now());
                    self.carry_out();
                }
            }
        }
    }

    /// What rooms have told and what sockets say, in the order in which it came: chat that was acknowledged goes before its
    /// sender's next message, and after those before.
    fn take(&mut self, request: Request) {
        self.hear();
        self.serve_one(request);
        self.taken += 1;
    }

    fn serve_one(&mut self, request: Request) {
        match request {
            Request::Open { newcomer, reply } => self.open(*newcomer, reply),
            Request::Said { socket, life, said, .. } if life == self.life => {
                self.handle(Input::Said { socket, said: *said });
            }
            Request::Closed { socket, life, heard_at } if life == self.life => self.close(socket, heard_at),
            // Of a socket of an earlier life.
            Request::Said { .. } | Request::Closed { .. } => {}
            Request::MemberEnded { seat, outcome } => self.member_ended(seat, outcome),
            Request::Post { room, frame } => self.handle(Input::Post { room, frame }),
            Request::GoAway(reply) => self.go_away(reply),
        }
    }

    fn open(&mut self, newcomer: Newcomer, reply: oneshot::Sender<(SocketId, u32)>) {
        let (visitor, view, operator) = (newcomer.visitor, newcomer.view.clone(), newcomer.operator);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            u32::try_from(self.seats.len() - 1).unwrap_or(u32::MAX)
        });
        let socket = SocketId(slot);
        if let Some(seat) = self.seats.get_mut(slot as usize) {
            *seat = Some(newcomer);
        }
        self.handle(Input::Opened { socket, visitor, view, operator });
        metrics::gauge!("odeon_bus_sockets").increment(1.0);
        if reply.send((socket, self.life)).is_err() {
            // It has hung up before it was in.
            self.close(socket, now());
        }
    }

    fn close(&mut self, socket: SocketId, heard_at: Instant) {
        let Some(seat) = self.seats.get_mut(socket.0 as usize) else { return };
        if seat.take().is_some() {
            metrics::gauge!("odeon_bus_sockets").decrement(1.0);
            self.free.push(socket.0);
            self.handle(Input::Closed { socket, heard_at });
        }
    }

    fn member_ended(&mut self, seat: Seat, outcome: Outcome) {
        if let Some(wish) = self.members.ended(&seat, outcome) {
            return self.members.enter(&self.hub, &self.registry, seat, wish);
        }
        let (room, user) = seat;
        match outcome {
            Outcome::Left => {}
            Outcome::Refused { banned } => self.handle(Input::Refused { room, user, banned }),
            Outcome::Removed(by) => self.handle(Input::Removed { room, user, by }),
        }
    }

    fn hear(&mut self) {
        while let Some(heard) = self.ears.next(self.taken) {
            match heard {
                Heard::Chat(room, message) => {
                    let frame = frames::chat(&room, &message);
                    self.post(room, frame);
                }
                Heard::Deleted(room, id) => {
                    let frame = frames::about("CHAT_DELETED", &room, &id);
                    self.post(room, frame);
                }
                Heard::Cleared(room) => {
                    let frame = frames::about("CHAT_CLEARED", &room, "");
                    self.post(room, frame);
                }
                Heard::BecameToken(room) => self.handle(Input::BecameToken { room }),
                Heard::Finished(room) => self.handle(Input::RoomEnded { room }),
                Heard::Present(room, person) => self.handle(present(room, &person)),
                Heard::Gone(room, identity) => {
                    self.handle(Input::Gone { room, id: identity.seen_from(Origin::Bus) });
                }
            }
        }
    }

    fn post(&mut self, room: Arc<str>, frame: Bytes) {
        self.handle(Input::Post { room: Some(room), frame });
    }

    fn handle(&mut self, input: Input) {
        self.bus.handle(now(), input);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.bus.poll_effect() {
            match effect {
                Effect::Send { to, frame, lane } => {
                    to.iter().flat_map(|group| group.iter()).for_each(|socket| self.push(*socket, &frame, lane));
                }
                Effect::Complain { to, room, complaint } => self.complain(to, room.as_deref(), complaint),
                Effect::Close { socket, reason: CloseReason::Removed } => self.end(socket, Ending::Removed),
                Effect::Enter { room, user, profile, socket } => self.enter((room, user), &profile, socket),
                Effect::Profile { room, user, profile } => self.members.change(&(room, user), &profile),
                Effect::Exit { room, user } => self.members.exit(&(room, user)),
                Effect::ClearChats => self.clear_chats(),
            }
        }
    }

    fn seat(&self, socket: SocketId) -> Option<&Newcomer> {
        self.seats.get(socket.0 as usize)?.as_ref()
    }

    fn push(&self, socket: SocketId, frame: &Bytes, lane: Lane) {
        if let Some(seat) = self.seat(socket) {
            seat.outbox.push(frame.clone(), lane);
        }
    }

    fn complain(&self, to: SocketId, room: Option<&str>, complaint: Complaint) {
        metrics::counter!("odeon_bus_complaints_total").increment(1);
        self.push(to, &frames::error(room, &complaint.to_string()), Lane::Ordered);
    }

    fn end(&self, socket: SocketId, ending: Ending) {
        if let Some(seat) = self.seat(socket) {
            seat.outbox.end(ending);
        }
    }

    fn end_all(&mut self, ending: Ending) {
        self.seats.iter().flatten().for_each(|seat| seat.outbox.end(ending));
    }

    fn enter(&mut self, seat: Seat, profile: &[Attribute], socket: Option<SocketId>) {
        let newcomer = socket.and_then(|socket| self.seat(socket));
        let with_token = newcomer.is_some_and(|newcomer| newcomer.view.has_token_for(&seat.0));
        let credential = if with_token { Credential::Token } else { Credential::Public };
        let hidden = with_token && newcomer.is_some_and(|newcomer| newcomer.hidden);
        let wish = Wish::new(profile, credential, newcomer.map(|newcomer| newcomer.address), hidden);
        self.members.enter(&self.hub, &self.registry, seat, wish);
    }

    /// E-13: of every room that lives and is open. Those that don't live keep theirs until somebody clears it there.
    fn clear_chats(&self) {
        let registry = self.registry.clone();
        tokio::spawn(async move {
            for info in registry.list(&[]).await {
                if registry.access(&info.name) == crate::rooms::Access::Open
                    && let Some(room) = registry.find(&info.name)
                {
                    // A room that ends meanwhile, or a store that fails: the operator resets again.
                    let _ = room.moderate(Moderation::ClearChat).await;
                }
            }
            tracing::info!("presence and chat of the open rooms were reset by an operator on the bus");
        });
    }

    /// In batches, so that their reconnections do not come all at once.
    fn go_away(&mut self, reply: oneshot::Sender<()>) {
        let outboxes: Vec<_> = self.seats.iter().flatten().map(|seat| Arc::clone(&seat.outbox)).collect();
        tokio::spawn(async move {
            for batch in outboxes.chunks(GOODBYE_BATCH) {
                batch.iter().for_each(|outbox| outbox.end(Ending::GoingAway));
                tokio::task::yield_now().await;
            }
            // Whoever asked may have gone.
            let _ = reply.send(());
        });
    }
}

fn present(room: Arc<str>, person: &Participant) -> Input {
    let id = person.identity.seen_from(Origin::Bus);
    let mut known: Vec<Attribute> = Vec::new();
    if !person.name.is_empty() {
        known.push(("userName".into(), attributes::from_text("userName", &person.name)));
    }
    let others = person.attributes.iter().filter(|(key, _)| *key != "userName");
    known.extend(others.map(|(key, text)| (key.clone(), attributes::from_text(key, text))));
    Input::Present { room, id, attributes: known }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
