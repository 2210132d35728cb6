//! What one client says in Socket.IO: into which namespaces it goes, and the sound that it sends (C-01 to C-10).

use super::Castaway;
use super::ear::{Ear, Piece, Role};
use super::engine::outbox::Outbox;
use super::engine::session::Inbound;
use super::limits::{CONNECT_BURST, CONNECTS_PER_S, FRAME_BYTES, UPLOAD_BURST, UPLOADS_PER_S};
use super::live::Stay;
use crate::budget::{Bucket, Rate};
use bytes::Bytes;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::castaway::engine;
use wire::castaway::handshake::Claimed;
use wire::castaway::packet::{self, Packet};

/// Those who livestream.
pub(super) const STREAMER: &str = "/streamer";
/// Those who listen.
pub(super) const LISTENER: &str = "/listener";
/// Always there, and of no use here.
const ROOT: &str = "/";

/// How long somebody who says too much waits before it is looked at again.
const PACE: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Debug)]
pub(crate) struct Speaker {
    castaway: Arc<Castaway>,
    outbox: Arc<Outbox>,
    /// What its headers say.
    headers: Claimed,
    address: IpAddr,
    root: bool,
    streamer: Option<Place>,
    listener: Option<Place>,
    /// An event whose attachments are still to come.
    waiting: Option<Waiting>,
    uploads: Bucket,
    connects: Bucket,
}

/// In a namespace.
#[derive(Debug)]
struct Place {
    ear: Arc<Ear>,
    /// What it is there for; `None`: it was refused.
    stay: Option<Stay>,
}

#[derive(Debug)]
struct Waiting {
    namespace: String,
    arguments: String,
    attachments: usize,
    came: Vec<Bytes>,
    bytes: usize,
}

const CONNECTS: Rate = Rate { burst: CONNECT_BURST, per_s: CONNECTS_PER_S };
const UPLOADS: Rate = Rate { burst: UPLOAD_BURST, per_s: UPLOADS_PER_S };

impl Speaker {
    pub(super) fn new(castaway: Arc<Castaway>, outbox: Arc<Outbox>, headers: Claimed, address: IpAddr) -> Self {
        let now = Instant::now();
        let (uploads, connects) = (Bucket::full(UPLOADS, now), Bucket::full(CONNECTS, now));
        let (streamer, listener, waiting) = (None, None, None);
        Self { castaway, outbox, headers, address, root: false, streamer, listener, waiting, uploads, connects }
    }

    /// Is it in a namespace?
    pub(super) fn is_anywhere(&self) -> bool {
        let is_in = |place: &Option<Place>| place.as_ref().is_some_and(|place| !place.ear.is_gone());
        self.root || is_in(&self.streamer) || is_in(&self.listener)
    }

    /// False: it breaks the rules, or is gone.
    pub(super) async fn hear(&mut self, inbound: Inbound) -> bool {
        match inbound {
            Inbound::Packet(engine::Packet::Text(text)) => self.packet(&text).await,
            Inbound::Packet(engine::Packet::Binary(bytes)) => self.attachment(bytes.into()).await,
            Inbound::Binary(bytes) => self.attachment(bytes).await,
            Inbound::Packet(engine::Packet::Close) | Inbound::Lost => false,
            Inbound::Packet(_) => true,
        }
    }

    async fn packet(&mut self, text: &str) -> bool {
        // Attachments follow their event at once.
        if self.waiting.is_some() {
            return false;
        }
        match packet::decode(text) {
            Ok(Packet::Connect { namespace, auth }) => self.connect(namespace, auth).await,
            Ok(Packet::Disconnect { namespace }) => self.leave(namespace),
            Ok(Packet::Event { namespace, attachments: 0, arguments }) => {
                return self.event(namespace, arguments, Vec::new()).await;
            }
            Ok(Packet::Event { namespace, attachments, arguments }) => {
                let (namespace, arguments) = (namespace.to_owned(), arguments.to_owned());
                let bytes = arguments.len();
                self.waiting = Some(Waiting { namespace, arguments, attachments, came: Vec::new(), bytes });
            }
            Ok(Packet::Other) => {}
            Err(_) => return false,
        }
        true
    }

    async fn attachment(&mut self, bytes: Bytes) -> bool {
        let Some(mut waiting) = self.waiting.take() else { return false };
        waiting.bytes += bytes.len();
        waiting.came.push(bytes);
        if waiting.bytes > self.castaway.config.packet_bytes + FRAME_BYTES {
            return false;
        }
        if waiting.came.len() < waiting.attachments {
            self.waiting = Some(waiting);
            return true;
        }
        self.event(&waiting.namespace, &waiting.arguments, waiting.came).await
    }

    /// C-01: it is in, whatever follows.
    async fn connect(&mut self, namespace: &str, auth: &str) {
        pace(&mut self.connects, CONNECTS).await;
        let role = match namespace {
            ROOT => {
                self.root = true;
                self.outbox.say(&packet::connected(ROOT, &crate::draw::name("")));
                return;
            }
            STREAMER => Role::Streamer,
            LISTENER => Role::Listener,
            other => return self.outbox.say(&packet::no_such_namespace(other)),
        };
        if self.place(role).as_ref().is_some_and(|place| !place.ear.is_gone()) {
            return;
        }
        self.outbox.say(&packet::connected(namespace, &crate::draw::name("")));
        let ear = Arc::new(Ear::new(Arc::clone(&self.outbox), role));
        let claimed = Claimed::in_auth(auth).or(self.headers.clone());
        let stay = match self.castaway.admit(&ear, claimed, self.address).await {
            Ok(stay) => Some(stay),
            Err(text) => {
                ear.end(&text);
                None
            }
        };
        *self.place(role) = Some(Place { ear, stay });
    }

    /// On purpose.
    fn leave(&mut self, namespace: &str) {
        let place = match namespace {
            STREAMER => self.streamer.take(),
            LISTENER => self.listener.take(),
            _ => {
                self.root = false;
                None
            }
        };
        if let Some(stay) = place.and_then(|place| place.stay) {
            stay.leave();
        }
    }

    /// C-10
    async fn event(&mut self, namespace: &str, arguments: &str, attachments: Vec<Bytes>) -> bool {
        let Ok(event) = packet::event(arguments) else { return false };
        let payload = event.argument.unwrap_or("null");
        if namespace != STREAMER || event.name != "upload" {
            return true;
        }
        if !packet::fits_attachments(payload, attachments.len()) {
            return false;
        }
        pace(&mut self.uploads, UPLOADS).await;
        if let Some(stay) = self.streamer.as_ref().and_then(|place| place.stay.as_ref()) {
            stay.upload(&Piece::new(payload, attachments));
        }
        true
    }

    fn place(&mut self, role: Role) -> &mut Option<Place> {
        match role {
            Role::Streamer => &mut self.streamer,
            Role::Listener => &mut self.listener,
        }
    }
}

/// Waits until there is something left. Its network waits with it: nothing is lost.
async fn pace(bucket: &mut Bucket, rate: Rate) {
    while !bucket.spend(rate, 1.0, Instant::now()) {
        tokio::time::sleep(PACE).await;
    }
}
