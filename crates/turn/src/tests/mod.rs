//! The server as its clients see it, in virtual time.

mod flow;
mod policy;
mod reflection;

use crate::attribute::*;
use crate::message::{Builder, Class, Message, Method, TransactionId};
use crate::server::*;
use crate::{Peers, Secret};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

const UNIX_S: u64 = 1_800_000_000;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Addresses one after the other, as many as there are.
struct Plenty {
    next: Cell<u16>,
    refusal: Cell<Option<Refusal>>,
}

impl Grants for Plenty {
    type Permit = ();
    fn take(&self, _: &str, family: Family) -> Result<(SocketAddr, ()), Refusal> {
        if let Some(refusal) = self.refusal.get() {
            return Err(refusal);
        }
        let port = self.next.replace(self.next.get() + 1);
        let ip = if family == Family::V4 { "203.0.113.1".parse() } else { "2001:db8:77::1".parse() };
        Ok((SocketAddr::new(ip.unwrap(), port), ()))
    }
}

/// A server, and one client of it.
struct Bench {
    server: Server<Plenty>,
    secret: Arc<Secret>,
    begin: Instant,
    elapsed: Duration,
    client: Client,
    transaction: u32,
    username: String,
    password: String,
    nonce: String,
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answer {
    bytes: Vec<u8>,
}

impl Answer {
    fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).unwrap()
    }
    fn class(&self) -> Class {
        self.message().class
    }
    fn code(&self) -> Option<u16> {
        let value = self.message().attribute(ERROR_CODE)?;
        Some(u16::from(value[2]) * 100 + u16::from(value[3]))
    }
    fn address(&self, kind: u16) -> Option<SocketAddr> {
        self.message().address(kind)
    }
}

impl Bench {
    fn new(peers: &[&str]) -> Self {
        let secret = Arc::new(Secret::new(&[5; 32]));
        let peers = Arc::new(Peers::only(peers.iter().map(|peer| address(peer)).collect()));
        let grants = Plenty { next: Cell::new(30_000), refusal: Cell::new(None) };
        let login = secret.login("PA_alice", UNIX_S);
        Self {
            server: Server::new(Config { secret: Arc::clone(&secret), peers, grants }),
            secret,
            begin: Instant::now(),
            elapsed: Duration::ZERO,
            client: Client { address: address("198.51.100.7:40000"), in_stream: false },
            transaction: 0,
            username: login.username,
            password: login.password,
            nonce: String::new(),
        }
    }

    fn now(&self) -> Now {
        Now { at: self.begin + self.elapsed, unix_s: UNIX_S + self.elapsed.as_secs() }
    }

    fn transaction(&mut self) -> TransactionId {
        self.transaction += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.transaction.to_be_bytes());
        id
    }

    /// A request that is signed, once there is a nonce to sign with.
    fn request(&mut self, method: Method, attributes: impl FnOnce(Builder) -> Builder) -> Vec<u8> {
        let transaction = self.transaction();
        let builder = attributes(Builder::new(Class::Request, method, &transaction));
        if self.nonce.is_empty() {
            return builder.finish();
        }
        builder
            .attribute(USERNAME, self.username.as_bytes())
            .attribute(REALM, crate::credentials::REALM.as_bytes())
            .attribute(NONCE, self.nonce.as_bytes())
            .sign(&crate::credentials::Key::new(&self.username, crate::credentials::REALM, &self.password))
    }

    fn send(&mut self, bytes: &[u8]) -> Option<Answer> {
        self.server.handle(self.now(), self.client, bytes).reply.map(|bytes| Answer { bytes })
    }

    fn ask(&mut self, method: Method, attributes: impl FnOnce(Builder) -> Builder) -> Answer {
        let request = self.request(method, attributes);
        self.send(&request).expect("an answer")
    }

    /// As libwebrtc does it: without a nonce, again until there is an answer, then with the nonce of that.
    fn challenge(&mut self) {
        self.nonce.clear();
        let request = self.request(Method::Allocate, |it| it.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]));
        let challenge = (0..3).find_map(|_| self.send(&request)).expect("an answer to a repetition");
        assert_eq!(challenge.code(), Some(401));
        self.nonce = challenge.message().text(NONCE).unwrap().to_owned();
    }

    fn allocate_family(&mut self, family: u8) -> Answer {
        if self.nonce.is_empty() {
            self.challenge();
        }
        self.ask(Method::Allocate, |it| {
            it.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]).attribute(REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0])
        })
    }

    fn allocate(&mut self) -> SocketAddr {
        self.allocate_family(1).address(XOR_RELAYED_ADDRESS).expect("a relayed address")
    }

    fn permit(&mut self, peer: &SocketAddr) -> Answer {
        self.ask(Method::CreatePermission, |it| it.address(XOR_PEER_ADDRESS, peer))
    }

    fn bind(&mut self, channel: u16, peer: &SocketAddr) -> Answer {
        let mut number = [0; 4];
        number[..2].copy_from_slice(&channel.to_be_bytes());
        self.ask(Method::ChannelBind, |it| it.attribute(CHANNEL_NUMBER, &number).address(XOR_PEER_ADDRESS, peer))
    }

    fn indication(&mut self, peer: &SocketAddr, data: &[u8]) -> Vec<u8> {
        let transaction = self.transaction();
        Builder::new(Class::Indication, Method::Send, &transaction)
            .address(XOR_PEER_ADDRESS, peer)
            .attribute(DATA, data)
            .finish()
    }

    /// What the server hands over of this: (peer, data).
    fn relayed(&mut self, bytes: &[u8]) -> Option<(SocketAddr, Vec<u8>)> {
        match self.server.handle(self.now(), self.client, bytes).event {
            Some(Event::ToPeer { peer, data, .. }) => Some((peer, data.to_vec())),
            _ => None,
        }
    }
}
