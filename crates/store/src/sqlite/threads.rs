//! The engine's threads: one writes, some read.
//!
//! The writer takes everything that waits and commits it in one transaction, so that the cost of reaching stable storage
//! is shared by all who waited. A batch is kept whole or not at all.

use super::job::Job;
use super::queue::Queue;
use crate::StoreError;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// A connection, used by one thread at a time: all threads of a store in memory share one.
pub(super) type Shared = Arc<Mutex<Connection>>;

/// Starts the thread that writes. It ends when `queue` is closed and empty.
pub(super) fn writer(queue: Arc<Queue>, connection: Shared) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("store-writer".into()).spawn(move || {
        let mut health = Health::default();
        loop {
            let batch = queue.take_all();
            if batch.is_empty() {
                return;
            }
            write(batch, &lock(&connection), &mut health);
        }
    })
}

/// Starts a thread that reads. It ends when `queue` is closed and empty.
pub(super) fn reader(queue: Arc<Queue>, connection: Shared) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("store-reader".into()).spawn(move || {
        while let Some(mut job) = queue.take_one() {
            let done = contained(|| job.run(&lock(&connection)));
            job.answer(done);
        }
    })
}

fn lock(connection: &Shared) -> MutexGuard<'_, Connection> {
    // Whatever a panic left open is rolled back before the next use.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(mut batch: VecDeque<Box<dyn Job>>, connection: &Connection, health: &mut Health) {
    let outcome = contained(|| transact(&mut batch, connection));
    if outcome.is_err() && !connection.is_autocommit() {
        // If this fails too, the next BEGIN says so.
        let _ = connection.execute_batch("ROLLBACK");
    }
    metrics::counter!("odeon_store_commits_total").increment(1);
    metrics::counter!("odeon_store_writes_total").increment(batch.len() as u64);
    health.heard(&outcome);
    for job in batch {
        job.answer(outcome.clone());
    }
}

fn transact(batch: &mut VecDeque<Box<dyn Job>>, connection: &Connection) -> Result<(), StoreError> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for job in batch {
        job.run(connection)?;
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// A panic costs those who wait for this, and nobody else.
fn contained(work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::failed("it panicked: please report it")))
}

/// Tells the operator once that writing fails, and once that it works again.
#[derive(Default)]
struct Health {
    failing: bool,
}

impl Health {
    fn heard(&mut self, outcome: &Result<(), StoreError>) {
        match outcome {
            Err(error) => {
                metrics::counter!("odeon_store_failures_total").increment(1);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(%error, "what is said now is not kept: look at the disk of the data folder");
                }
            }
            Ok(()) if std::mem::take(&mut self.failing) => tracing::info!("the store works again"),
            Ok(()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tracing::span;

    /// Counts what is told.
    struct Counting(Arc<AtomicUsize>);

    impl tracing::Subscriber for Counting {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    // one clear log line.
    #[test]
    fn q_10_a_failing_disk_is_told_once_and_its_end_too() {
        let told = Arc::new(AtomicUsize::new(0));
        let _guard = tracing::subscriber::set_default(Counting(Arc::clone(&told)));
        let mut health = Health::default();
        let failed = || Err(StoreError::failed("database or disk is full"));
        for (outcome, so_far) in
            [(Ok(()), 0), (failed(), 1), (failed(), 1), (Ok(()), 2), (Ok(()), 2), (failed(), 3), (Ok(()), 4)]
        {
            health.heard(&outcome);
            assert_eq!(told.load(Ordering::Relaxed), so_far);
        }
    }
}
