//! The server: requests are checked in the order in which they cost, and answered; data is handed over.

use crate::allocation::{Allocation, Begin};
use crate::attribute::{self, Family};
use crate::budget::Budget;
use crate::credentials::{self, Key, REALM, Secret};
use crate::message::{self, Builder, Class, Message, Method, TransactionId};
use crate::peers::Peers;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an allocation lasts unless it is refreshed (RFC 8656 section 3.2: 10 minutes). Nobody gets more: who is gone
/// is forgotten soon.
const ALLOCATION_TTL: Duration = Duration::from_secs(600);
/// Peers in one CreatePermission: more than we have candidates.
const MAX_PEERS: usize = 16;
/// UDP, the only protocol that we relay (RFC 8656 section 18.7).
const UDP: u8 = 17;

/// Gives out relayed addresses, and knows how many somebody may have.
pub trait Grants {
    /// Holds an address and its count; both are free again when it is dropped.
    type Permit;
    /// A relayed address for this participant.
    ///
    /// # Errors
    /// There is none.
    fn take(&self, participant: &str, family: Family) -> Result<(SocketAddr, Self::Permit), Refusal>;
}

/// Why there is no relayed address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// We have none of this version of IP.
    Family,
    /// This participant has its share.
    Quota,
    /// All are taken.
    Exhausted,
}

/// What a server is made of.
#[derive(Debug)]
pub struct Config<G> {
    /// Of the whole process.
    pub secret: Arc<Secret>,
    /// To whom it relays.
    pub peers: Arc<Peers>,
    /// Relayed addresses.
    pub grants: G,
}

/// An allocation, as the shell sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relay {
    /// Unlike that of any other allocation of this server.
    pub serial: u64,
    /// The client's address as peers see it.
    pub address: SocketAddr,
}

/// What the shell has to do, besides answering.
#[derive(PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// Hand this over to that peer.
    ToPeer {
        /// Who sends it.
        relay: Relay,
        /// To whom.
        peer: SocketAddr,
        /// What.
        data: &'a [u8],
    },
    /// The client gave its allocation back.
    Closed(Relay),
}

/// What follows from what came.
#[derive(Debug, Default)]
pub struct Outcome<'a> {
    /// For the client.
    pub reply: Option<Vec<u8>>,
    /// For the shell.
    pub event: Option<Event<'a>>,
}

impl Outcome<'_> {
    fn reply(bytes: Vec<u8>) -> Self {
        Self { reply: Some(bytes), event: None }
    }
}

/// Totals since the server began, but for the gauge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Gauge: allocations.
    pub allocations: u64,
    /// Bytes from clients to peers.
    pub bytes_in: u64,
    /// Bytes from peers to clients.
    pub bytes_out: u64,
    /// Requests that were refused to somebody who had logged in.
    pub refused: u64,
    /// Data for a peer that may not be reached, or from nobody.
    pub dropped: u64,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its address.
    pub address: SocketAddr,
    /// By a connection: its address is proved, and ChannelData is padded.
    pub in_stream: bool,
}

/// The time, twice: one drives timers, the other is what names say.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic.
    pub at: Instant,
    /// Seconds since 1970.
    pub unix_s: u64,
}

/// A TURN server for many clients.
#[derive(Debug)]
pub struct Server<G: Grants> {
    config: Config<G>,
    allocations: HashMap<SocketAddr, Allocation<G::Permit>>,
    /// Relayed address to client.
    relayed: HashMap<SocketAddr, SocketAddr>,
    strangers: Budget,
    next_serial: u64,
    stats: Stats,
}

/// Who signed a request.
struct Signer<'a> {
    username: &'a str,
    key: Key,
}

impl<G: Grants> Server<G> {
    /// Nobody there yet.
    pub fn new(config: Config<G>) -> Self {
        Self {
            config,
            allocations: HashMap::new(),
            relayed: HashMap::new(),
            strangers: Budget::default(),
            next_serial: 0,
            stats: Stats::default(),
        }
    }

    /// Totals and the gauge.
    pub fn stats(&self) -> Stats {
        Stats { allocations: self.allocations.len() as u64, ..self.stats }
    }

    /// A client has an allocation.
    pub fn has(&self, client: &SocketAddr) -> bool {
        self.allocations.contains_key(client)
    }

