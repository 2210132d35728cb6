//! What a room's task does about chat in data packets: it hears along what these clients say to each other, and tells them
//! what others say (product.md, the row «chat»).
//!
//! Their own packets pass on the shards, at once and as they came; the shards hold to what the room forbids. So what is
//! overheard is in the log and at the other gateways a moment later, or, where the store has failed, only among them.

use super::chat_dialect::{ChatChange, ChatListener, Overheard, SharedChatDialect};
use super::handle::DataMessage;
use super::talk::Heard;
use super::task::RoomTask;
use crate::clock::now;
use room::media::MediaCommand;
use room::{ChatMessage, ChatPost, ChatRefused, SessionId};
use std::collections::HashMap;
use std::sync::Arc;

/// Chat in data packets, in one room.
#[derive(Debug)]
pub(super) struct DataChat {
    dialect: SharedChatDialect,
    listeners: HashMap<SessionId, Box<dyn ChatListener>>,
}

impl DataChat {
    pub(super) fn new(dialect: SharedChatDialect) -> Self {
        Self { dialect, listeners: HashMap::new() }
    }

    fn hear(&mut self, session: SessionId, packet: &[u8]) -> Option<Overheard> {
        let dialect = &self.dialect;
        self.listeners.entry(session).or_insert_with(|| dialect.listener()).hear(packet)
    }

    /// Somebody is gone.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.listeners.remove(&session);
    }
}

impl RoomTask {
    /// A client with data packets has said something to the others.
    pub(super) fn overhear(&mut self, session: SessionId, packet: &[u8]) {
        let Some(identity) = self.room.identity_of(session).cloned() else { return };
        let Some(Overheard { id, text }) = self.data_chat.hear(session, packet) else { return };
        let name = self.room.participant(&identity).map(|there| there.name.clone()).unwrap_or_default();
        let name = if name.is_empty() { identity.id.to_string() } else { name };
        let post = ChatPost { author: identity, name, text, id: Some(id), frame: None };
        if self.has_too_much_work() {
            metrics::counter!("odeon_chat_not_stored_total").increment(1);
            return;
        }
        match self.room.overhear(now(), post) {
            Ok(message) => self.store(message, Heard::InDataPackets),
            Err(refused) => tracing::debug!(%refused, "a chat message passed that the room refuses"),
        }
    }

    /// A client's shard has stopped what it said.
    pub(super) async fn tell_refusal(&mut self, session: SessionId, packet: &[u8]) {
        let Some(identity) = self.room.identity_of(session) else { return };
        // Meanwhile they may again: then it was slow mode, most likely.
        let why = self.room.may_write(now(), identity).err().unwrap_or(ChatRefused::SlowMode { wait_ms: 0 });
        let Some(packet) = self.data_chat.dialect.tell_refusal(packet, &why.to_string()) else { return };
        let command = MediaCommand::SendData { session, reliable: true, packet };
        self.media.command(command).await;
    }

    /// Tells those with data packets what somebody else has said.
    pub(super) async fn tell_in_packets(&mut self, message: &ChatMessage) {
        let author = self.room.participant(&message.author).cloned();
        let packets = self.data_chat.dialect.tell(message, author.as_deref());
        self.send_packets(packets).await;
    }

    /// Tells them of a change.
    pub(super) async fn tell_change_in_packets(&mut self, change: ChatChange<'_>) {
        let packets = self.data_chat.dialect.tell_change(change);
        self.send_packets(packets).await;
    }

    async fn send_packets(&mut self, packets: Vec<Arc<[u8]>>) {
        for packet in packets {
            let everybody = DataMessage { reliable: true, packet, identities: Vec::new(), sids: Vec::new() };
            self.send_data(everybody).await;
        }
    }
}
