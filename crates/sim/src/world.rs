//! Room, shards and clients, moved from one due thing to the next.

use crate::client::{Client, Takes};
use crate::link::{Link, LinkConfig, Parcel};
use room::data_track::DataTrackRequest;
use room::input::{Join, Now};
use room::media::{ConnectionMode, DataSender, MediaCommand, MediaEvent, PlayoutDelay};
use room::participant::{ClientInfo, DisconnectReason, ParticipantKind};
use room::permission::Permission;
use room::room::RoomConfig;
use room::settings::TrackSettings;
use room::track::{TrackCodec, TrackKind};
use room::{Identity, ParticipantSid, Room, RoomEffect, RoomEvent, RoomInput, SessionId, TrackSid};
use rtc::crypto::Certificate;
use rtc::{Candidates, ConnectionConfig, Datagram};
use sfu::{
    Arrival, CallAnswer, DataDialect, DataTrackPacket, Outbox, RelayMessage, RoomKey, RoomRef, Shard, ShardConfig,
    StampedPacket, TunnelId, Way,
};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A client's place in the world.
pub type ClientId = usize;

/// How a world is made.
#[derive(Clone, Copy, Debug)]
pub struct WorldConfig {
    /// Shards, all of one room.
    pub shards: u8,
    /// Between each client and the shards.
    pub link: LinkConfig,
    /// Of the links.
    pub seed: u64,
    /// The room's.
    pub playout_delay: Option<PlayoutDelay>,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self { shards: 1, link: LinkConfig::default(), seed: 1, playout_delay: None }
    }
}

/// Passes data on as it is, to everybody. A packet's first four bytes are its sequence; after them, `answer ` and an id
/// answer a call. A data track's packet begins with its handle, of two bytes, and is a frame of its own.
#[derive(Debug)]
struct Plain;

impl DataDialect for Plain {
    fn stamp(&self, _: &DataSender, _: bool, packet: &[u8]) -> Option<StampedPacket> {
        let sequence = packet.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let id = packet.get(4..).and_then(|rest| rest.strip_prefix(b"answer "));
        let answer = id.map(|id| CallAnswer { id: String::from_utf8_lossy(id).into(), last: true });
        Some(StampedPacket { bytes: packet.into(), sequence, answer, ..StampedPacket::default() })
    }

    fn wrap(&self, _: &DataSender, message: &[u8]) -> Option<StampedPacket> {
        let bytes = [&[0; 4], message].concat().into();
        Some(StampedPacket { bytes, ..StampedPacket::default() })
    }

    fn payload(&self, packet: &[u8]) -> Option<Range<usize>> {
        (packet.len() >= 4).then_some(4..packet.len())
    }

    fn data_track(&self, packet: &[u8]) -> Option<DataTrackPacket> {
        let handle = u16::from_be_bytes(*packet.first_chunk()?);
        Some(DataTrackPacket { handle, begins_frame: true })
    }

    fn set_handle(&self, packet: &mut [u8], handle: u16) {
        packet[..2].copy_from_slice(&handle.to_be_bytes());
    }
}

/// What shards wrote in their turn.
#[derive(Default)]
struct Written {
    datagrams: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    events: VecDeque<MediaEvent>,
    relays: VecDeque<(u8, RelayMessage)>,
}

impl Outbox for Written {
    fn datagram(&mut self, _: Way, datagram: Datagram) {
        let (source, destination) = (datagram.source, datagram.destination);
        self.datagrams.push((source, destination, datagram.bytes().to_vec()));
    }
    fn close_tunnel(&mut self, _: TunnelId) {}
    fn event(&mut self, _: RoomKey, event: MediaEvent) {
        self.events.push_back(event);
    }
    fn relay(&mut self, shard: u8, message: RelayMessage) {
        self.relays.push_back((shard, message));
    }
}

/// A client with its links and its shard.
struct Seat {
    client: Client,
    shard: u8,
    /// How the shards see its address, if that is another.
    nat: Option<SocketAddr>,
    up: Link,
    down: Link,
}

