//! A room's chat as it is kept: in the store for good, and the same here, so that nobody waits for a disk to read it.

use super::limits::MAX_HISTORY;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use room::{ChatMessage, Identity, Origin};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use store::{Appended, Entry, Log, Record, Retention, Span, Store, StoreError};

/// The family of the chat's logs; a log is called as its room.
const FAMILY: &str = "chat";

/// The chat of one room.
#[derive(Debug)]
pub(super) struct ChatLog {
    store: Arc<dyn Store>,
    log: Log,
    retention: Retention,
    /// Oldest first.
    kept: VecDeque<Kept>,
    bytes: u64,
}

#[derive(Debug)]
struct Kept {
    sequence: u64,
    bytes: u64,
    message: Arc<ChatMessage>,
}

impl ChatLog {
    pub(super) fn new(store: Arc<dyn Store>, room: &str, retention: Retention) -> Self {
        Self { store, log: Log::new(FAMILY, room), retention, kept: VecDeque::new(), bytes: 0 }
    }

    /// What the store has of it.
    pub(super) async fn load(&mut self) -> Result<(), StoreError> {
        for record in self.store.read(&self.log, Span::newest(self.capacity())).await? {
            self.keep(record.sequence, record.value.len() as u64, message_of(&record));
        }
        Ok(())
    }

    /// Puts a message into the store; says where it is there, and its size.
    pub(super) fn append(
        &self,
        message: Arc<ChatMessage>,
    ) -> impl Future<Output = Result<(Appended, u64), StoreError>> + Send + 'static {
        let (store, log, retention) = (Arc::clone(&self.store), self.log.clone(), self.retention);
        async move {
            let value = encode(&message)?;
            let bytes = value.len() as u64;
            let entry = Entry { at_ms: message.at_ms, kind: String::new(), value };
            store.append(&log, entry, retention).await.map(|appended| (appended, bytes))
        }
    }

    /// The store has it.
    pub(super) fn keep(&mut self, sequence: u64, bytes: u64, message: Arc<ChatMessage>) {
        self.kept.push_back(Kept { sequence, bytes, message });
        self.bytes += bytes;
        while self.kept.len() > self.capacity() || self.is_too_large() {
            self.bytes -= self.kept.pop_front().map_or(0, |kept| kept.bytes);
        }
    }

    /// The newest one always stays, as in the store.
    fn is_too_large(&self) -> bool {
        self.retention.bytes > 0 && self.bytes > self.retention.bytes && self.kept.len() > 1
    }

    fn capacity(&self) -> usize {
        match usize::try_from(self.retention.entries) {
            Ok(entries @ 1..=MAX_HISTORY) => entries,
            _ => MAX_HISTORY,
        }
    }

    /// The newest of them, oldest first.
    pub(super) fn newest(&self, limit: usize) -> Vec<Arc<ChatMessage>> {
        let skipped = self.kept.len().saturating_sub(limit);
        self.kept.iter().skip(skipped).map(|kept| kept.message.clone()).collect()
    }

    /// Is there a message of this id?
    pub(super) fn has(&self, id: &str) -> bool {
        self.kept.iter().any(|kept| &*kept.message.id == id)
    }

    /// Takes all messages of this id out of the store.
    pub(super) fn remove(&self, id: &str) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (store, log) = (Arc::clone(&self.store), self.log.clone());
        let meant = self.kept.iter().filter(|kept| &*kept.message.id == id);
        let sequences: Vec<_> = meant.map(|kept| kept.sequence).collect();
        async move {
            for sequence in sequences {
                store.remove(&log, sequence).await?;
            }
            Ok(())
        }
    }

    /// The store has them no more.
    pub(super) fn forget(&mut self, id: &str) {
        self.kept.retain(|kept| &*kept.message.id != id);
        self.bytes = self.kept.iter().map(|kept| kept.bytes).sum();
    }

    /// Takes all messages out of the store.
    pub(super) fn clear(&self) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (store, log) = (Arc::clone(&self.store), self.log.clone());
        async move { store.clear(&log).await.map(|_| ()) }
    }

    /// The store has none any more.
    pub(super) fn forget_all(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }
}

/// The newest messages of a room that does not live now.
pub(super) async fn of_the_past(
    store: &dyn Store,
    room: &str,
    limit: usize,
) -> Result<Vec<Arc<ChatMessage>>, StoreError> {
    let records = store.read(&Log::new(FAMILY, room), Span::newest(limit.min(MAX_HISTORY))).await?;
    Ok(records.iter().map(message_of).collect())
}

/// A message in the store, as JSON. What a later version adds is skipped, what an older one did not have is empty.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Line {
    id: String,
    /// As a client with a token sees them: `alice`, `bus:alice`.
    author: String,
    name: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<String>,
    /// In base64: a frame that is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_frame: Option<String>,
}

fn encode(message: &ChatMessage) -> Result<Bytes, StoreError> {
    let frame = message.frame.as_ref();
    let text = frame.and_then(|frame| std::str::from_utf8(frame).ok());
    let line = Line {
        id: message.id.to_string(),
        author: message.author.seen_from(Origin::Token).to_string(),
        name: message.name.clone(),
        text: message.text.clone(),
        frame: text.map(str::to_owned),
        binary_frame: frame.filter(|_| text.is_none()).map(|frame| STANDARD.encode(frame)),
    };
    serde_json::to_vec(&line).map(Bytes::from).map_err(|error| StoreError::Failed(error.to_string().into()))
}

/// A line that can't be read is an empty one: it has its place, and can be deleted.
fn message_of(record: &Record) -> Arc<ChatMessage> {
    let line: Line = serde_json::from_slice(&record.value).unwrap_or_default();
    let binary = line.binary_frame.and_then(|frame| STANDARD.decode(frame).ok());
    Arc::new(ChatMessage {
        id: line.id.into(),
        at_ms: record.at_ms,
        author: Identity::named_by_token(&line.author),
        name: line.name,
        text: line.text,
        frame: line.frame.map(Bytes::from).or(binary.map(Bytes::from)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(frame: Option<&'static [u8]>) -> ChatMessage {
        let author = Identity { origin: Origin::Bus, id: "u1".into() };
        let (name, text) = ("Mako".to_owned(), "hello".to_owned());
        ChatMessage { id: "xykwphlsmcouazdg".into(), at_ms: 7, author, name, text, frame: frame.map(Into::into) }
    }

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        for frame in [None, Some(&b"{\"value\":\"hello\"}"[..]), Some(&[0xff, 0, 1][..])] {
            let message = kept(frame);
            let value = encode(&message).expect("JSON");
            let record = Record { sequence: 1, at_ms: 7, kind: String::new(), value };
            assert_eq!(*message_of(&record), message);
        }
    }

    #[test]
    fn a_line_of_another_version_is_read_as_far_as_it_goes() {
        let value = Bytes::from_static(b"{\"id\":\"a\",\"text\":\"hi\",\"colour\":3}");
        let message = message_of(&Record { sequence: 1, at_ms: 1, kind: String::new(), value });
        assert_eq!((&*message.id, &*message.text, &*message.name), ("a", "hi", ""));
    }
}
