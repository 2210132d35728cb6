//! The embedded engine: one SQLite file in the data folder.
//!
//! | module | what it does |
//! |---|---|
//! | `queue`, `job` | what waits, and who waits for it |
//! | `threads` | one thread writes, in batches; some read |
//! | `schema` | the file, its version and its health |
//! | `logs`, `tables` | the trait's words in SQL |
//! | `copy` | backups |

mod copy;
mod error;
mod job;
mod logs;
mod queue;
mod schema;
mod tables;
mod threads;

pub use copy::copy;
pub use error::OpenError;

use crate::limits::{MAX_READS, MAX_WAITING, MAX_WAITING_BYTES, READERS};
use crate::{
    Answer, Appended, Change, Document, Entry, Log, LogSize, Record, Retention, Row, Span, Store, StoreError, Table,
    check,
};
use job::job;
use queue::Queue;
use rusqlite::Connection;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use threads::Shared;

/// A store in a file, or in memory. Dropping it waits until what was asked for is written.
#[derive(Debug)]
pub struct Sqlite {
    writes: Arc<Queue>,
    reads: Arc<Queue>,
    readers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

impl Sqlite {
    /// Opens a file, and makes it where there is none. Blocks, for less than a second.
    ///
    /// # Errors
    /// It is damaged, a newer Odeon's or no Odeon's, or the system said no.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let writer = shared(schema::open_writer(path)?);
        let readers = (0..READERS).map(|_| schema::open_reader(path).map(shared)).collect::<Result<_, _>>()?;
        Self::start(writer, readers).map_err(|source| OpenError::Io { path: path.to_owned(), source })
    }

    /// One that is gone when it is dropped.
    ///
    /// # Errors
    /// The system said no.
    pub fn in_memory() -> Result<Self, OpenError> {
        let only = shared(schema::open_in_memory()?);
        Self::start(Arc::clone(&only), vec![only])
            .map_err(|source| OpenError::Io { path: Path::new(":memory:").to_owned(), source })
    }

    fn start(writer: Shared, readers: Vec<Shared>) -> io::Result<Self> {
        let writes = Arc::new(Queue::new(MAX_WAITING, MAX_WAITING_BYTES));
        let reads = Arc::new(Queue::new(MAX_READS, usize::MAX));
        // Made before its threads, so that those end also if one of them can't be started.
        let mut engine = Self { writes, reads, readers: Vec::new(), writer: None };
        engine.writer = Some(threads::writer(Arc::clone(&engine.writes), writer)?);
        for reader in readers {
            engine.readers.push(threads::reader(Arc::clone(&engine.reads), reader)?);
        }
        Ok(engine)
    }

    fn write<T: Send + 'static>(
        &self,
        checked: Result<(), StoreError>,
        bytes: usize,
        work: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'static, T> {
        ask(&self.writes, checked, bytes, work)
    }

    fn look<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'static, T> {
        ask(&self.reads, Ok(()), 0, work)
    }
}

fn shared(connection: Connection) -> Shared {
    Arc::new(Mutex::new(connection))
}

/// Queues work now; its answer is waited for.
fn ask<T: Send + 'static>(
    queue: &Queue,
    checked: Result<(), StoreError>,
    bytes: usize,
    work: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Answer<'static, T> {
    let (job, reply) = job(bytes, work);
    let queued = checked.and_then(|()| queue.push(job));
    Box::pin(async move {
        queued?;
        reply.await.unwrap_or_else(|_| Err(StoreError::closed()))
    })
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The one that writes goes last: only it can carry the log over into the file as it closes.
        self.reads.close();
        self.readers.drain(..).for_each(join);
        self.writes.close();
        self.writer.take().into_iter().for_each(join);
    }
}

fn join(thread: JoinHandle<()>) {
    // Its panics are contained; one that was not has been told on stderr.
    let _ = thread.join();
}

impl Store for Sqlite {
    fn append<'a>(&'a self, log: &Log, entry: Entry, retention: Retention) -> Answer<'a, Appended> {
        let checked = check::log(log).and_then(|()| check::entry(&entry));
        let (log, bytes) = (log.clone(), entry.value.len());
        self.write(checked, bytes, move |connection| logs::append(connection, &log, &entry, retention))
    }

    fn read<'a>(&'a self, log: &Log, span: Span) -> Answer<'a, Vec<Record>> {
        let log = log.clone();
        self.look(move |connection| logs::read(connection, &log, &span))
    }

    fn remove<'a>(&'a self, log: &Log, sequence: u64) -> Answer<'a, bool> {
        let log = log.clone();
        self.write(Ok(()), 0, move |connection| logs::remove(connection, &log, sequence))
    }

    fn clear<'a>(&'a self, log: &Log) -> Answer<'a, u64> {
        let log = log.clone();
        self.write(Ok(()), 0, move |connection| logs::clear(connection, &log))
    }

    fn logs<'a>(&'a self, family: &'static str, after: &str, limit: usize) -> Answer<'a, Vec<LogSize>> {
        let after = after.to_owned();
        self.look(move |connection| logs::sizes(connection, family, &after, limit))
    }

    fn get<'a>(&'a self, table: Table, key: &str) -> Answer<'a, Option<Document>> {
        let key = key.to_owned();
        self.look(move |connection| tables::get(connection, table, &key))
    }

    fn list<'a>(&'a self, table: Table, prefix: &str, after: &str, limit: usize) -> Answer<'a, Vec<Row>> {
        let (prefix, after) = (prefix.to_owned(), after.to_owned());
        self.look(move |connection| tables::list(connection, table, &prefix, &after, limit))
    }

    fn commit<'a>(&'a self, changes: Vec<Change>) -> Answer<'a, Vec<u64>> {
        let bytes = changes.iter().filter_map(|change| change.value.as_ref()).map(bytes::Bytes::len).sum();
        self.write(check::changes(&changes), bytes, move |connection| tables::commit(connection, &changes))
    }

    fn backup<'a>(&'a self, to: &Path) -> Answer<'a, ()> {
        let to = to.to_owned();
        self.look(move |connection| copy::into(connection, &to))
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
