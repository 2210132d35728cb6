//! What waits for a thread of the engine: bounded, and refused beyond that.

use super::job::Job;
use crate::StoreError;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs between callers and threads. Callers never wait here: they are refused.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    max_jobs: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Box<dyn Job>>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Takes so many jobs, and so many bytes in them.
    pub(super) fn new(max_jobs: usize, max_bytes: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), max_jobs, max_bytes }
    }

    /// Adds a job. One that is larger than everything that may wait is taken while nothing else waits.
    ///
    /// # Errors
    /// Overloaded, or closed.
    pub(super) fn push(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        let bytes = waiting.bytes + job.bytes();
        if waiting.closed {
            return Err(StoreError::closed());
        }
        if waiting.jobs.len() >= self.max_jobs || (bytes > self.max_bytes && !waiting.jobs.is_empty()) {
            return Err(StoreError::Overloaded);
        }
        waiting.bytes = bytes;
        waiting.jobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Everything that waits, as soon as anything does; nothing once the queue is closed and empty.
    pub(super) fn take_all(&self) -> VecDeque<Box<dyn Job>> {
        let mut waiting = self.lock_when_any();
        waiting.bytes = 0;
        std::mem::take(&mut waiting.jobs)
    }

    /// What waits longest, as soon as anything does; `None` once the queue is closed and empty.
    pub(super) fn take_one(&self) -> Option<Box<dyn Job>> {
        let mut waiting = self.lock_when_any();
        let job = waiting.jobs.pop_front()?;
        waiting.bytes -= job.bytes();
        Some(job)
    }

    /// Takes no more. What waits is still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that can panic happens while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_when_any(&self) -> MutexGuard<'_, Waiting> {
        let idle = |waiting: &mut Waiting| waiting.jobs.is_empty() && !waiting.closed;
        self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner)
    }
}