/// The world.
pub struct World {
    /// Now, in virtual time.
    pub now: Instant,
    begin: Instant,
    config: WorldConfig,
    room: Room,
    room_ref: Arc<RoomRef>,
    shards: Vec<Shard>,
    seats: Vec<Seat>,
    sessions: HashMap<SessionId, ClientId>,
    written: Written,
    /// Media events as the shards told them.
    pub media_events: Vec<MediaEvent>,
}

const SERVER: [u8; 4] = [10, 0, 0, 1];

impl World {
    /// A room and its shards, nobody there yet. `begin` is any instant.
    pub fn new(config: WorldConfig, begin: Instant) -> Self {
        let certificate = Certificate::generate().expect("a certificate can be made");
        let shard = |index: u8| {
            let candidates = Candidates::udp(vec![shard_address(index)]);
            let connection = ConnectionConfig {
                certificate: certificate.clone(),
                candidates,
                congestion_control: true,
                playout_delay: None,
            };
            Shard::new(ShardConfig { index, connection, dialect: Arc::new(Plain), entropy }, begin)
        };
        let now = Now { at: begin, unix_ms: 0 };
        let room = RoomConfig { playout_delay: config.playout_delay, ..RoomConfig::default() };
        Self {
            now: begin,
            begin,
            config,
            room: Room::new(room, "world", config.seed, now),
            room_ref: Arc::new(RoomRef::new(RoomKey(1))),
            shards: (0..config.shards).map(shard).collect(),
            seats: Vec::new(),
            sessions: HashMap::new(),
            written: Written::default(),
            media_events: Vec::new(),
        }
    }

    fn time(&self) -> Now {
        Now { at: self.now, unix_ms: self.now.duration_since(self.begin).as_millis() as i64 }
    }

    /// Somebody joins, on this shard, who takes all codecs.
    pub fn join(&mut self, name: &str, shard: u8) -> ClientId {
        self.join_with(name, shard, Takes::default())
    }

    /// Somebody joins who lacks a codec, or LiveKit's data channels.
    pub fn join_with(&mut self, name: &str, shard: u8, takes: Takes) -> ClientId {
        self.join_as(name, shard, takes, |_| {})
    }

    /// Somebody joins who says more than a name.
    pub fn join_as(&mut self, name: &str, shard: u8, takes: Takes, change: impl FnOnce(&mut Join)) -> ClientId {
        let id = self.seats.len();
        let session = SessionId(id as u64 + 1);
        let address = SocketAddr::from(([10, 0, 1, id as u8], 5000));
        let mut client = Client::new(session, address, takes, self.now);
        let offer = client.take_offer();
        let link = |direction: u64| Link::new(self.config.link, self.config.seed + id as u64 * 2 + direction);
        self.seats.push(Seat { client, shard, nat: None, up: link(0), down: link(1) });
        self.sessions.insert(session, id);
        let mut join = Join {
            session,
            identity: Identity::token(name),
            name: name.into(),
            metadata: String::new(),
            attributes: Default::default(),
            permission: Permission::default(),
            kind: ParticipantKind::Standard,
            client: ClientInfo { protocol: 17, ..ClientInfo::default() },
            mode: ConnectionMode::Single,
            transport: Default::default(),
            auto_subscribe: true,
            auto_subscribe_data: false,
            may_pause: false,
            tracks: Vec::new(),
            offer,
        };
        change(&mut join);
        self.tell(RoomInput::Join(Box::new(join)));
        id
    }

    /// A client begins to send; returns when the announcement and the offer are on their way.
    pub fn publish(&mut self, id: ClientId, kind: TrackKind, rids: &[&str]) {
        while self.seats[id].client.pending.is_some() {
            self.step();
        }
        let now = self.now;
        let session = self.seats[id].client.session;
        let request = self.seats[id].client.begin_track(kind, rids, now);
        self.tell(RoomInput::AddTrack { session, request: Box::new(request) });
        let (offer, sdp) = self.seats[id].client.track_offer();
        self.tell(RoomInput::Offer { session, id: offer, sdp });
    }

    /// A client begins to send a camera in VP9, with VP8 announced as its backup for those who need it.
    pub fn publish_vp9(&mut self, id: ClientId) {
        const SIMULCAST: i32 = 1;
        self.publish_vp9_with(id, SIMULCAST);
    }

