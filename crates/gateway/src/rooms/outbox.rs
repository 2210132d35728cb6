//! One session's outbox: ordered, bounded, written by its room's task alone. A socket that does not keep up is closed;
//! nobody else waits for it.

use super::limits::OUTBOX_EVENTS;
use super::outgoing::Outgoing;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// The room's end.
#[derive(Debug)]
pub(super) struct Outbox {
    events: mpsc::Sender<Arc<Outgoing>>,
    overflowed: Arc<AtomicBool>,
}

/// The socket's end.
#[derive(Debug)]
pub struct OutboxReceiver {
    events: mpsc::Receiver<Arc<Outgoing>>,
    overflowed: Arc<AtomicBool>,
}

/// The socket is too slow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overflow;

/// Both ends of a new outbox.
pub(super) fn outbox() -> (Outbox, OutboxReceiver) {
    with_capacity(OUTBOX_EVENTS)
}

fn with_capacity(events: usize) -> (Outbox, OutboxReceiver) {
    let (sender, receiver) = mpsc::channel(events);
    let overflowed = Arc::new(AtomicBool::new(false));
    let outbox = Outbox { events: sender, overflowed: overflowed.clone() };
    (outbox, OutboxReceiver { events: receiver, overflowed })
}

impl Outbox {
    /// Never waits. A socket that is gone takes everything in silence: its session will say so itself.
    pub(super) fn put(&self, event: Arc<Outgoing>) -> Result<(), Overflow> {
        match self.events.try_send(event) {
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.overflowed.store(true, Ordering::Release);
                Err(Overflow)
            }
        }
    }
}

impl OutboxReceiver {
    /// The next event. `None`: the session has ended, close the socket. What was put in before the end still comes,
    /// unless the socket was too slow for it.
    pub async fn recv(&mut self) -> Option<Arc<Outgoing>> {
        if self.was_too_slow() { None } else { self.events.recv().await }
    }

    /// The next event if it is there already: to write several at once.
    pub fn try_recv(&mut self) -> Option<Arc<Outgoing>> {
        if self.was_too_slow() { None } else { self.events.try_recv().ok() }
    }

    /// The session was ended because this outbox ran over (WebSocket close code 1013).
    pub fn was_too_slow(&self) -> bool {
        self.overflowed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use room::RoomEvent;

    fn event() -> Arc<Outgoing> {
        Arc::new(Outgoing::new(Arc::new(RoomEvent::SpeakersChanged(Vec::new()))))
    }

    #[tokio::test]
    async fn what_was_put_in_before_the_end_still_comes() {
        let (outbox, mut receiver) = with_capacity(2);
        outbox.put(event()).expect("room for it");
        drop(outbox);
        assert!(receiver.recv().await.is_some());
        assert!(receiver.recv().await.is_none());
        assert!(!receiver.was_too_slow());
    }

    #[tokio::test]
    async fn a_full_outbox_ends_at_once_and_says_why() {
        let (outbox, mut receiver) = with_capacity(2);
        assert_eq!([(); 3].map(|()| outbox.put(event())), [Ok(()), Ok(()), Err(Overflow)]);
        assert!(receiver.was_too_slow());
        assert!(receiver.recv().await.is_none(), "the socket closes now, not after what it could not take");
    }

    #[tokio::test]
    async fn a_socket_that_is_gone_is_not_slow() {
        let (outbox, receiver) = with_capacity(1);
        drop(receiver);
        assert_eq!([(); 3].map(|()| outbox.put(event())), [Ok(()); 3]);
    }
}