    /// A datagram, or a message out of a stream, from a client.
    pub fn handle<'a>(&mut self, now: Now, client: Client, bytes: &'a [u8]) -> Outcome<'a> {
        if let Some((channel, data)) = message::channel_data(bytes) {
            return self.channel_data(now.at, &client.address, channel, data);
        }
        let Ok(message) = Message::parse(bytes) else { return Outcome::default() };
        match (message.class, message.method) {
            (Class::Indication, Method::Send) => self.send_indication(now.at, &client.address, &message),
            (Class::Request, Method::Send | Method::Data) => Outcome::default(),
            (Class::Request, _) => self.request(now, client, &message, bytes.len()),
            _ => Outcome::default(),
        }
    }

    fn channel_data<'a>(&mut self, now: Instant, client: &SocketAddr, channel: u16, data: &'a [u8]) -> Outcome<'a> {
        let allocation = self.allocations.get(client);
        let peer = allocation.and_then(|allocation| allocation.peer_of(now, channel));
        self.pass_on(now, client, peer, data)
    }

    fn send_indication<'a>(&mut self, now: Instant, client: &SocketAddr, message: &Message<'a>) -> Outcome<'a> {
        let data = message.attribute(attribute::DATA).unwrap_or_default();
        self.pass_on(now, client, message.address(attribute::XOR_PEER_ADDRESS), data)
    }

    fn pass_on<'a>(
        &mut self,
        now: Instant,
        client: &SocketAddr,
        peer: Option<SocketAddr>,
        data: &'a [u8],
    ) -> Outcome<'a> {
        let allocation = self.allocations.get(client).filter(|allocation| allocation.expires > now);
        let permitted = |peer: &SocketAddr| {
            self.config.peers.allow(peer) && allocation.is_some_and(|it| it.is_permitted(now, &peer.ip()))
        };
        let (Some(peer), Some(allocation)) = (peer.filter(permitted), allocation) else {
            self.stats.dropped += 1;
            return Outcome::default();
        };
        self.stats.bytes_in += data.len() as u64;
        let relay = Relay { serial: allocation.serial, address: allocation.relayed };
        Outcome { reply: None, event: Some(Event::ToPeer { relay, peer, data }) }
    }

    fn request<'a>(&mut self, now: Now, client: Client, message: &Message<'_>, received: usize) -> Outcome<'a> {
        let signer = match self.authenticate(now, &client.address, message) {
            Ok(signer) => signer,
            Err(code) => return self.refuse_stranger(now, client, message, received, code),
        };
        let unknown: Vec<_> = message.attributes().filter(|(kind, _)| attribute::is_unknown(*kind)).collect();
        if !unknown.is_empty() {
            return self.refuse_unknown(message, &signer.key, &unknown);
        }
        let key = signer.key.clone();
        let answered = match message.method {
            Method::Allocate => self.allocate(now, client, message, signer),
            Method::Refresh => self.refresh(now, &client, message, &signer),
            Method::CreatePermission => self.create_permission(now, &client, message, &signer),
            Method::ChannelBind => self.channel_bind(now, &client, message, &signer),
            Method::Send | Method::Data => return Outcome::default(),
        };
        answered.unwrap_or_else(|code| {
            self.stats.refused += 1;
            Outcome::reply(error(message, code).sign(&key))
        })
    }

    /// Long-term credentials (RFC 8489 section 9.2.4), the cheapest refusal first. The error is STUN's.
    fn authenticate<'m>(&self, now: Now, client: &SocketAddr, message: &Message<'m>) -> Result<Signer<'m>, u16> {
        if !message.is_signed() {
            return Err(401);
        }
        let (Some(username), Some(nonce)) = (message.text(attribute::USERNAME), message.text(attribute::NONCE)) else {
            return Err(400);
        };
        if !self.config.secret.is_nonce(nonce, client, now.unix_s) {
            return Err(438);
        }
        let ends = credentials::expiry(username).ok_or(401u16)?;
        // Who has an allocation goes on with it: its name was good when it began.
        if ends < now.unix_s && message.method == Method::Allocate {
            return Err(401);
        }
        let key = self.config.secret.key(username);
        if message.text(attribute::REALM) != Some(REALM) || !message.verifies(&key) {
            return Err(401);
        }
        Ok(Signer { username, key })
    }

    /// Unsigned, with what is needed to sign; over UDP only as far as the stranger's budget goes.
    fn refuse_stranger<'a>(
        &mut self,
        now: Now,
        client: Client,
        message: &Message<'_>,
        received: usize,
        code: u16,
    ) -> Outcome<'a> {
        let mut reply = error(message, code);
        if code != 400 {
            let nonce = self.config.secret.nonce(&client.address, now.unix_s);
            reply = reply.attribute(attribute::REALM, REALM.as_bytes()).attribute(attribute::NONCE, nonce.as_bytes());
        }
        let reply = reply.finish();
        let source = client.address.ip();
        let allowed = client.in_stream || self.strangers.allows(now.at, source, received, reply.len());
        if allowed { Outcome::reply(reply) } else { Outcome::default() }
    }

    fn refuse_unknown<'a>(&mut self, message: &Message<'_>, key: &Key, unknown: &[(u16, &[u8])]) -> Outcome<'a> {
        self.stats.refused += 1;
        let kinds: Vec<_> = unknown.iter().flat_map(|(kind, _)| kind.to_be_bytes()).collect();
        Outcome::reply(error(message, 420).attribute(attribute::UNKNOWN_ATTRIBUTES, &kinds).sign(key))
    }

    fn allocate<'a>(
        &mut self,
        now: Now,
        client: Client,
        message: &Message<'_>,
        signer: Signer<'_>,
    ) -> Result<Outcome<'a>, u16> {
        if let Some(known) = self.allocations.get(&client.address).filter(|known| known.expires > now.at) {
            let repeated = known.transaction == message.transaction;
            return if repeated { Ok(Outcome::reply(allocated(message, known, now.at))) } else { Err(437) };
        }
        let family = requested(message)?;
        let participant = credentials::participant(signer.username);
        let (relayed, permit) = self.config.grants.take(participant, family).map_err(|refusal| match refusal {
            Refusal::Family => 440u16,
            Refusal::Quota => 486,
            Refusal::Exhausted => 508,
        })?;
        self.next_serial += 1;
        let allocation = Allocation::new(Begin {
            serial: self.next_serial,
            client: client.address,
            relayed,
            username: signer.username.to_owned(),
            key: signer.key,
            transaction: message.transaction,
            expires: now.at + ALLOCATION_TTL,
            in_stream: client.in_stream,
            permit,
        });
        let reply = allocated(message, &allocation, now.at);
        self.relayed.insert(relayed, client.address);
        self.allocations.insert(client.address, allocation);
        Ok(Outcome::reply(reply))
    }

    fn own<'s>(
        &'s mut self,
        now: Now,
        client: &Client,
        signer: &Signer<'_>,
    ) -> Result<&'s mut Allocation<G::Permit>, u16> {
        let allocation = self.allocations.get_mut(&client.address).filter(|allocation| allocation.expires > now.at);
        let allocation = allocation.ok_or(437u16)?;
        // The name may have been renewed since; the participant may not change (RFC 8656 section 5).
        let same = credentials::participant(&allocation.username) == credentials::participant(signer.username);
        if same { Ok(allocation) } else { Err(441) }
    }

    fn refresh<'a>(
        &mut self,
        now: Now,
        client: &Client,
        message: &Message<'_>,
        signer: &Signer<'_>,
    ) -> Result<Outcome<'a>, u16> {
        let allocation = self.own(now, client, signer)?;
        let ends = message.attribute(attribute::LIFETIME).is_some_and(|value| value == [0; 4]);
        let lifetime = if ends { Duration::ZERO } else { ALLOCATION_TTL };
        allocation.expires = now.at + lifetime;
        let relay = Relay { serial: allocation.serial, address: allocation.relayed };
        let reply = success(message).attribute(attribute::LIFETIME, &seconds(lifetime)).sign(&signer.key);
        let event = ends.then_some(Event::Closed(relay));
        if ends {
            self.remove(&client.address);
        }
        Ok(Outcome { reply: Some(reply), event })
    }

    fn create_permission<'a>(
        &mut self,
        now: Now,
        client: &Client,
        message: &Message<'_>,
        signer: &Signer<'_>,
    ) -> Result<Outcome<'a>, u16> {
        let peers = Arc::clone(&self.config.peers);
        let allocation = self.own(now, client, signer)?;
        let named = message.attributes().filter(|(kind, _)| *kind == attribute::XOR_PEER_ADDRESS);
        let addresses: Option<Vec<_>> = named
            .map(|(_, value)| attribute::read_address(value, &message.transaction).map(|peer| peer.ip()))
            .collect();
        let addresses = addresses.filter(|peers| (1..=MAX_PEERS).contains(&peers.len())).ok_or(400u16)?;
        let family = Family::of(&allocation.relayed.ip());
        if addresses.iter().any(|peer| Family::of(peer) != family) {
            return Err(443);
        }
        if !addresses.iter().all(|peer| peers.allow_ip(peer)) {
            return Err(403);
        }
        if allocation.permit(now.at, &addresses) {
            Ok(Outcome::reply(success(message).sign(&signer.key)))
        } else {
            Err(508)
        }
    }

    fn channel_bind<'a>(
        &mut self,
        now: Now,
        client: &Client,
        message: &Message<'_>,
        signer: &Signer<'_>,
    ) -> Result<Outcome<'a>, u16> {
        let peers = Arc::clone(&self.config.peers);
        let allocation = self.own(now, client, signer)?;
        let number = message.attribute(attribute::CHANNEL_NUMBER).and_then(|value| value.first_chunk::<2>());
        let number = number.map(|bytes| u16::from_be_bytes(*bytes)).filter(|number| (0x4000..=0x4FFF).contains(number));
        let (Some(number), Some(peer)) = (number, message.address(attribute::XOR_PEER_ADDRESS)) else {
            return Err(400);
        };
        if Family::of(&peer.ip()) != Family::of(&allocation.relayed.ip()) {
            return Err(443);
        }
        if !peers.allow(&peer) {
            return Err(403);
        }
        match allocation.bind(now.at, number, peer) {
            Some(true) => Ok(Outcome::reply(success(message).sign(&signer.key))),
            Some(false) => Err(508),
            None => Err(400),
        }
    }

    /// Packs what a peer sends to a relayed address, and says for which client. `None`: it may not pass.
    pub fn wrap(
        &mut self,
        now: Instant,
        relay: Relay,
        peer: SocketAddr,
        data: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<SocketAddr> {
        let client = *self.relayed.get(&relay.address)?;
        let allocation = self.allocations.get(&client).filter(|it| it.serial == relay.serial && it.expires > now)?;
        if !allocation.is_permitted(now, &peer.ip()) {
            self.stats.dropped += 1;
            return None;
        }
        self.stats.bytes_out += data.len() as u64;
        match allocation.channel_of(now, &peer) {
            Some(channel) => message::put_channel_data(channel, data, allocation.in_stream, out),
            None => out.extend(data_indication(&peer, data, self.stats.bytes_out)),
        }
        Some(allocation.client)
    }

    /// Ends an allocation whose peer has gone. It may have ended before.
    pub fn close(&mut self, relay: Relay) {
        if let Some(client) = self.relayed.get(&relay.address).copied()
            && self.allocations.get(&client).is_some_and(|allocation| allocation.serial == relay.serial)
        {
            self.remove(&client);
        }
    }

    /// Forgets a client: its connection has ended.
    pub fn remove(&mut self, client: &SocketAddr) {
        if let Some(allocation) = self.allocations.remove(client) {
            self.relayed.remove(&allocation.relayed);
        }
    }

    /// When the allocation of a client ends.
    pub fn expires(&self, client: &SocketAddr) -> Option<Instant> {
        self.allocations.get(client).map(|allocation| allocation.expires)
    }

    /// Ends what has not been refreshed in time. To be called every second or so.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Relay> {
        let expired: Vec<_> = self.allocations.values().filter(|allocation| allocation.expires <= now).collect();
        let ended: Vec<_> =
            expired.iter().map(|it| (it.client, Relay { serial: it.serial, address: it.relayed })).collect();
        ended.into_iter().map(|(client, relay)| (self.remove(&client), relay).1).collect()
    }
}