    /// The same with another of LiveKit's `BackupCodecPolicy`.
    pub fn publish_vp9_with(&mut self, id: ClientId, policy: i32) {
        let (session, now) = (self.seats[id].client.session, self.now);
        let mut request = self.seats[id].client.begin_vp9(now);
        let codec = |mime: &str, cid: &str| TrackCodec { mime: mime.into(), cid: cid.into(), ..TrackCodec::default() };
        request.codecs = vec![codec("video/vp9", &request.cid), codec("video/vp8", "")];
        request.backup_codec_policy = policy;
        self.tell(RoomInput::AddTrack { session, request: Box::new(request) });
        let (offer, sdp) = self.seats[id].client.track_offer();
        self.tell(RoomInput::Offer { session, id: offer, sdp });
    }

    /// A client begins to send the backup that it announced.
    pub fn publish_backup(&mut self, id: ClientId, track: &TrackSid) {
        let (session, now) = (self.seats[id].client.session, self.now);
        let request = self.seats[id].client.begin_track(TrackKind::Video, &[], now);
        let codec = Box::new(TrackCodec { mime: "video/vp8".into(), cid: request.cid, ..TrackCodec::default() });
        self.tell(RoomInput::AddCodec { session, track: track.clone(), codec });
        let (offer, sdp) = self.seats[id].client.track_offer();
        self.tell(RoomInput::Offer { session, id: offer, sdp });
    }

    /// A client asks for a fault.
    pub fn simulate(&mut self, id: ClientId, scenario: room::scenario::Scenario) {
        let session = self.seats[id].client.session;
        self.tell(RoomInput::Simulate { session, scenario });
    }

    /// A client stops sending its camera.
    pub fn unpublish_camera(&mut self, id: ClientId) {
        while self.seats[id].client.pending.is_some() {
            self.step();
        }
        self.seats[id].client.end_camera();
        self.offers();
    }

    /// A client's network changes.
    pub fn move_network(&mut self, id: ClientId, octet: u8) {
        self.seats[id].client.restart_ice(SocketAddr::from(([10, 0, 2, octet], 6000)));
        self.offers();
    }

    /// The NAT before a client gives it another port: the client does not know.
    pub fn rebind(&mut self, id: ClientId, port: u16) {
        self.seats[id].nat = Some(SocketAddr::from(([10, 0, 3, id as u8], port)));
    }

    /// A client's signalling is back on a new connection.
    pub fn resume(&mut self, id: ClientId) {
        let session = self.seats[id].client.session;
        self.tell(RoomInput::Resume { session });
    }

    /// A client's signalling alone breaks.
    pub fn lose_signal(&mut self, id: ClientId) {
        let session = self.seats[id].client.session;
        self.tell(RoomInput::SignalLost { session });
    }

    /// A client says goodbye.
    pub fn leave(&mut self, id: ClientId) {
        let session = self.seats[id].client.session;
        self.tell(RoomInput::Leave { session, reason: DisconnectReason::ClientInitiated });
    }

    /// A client wants a track, or no longer.
    pub fn subscription(&mut self, id: ClientId, track: &TrackSid, subscribe: bool) {
        let session = self.seats[id].client.session;
        self.tell(RoomInput::UpdateSubscription { session, tracks: vec![track.clone()], subscribe });
    }

    /// A client publishes a data track; its sid.
    pub fn publish_data(&mut self, id: ClientId, handle: u16, name: &str) -> TrackSid {
        let session = self.seats[id].client.session;
        let request = DataTrackRequest {
            handle: handle.into(),
            name: name.into(),
            encryption: 0,
            frame_encoding: None,
            schema: None,
        };
        self.tell(RoomInput::PublishDataTrack { session, request: Box::new(request) });
        let told = self.seats[id].client.events.iter().rev().find_map(|event| match &**event {
            RoomEvent::DataTrackPublished { track } => Some(track.sid.clone()),
            _ => None,
        });
        told.expect("the data track is taken")
    }

    /// A client wants a data track, or no longer.
    pub fn data_subscription(&mut self, id: ClientId, track: &TrackSid, subscribe: bool) {
        let session = self.seats[id].client.session;
        self.tell(RoomInput::UpdateDataSubscription { session, updates: vec![(track.clone(), subscribe)] });
    }

