//! What the bus keeps in the store: messages that ask for it (E-14), likes and hearts (E-09, E-10).

use super::Elektron;
use super::limits::{LIKES, MAX_SYNC, MAX_SYNC_BYTES};
use crate::clock;
use bytes::Bytes;
use store::limits::MAX_PAGE;
use store::{Entry, Log, Record, Span, StoreError};

/// Messages of a room; those without a room are in the log without a name.
const MESSAGES: &str = "messages";

/// Likes and hearts of a room.
const LIKES_FAMILY: &str = "likes";

/// Stores a message, JSON; its sequence.
pub(super) async fn keep(elektron: &Elektron, room: &str, kind: &str, value: Bytes) -> Result<u64, StoreError> {
    let entry = Entry { at_ms: clock::unix_ms(), kind: kind.to_owned(), value };
    let appended = elektron.store.append(&Log::new(MESSAGES, room), entry, elektron.config.kept).await?;
    Ok(appended.sequence)
}

/// Forgets a message that was stored, and that nobody is told.
pub(super) async fn take_back(elektron: &Elektron, room: &str, sequence: u64) -> Result<(), StoreError> {
    elektron.store.remove(&Log::new(MESSAGES, room), sequence).await.map(drop)
}

/// Stores a like or a heart.
pub(super) async fn like(elektron: &Elektron, room: &str, value: Bytes) -> Result<(), StoreError> {
    let entry = Entry { at_ms: clock::unix_ms(), kind: String::new(), value };
    elektron.store.append(&Log::new(LIKES_FAMILY, room), entry, LIKES).await.map(drop)
}

/// The newest likes and hearts, oldest first.
pub(super) async fn likes(elektron: &Elektron, room: &str) -> Result<Vec<Bytes>, StoreError> {
    let records = elektron.store.read(&Log::new(LIKES_FAMILY, room), Span::newest(MAX_SYNC)).await?;
    Ok(records.into_iter().map(|record| record.value).collect())
}

/// The newest that are not too much together, oldest first.
pub(super) fn newest(messages: &[Bytes]) -> impl Iterator<Item = &[u8]> {
    let mut bytes = 0;
    let fits = |message: &&Bytes| {
        bytes += message.len();
        bytes <= MAX_SYNC_BYTES
    };
    let count = messages.iter().rev().take_while(fits).count();
    messages[messages.len() - count..].iter().map(|message| &**message)
}

/// Which stored messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Of this room.
    pub(super) room: Option<String>,
    /// Of this type.
    pub(super) kind: Option<String>,
}

/// Stored messages of the rooms that `may` lets through, oldest first.
pub(super) async fn messages(
    elektron: &Elektron,
    wanted: &Wanted,
    may: impl Fn(&str) -> bool,
) -> Result<Vec<Record>, StoreError> {
    let mut all = Vec::new();
    for log in logs(elektron, wanted.room.as_deref()).await? {
        if may(&log.name) {
            let span = Span { kind: wanted.kind.clone(), ..Span::newest(MAX_PAGE) };
            all.extend(elektron.store.read(&log, span).await?);
        }
    }
    // Within a room they are in order already, and a stable sort keeps that.
    all.sort_by_key(|record| record.at_ms);
    Ok(all)
}

/// Empties the logs of the rooms that `may` lets through; says how many messages went.
pub(super) async fn clear(elektron: &Elektron, may: impl Fn(&str) -> bool) -> Result<u64, StoreError> {
    let mut gone = 0;
    for log in logs(elektron, None).await? {
        if may(&log.name) {
            gone += elektron.store.clear(&log).await?;
        }
    }
    Ok(gone)
}

async fn logs(elektron: &Elektron, room: Option<&str>) -> Result<Vec<Log>, StoreError> {
    if let Some(room) = room {
        return Ok(vec![Log::new(MESSAGES, room)]);
    }
    let mut logs: Vec<Log> = Vec::new();
    loop {
        // What is said without a room is in the log without a name, which comes after no other.
        let after = logs.last().map_or("", |log| &*log.name);
        let page = elektron.store.logs(MESSAGES, after, MAX_PAGE).await?;
        let last = page.len() < MAX_PAGE;
        logs.extend(page.into_iter().map(|size| Log { family: MESSAGES, name: size.name }));
        if last {
            break;
        }
    }
    if !logs.iter().any(|log| log.name.is_empty()) {
        logs.push(Log::new(MESSAGES, ""));
    }
    Ok(logs)
}