/// The version of IP that an Allocate asks for.
fn requested(message: &Message<'_>) -> Result<Family, u16> {
    let transport = message.attribute(attribute::REQUESTED_TRANSPORT).and_then(|value| value.first()).ok_or(400u16)?;
    if *transport != UDP {
        return Err(442);
    }
    match message.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
        None => Ok(Family::V4),
        Some(value) => value.first().and_then(|byte| Family::from_byte(*byte)).ok_or(440),
    }
}

fn success(message: &Message<'_>) -> Builder {
    Builder::new(Class::Success, message.method, &message.transaction)
}

/// Without a reason phrase: it would be most of a refusal's bytes, and no client shows it.
fn error(message: &Message<'_>, code: u16) -> Builder {
    let value = [0, 0, (code / 100) as u8, (code % 100) as u8];
    Builder::new(Class::Error, message.method, &message.transaction).attribute(attribute::ERROR_CODE, &value)
}

fn allocated<P>(message: &Message<'_>, allocation: &Allocation<P>, now: Instant) -> Vec<u8> {
    success(message)
        .address(attribute::XOR_RELAYED_ADDRESS, &allocation.relayed)
        .attribute(attribute::LIFETIME, &seconds(allocation.expires.saturating_duration_since(now)))
        .address(attribute::XOR_MAPPED_ADDRESS, &allocation.client)
        .sign(&allocation.key)
}

fn seconds(time: Duration) -> [u8; 4] {
    (time.as_secs() as u32).to_be_bytes()
}

/// For a peer without a channel. Nobody answers an indication, so its transaction only has to differ from the last one.
fn data_indication(peer: &SocketAddr, data: &[u8], number: u64) -> Vec<u8> {
    let mut transaction: TransactionId = *b"odeondata\0\0\0";
    transaction[4..].copy_from_slice(&number.to_be_bytes());
    Builder::new(Class::Indication, Method::Data, &transaction)
        .address(attribute::XOR_PEER_ADDRESS, peer)
        .attribute(attribute::DATA, data)
        .finish()
}