    /// A command of the shell's own, for a client's shard.
    pub fn order(&mut self, id: ClientId, command: impl FnOnce(SessionId) -> MediaCommand) {
        let session = self.seats[id].client.session;
        self.command(command(session));
    }

    /// The sequence of the last reliable packet that a client's shard took from it.
    pub fn last_sequence(&self, id: ClientId) -> u32 {
        let seat = &self.seats[id];
        self.shards[usize::from(seat.shard)].last_sequence(seat.client.session)
    }

    /// A client's sid.
    pub fn sid(&self, name: &str) -> ParticipantSid {
        self.room.participant(&Identity::token(name)).map(|who| who.sid.clone()).expect("they are there")
    }

    /// Nothing reaches a client any more, or everything as before.
    pub fn stall(&mut self, id: ClientId, stalled: bool) {
        let config = if stalled { LinkConfig { loss: 1.0, ..self.config.link } } else { self.config.link };
        self.seats[id].down = Link::new(config, self.config.seed + id as u64 * 2 + 1);
    }

    /// How a client wants a track.
    pub fn settings(&mut self, id: ClientId, track: &TrackSid, settings: TrackSettings) {
        let session = self.seats[id].client.session;
        self.tell(RoomInput::UpdateTrackSettings { session, tracks: vec![track.clone()], settings });
    }

    /// A client's signalling and network break without a word.
    pub fn cut(&mut self, id: ClientId) {
        let session = self.seats[id].client.session;
        self.seats[id].up = Link::new(LinkConfig { loss: 1.0, ..LinkConfig::default() }, 0);
        self.tell(RoomInput::SignalLost { session });
    }

    /// The network towards a client changes.
    pub fn change_down(&mut self, id: ClientId, link: LinkConfig) {
        self.seats[id].down.change(link);
    }

    /// The network from a client changes.
    pub fn change_up(&mut self, id: ClientId, link: LinkConfig) {
        self.seats[id].up.change(link);
    }

    /// How long the last datagram to a client waited in its link's queue.
    pub fn queue_delay(&self, id: ClientId) -> Duration {
        self.seats[id].down.queued
    }

    /// A datagram from anywhere comes to a shard's port.
    pub fn inject(&mut self, shard: u8, source: SocketAddr, datagram: &[u8]) {
        let arrival = Arrival::udp(shard_address(shard), source);
        self.shards[usize::from(shard)].handle_datagram(self.now, &arrival, datagram, &mut self.written);
    }

    /// A client.
    pub fn client(&mut self, id: ClientId) -> &mut Client {
        &mut self.seats[id].client
    }

    /// The tracks of a participant, oldest first.
    pub fn tracks(&self, name: &str) -> Vec<TrackSid> {
        let participant = self.room.participant(&Identity::token(name));
        participant.map(|p| p.tracks.iter().map(|track| track.sid.clone()).collect()).unwrap_or_default()
    }

    /// Who is there.
    pub fn names(&self) -> Vec<String> {
        self.room.participants().map(|participant| participant.name.clone()).collect()
    }

    /// A shard.
    pub fn shard(&mut self, index: u8) -> &mut Shard {
        &mut self.shards[usize::from(index)]
    }

