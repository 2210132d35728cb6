//! The operators' events: documents of the store, and all of them in memory.

use super::draft::Draft;
use super::limits::{MAX_OWN, MAX_OWN_BYTES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Change, Expect, Store, StoreError, Table};
use wire::calendar::{Series, Tz};

/// The table of the schedule.
pub(super) const TABLE: Table = Table("schedule");

/// What the keys of events begin with.
const PREFIX: &str = "event/";

/// Rows that are read at a time.
const PAGE: usize = 500;

/// An event as it is kept, and as operators read it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) id: String,
    /// Unix milliseconds.
    pub(super) changed: i64,
    #[serde(flatten)]
    pub(super) draft: Draft,
}

/// Why a change was not made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum NotChanged {
    #[error("there is no such event")]
    NoSuchEvent,
    #[error("the schedule is full: delete events that are over")]
    Full,
    #[error("the schedule could not be stored, try again: {0}")]
    Store(#[from] StoreError),
}

/// A kept event, and the bytes that it is.
type Entry = (Arc<Kept>, usize);

/// All of them. Changes are made one after the other.
#[derive(Debug)]
pub(super) struct Own {
    store: Arc<dyn Store>,
    /// Never held across an await.
    events: Mutex<BTreeMap<String, Entry>>,
    changing: tokio::sync::Mutex<()>,
}

impl Own {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, events: Mutex::default(), changing: tokio::sync::Mutex::default() }
    }

    fn events(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what the store has.
    pub(super) async fn load(&self, zone: Tz) -> Result<Vec<Series>, StoreError> {
        let mut after = String::new();
        loop {
            let rows = self.store.list(TABLE, PREFIX, &after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            for row in &rows {
                match serde_json::from_slice::<Kept>(&row.document.value) {
                    Ok(kept) => {
                        let bytes = row.document.value.len();
                        self.events().insert(kept.id.clone(), (Arc::new(kept), bytes));
                    }
                    Err(error) => tracing::warn!(key = row.key, %error, "an event of the schedule can't be read"),
                }
            }
        }
        Ok(self.series(zone))
    }

    pub(super) fn all(&self) -> Vec<Arc<Kept>> {
        self.events().values().map(|(kept, _)| Arc::clone(kept)).collect()
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Kept>> {
        self.events().get(id).map(|(kept, _)| Arc::clone(kept))
    }

    pub(super) fn series(&self, zone: Tz) -> Vec<Series> {
        self.all().iter().filter_map(|kept| kept.draft.series(&kept.id, kept.changed, zone)).collect()
    }

    /// Keeps an event; one that `is_new` is not there yet, others are.
    pub(super) async fn put(&self, kept: Kept, is_new: bool) -> Result<Arc<Kept>, NotChanged> {
        let _turn = self.changing.lock().await;
        let value = serde_json::to_vec(&kept).map_err(|error| StoreError::failed(error.to_string()))?;
        self.check_place(&kept.id, value.len(), is_new)?;
        let (bytes, kept) = (value.len(), Arc::new(kept));
        let expect = if is_new { Expect::Absent } else { Expect::Present };
        self.store.commit(vec![Change::put(TABLE, key(&kept.id), value).expecting(expect)]).await?;
        self.events().insert(kept.id.clone(), (Arc::clone(&kept), bytes));
        Ok(kept)
    }

    fn check_place(&self, id: &str, bytes: usize, is_new: bool) -> Result<(), NotChanged> {
        let events = self.events();
        if !is_new && !events.contains_key(id) {
            return Err(NotChanged::NoSuchEvent);
        }
        let others = events.iter().filter(|(other, _)| *other != id);
        let (count, held) = others.fold((0, 0), |(count, held), (_, (_, bytes))| (count + 1, held + bytes));
        if count < MAX_OWN && held + bytes <= MAX_OWN_BYTES { Ok(()) } else { Err(NotChanged::Full) }
    }

    pub(super) async fn delete(&self, id: &str) -> Result<(), NotChanged> {
        let _turn = self.changing.lock().await;
        if self.get(id).is_none() {
            return Err(NotChanged::NoSuchEvent);
        }
        self.store.commit(vec![Change::delete(TABLE, key(id))]).await?;
        self.events().remove(id);
        Ok(())
    }
}

fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}
