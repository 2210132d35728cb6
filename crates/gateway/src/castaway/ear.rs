//! A socket in a namespace, and what is told to it.

use super::engine::outbox::{Outbox, Outgoing};
use super::speaker::{LISTENER, STREAMER};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wire::castaway::packet;

/// What somebody is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Streamer,
    Listener,
}

/// A socket in a namespace: where what it is told goes.
#[derive(Debug)]
pub(super) struct Ear {
    outbox: Arc<Outbox>,
    role: Role,
    gone: AtomicBool,
}

impl Ear {
    pub(super) fn new(outbox: Arc<Outbox>, role: Role) -> Self {
        Self { outbox, role, gone: AtomicBool::new(false) }
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// It was disconnected by us.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// It has left: nothing more is said to it.
    pub(super) fn go(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    /// Sound.
    pub(super) fn hear(&self, packets: &[Outgoing]) {
        self.outbox.push(packets);
    }

    fn namespace(&self) -> &'static str {
        match self.role {
            Role::Streamer => STREAMER,
            Role::Listener => LISTENER,
        }
    }

    pub(super) fn succeed(&self, text: &str) {
        self.outbox.say(&packet::text_event(self.namespace(), "success", text));
    }

    /// Says why, and disconnects it.
    pub(super) fn end(&self, text: &str) {
        if !self.gone.swap(true, Ordering::Relaxed) {
            let error = packet::text_event(self.namespace(), "error", text);
            let packets = [error, packet::disconnect(self.namespace())];
            self.outbox.push(&packets.map(|packet| Outgoing::socket_io(&packet)));
        }
    }
}

/// What a streamer sends at once: a payload as it was written, and its Buffers.
#[derive(Debug)]
pub(super) struct Piece {
    packets: Arc<[Outgoing]>,
    attachments: Vec<Bytes>,
}

impl Piece {
    pub(super) fn new(payload: &str, attachments: Vec<Bytes>) -> Self {
        let event = packet::event_packet(LISTENER, "audio", payload, attachments.len());
        let first = Outgoing::socket_io(&event);
        let rest = attachments.iter().cloned().map(Outgoing::Binary);
        Self { packets: std::iter::once(first).chain(rest).collect(), attachments }
    }

    /// As every listener gets them.
    pub(super) fn packets(&self) -> &Arc<[Outgoing]> {
        &self.packets
    }

    /// Its Buffers.
    pub(super) fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }
}