    /// A client's next turn on its shard panics.
    pub fn inject_fault(&mut self, id: ClientId) {
        let (shard, session) = (self.seats[id].shard, self.seats[id].client.session);
        self.shards[usize::from(shard)].inject_fault(session);
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.step();
        }
    }

    /// Lets time pass until something holds, at most `limit`. False: it never did.
    pub fn run_until(&mut self, limit: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let until = self.now + limit;
        while self.now < until {
            if holds(self) {
                return true;
            }
            self.step();
        }
        holds(self)
    }

    /// One step: everything that is due now, then on to the next thing.
    pub fn step(&mut self) {
        for index in 0..self.seats.len() {
            self.client_turn(index);
        }
        self.shard_turns();
        self.now = self.next();
    }

    fn next(&self) -> Instant {
        let seats = self.seats.iter().flat_map(|seat| [Some(seat.client.next()), seat.up.next(), seat.down.next()]);
        let shards = self.shards.iter().map(|shard| Some(shard.poll_timeout()));
        let due = seats.chain(shards).chain([self.room.poll_timeout()]).flatten().min();
        let soon = self.now + Duration::from_micros(500);
        due.map_or(soon, |due| due.clamp(soon, self.now + Duration::from_millis(20)))
    }

    fn client_turn(&mut self, index: usize) {
        let now = self.now;
        let seat = &mut self.seats[index];
        for mut parcel in seat.down.arrived(now) {
            if Some(parcel.destination) == seat.nat {
                parcel.destination = seat.client.address;
            }
            seat.client.receive(now, &parcel);
            for parcel in seat.client.turn(now) {
                seat.up.send(now, parcel);
            }
        }
        for parcel in seat.client.turn(now) {
            seat.up.send(now, parcel);
        }
        for parcel in seat.up.arrived(now) {
            let shard = usize::from(seat.shard);
            let arrival = Arrival::udp(parcel.destination, seat.nat.unwrap_or(parcel.source));
            self.shards[shard].handle_datagram(now, &arrival, &parcel.bytes, &mut self.written);
        }
        self.settle();
    }

    fn shard_turns(&mut self) {
        for shard in &mut self.shards {
            shard.handle_timeout(self.now, &mut self.written);
        }
        let time = self.time();
        self.room.handle_timeout(time);
        self.carry_out();
        self.settle();
    }

    /// Everything that shards and room have to say, until nobody says anything more.
    fn settle(&mut self) {
        loop {
            for shard in &mut self.shards {
                shard.flush(self.now, &mut self.written);
            }
            for (source, destination, bytes) in std::mem::take(&mut self.written.datagrams) {
                let parcel = Parcel { source, destination, bytes, sent: self.now };
                let seen = |seat: &Seat| seat.nat.unwrap_or(seat.client.address);
                let seat = self.seats.iter_mut().find(|seat| seen(seat) == parcel.destination);
                if let Some(seat) = seat {
                    seat.down.send(self.now, parcel);
                }
            }
            if let Some((shard, message)) = self.written.relays.pop_front() {
                self.shards[usize::from(shard)].handle_relay(self.now, message, &mut self.written);
                continue;
            }
            let Some(event) = self.written.events.pop_front() else { break };
            self.media_events.push(event.clone());
            let time = self.time();
            self.room.handle_input(time, RoomInput::Media(event));
            self.carry_out();
        }
        self.offers();
    }

    fn offers(&mut self) {
        for index in 0..self.seats.len() {
            let session = self.seats[index].client.session;
            if let Some((id, sdp)) = self.seats[index].client.take_made_offer() {
                self.tell(RoomInput::Offer { session, id, sdp });
            }
        }
    }

    fn tell(&mut self, input: RoomInput) {
        let time = self.time();
        self.room.handle_input(time, input);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                RoomEffect::Send { to, event } => {
                    for session in to {
                        if let Some(id) = self.sessions.get(&session) {
                            self.seats[*id].client.handle(&event);
                        }
                    }
                }
                RoomEffect::Media(command) => self.command(command),
                RoomEffect::HangUp { session } | RoomEffect::CloseSession { session } => {
                    if let Some(id) = self.sessions.get(&session) {
                        self.seats[*id].client.closed = true;
                    }
                }
                RoomEffect::Notice(_) | RoomEffect::Ended => {}
            }
        }
    }

    fn command(&mut self, command: MediaCommand) {
        let shard_of = |session: SessionId| self.sessions.get(&session).map_or(0, |id| self.seats[*id].shard);
        let owner = match &command {
            MediaCommand::Subscribe { publisher, .. } | MediaCommand::SubscribeDataTrack { publisher, .. } => {
                shard_of(*publisher)
            }
            other => shard_of(other.session()),
        };
        let shard = usize::from(shard_of(command.session()));
        self.shards[shard].handle_command(self.now, &self.room_ref, command, owner, &mut self.written);
    }
}

fn shard_address(index: u8) -> SocketAddr {
    SocketAddr::from((SERVER, 7882 + u16::from(index)))
}

/// Different each time, the same in each run.
fn entropy(bytes: &mut [u8]) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    for chunk in bytes.chunks_mut(8) {
        let value = NEXT.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).rotate_left(17);
        chunk.copy_from_slice(&value.to_le_bytes()[..chunk.len()]);
    }
}
