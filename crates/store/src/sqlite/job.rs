//! Something to be done on a connection, and whoever waits for its answer.

use crate::StoreError;
use rusqlite::Connection;
use std::fmt::{self, Debug, Formatter};
use tokio::sync::oneshot;

/// What a caller will be answered.
pub(super) type Reply<T> = oneshot::Receiver<Result<T, StoreError>>;

/// A piece of work for a thread of the engine. Its answer is given apart from doing it: a write's comes after the commit.
pub(super) trait Job: Send + Debug {
    /// Does it, and keeps the answer.
    ///
    /// # Errors
    /// The engine failed, so that nothing of the transaction around it can be kept.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Gives the answer to whoever waits: its own, or that all was in vain.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);

    /// Memory that it holds while it waits.
    fn bytes(&self) -> usize;
}

/// A job out of a function. A refusal ([`StoreError::Conflict`]) must come before it has written anything.
pub(super) fn job<T: Send + 'static>(
    bytes: usize,
    work: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> (Box<dyn Job>, Reply<T>) {
    let (reply, answer) = oneshot::channel();
    (Box::new(Work { bytes, work, done: None, reply }), answer)
}

struct Work<T, F> {
    bytes: usize,
    work: F,
    done: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Debug for Work<T, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, StoreError> + Send> Job for Work<T, F> {
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let done = (self.work)(connection);
        if let Err(StoreError::Failed(reason)) = &done {
            return Err(StoreError::Failed(reason.clone()));
        }
        self.done = Some(done);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { done, reply, .. } = *self;
        // Who has stopped waiting does not want to know.
        let _ = reply.send(outcome.and_then(|()| done.unwrap_or_else(|| Err(StoreError::failed("not done")))));
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}
