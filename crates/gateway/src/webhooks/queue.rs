//! What waits for a URL: so many events and so many bytes, and no more.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{mpsc, watch};

/// Events that wait in one lane: a crowd of some hundred that joins one room while its receiver restarts.
const LANE_EVENTS: usize = 512;

/// Bytes that wait for one URL, in all its lanes: an event of a room with the longest metadata has half a MiB.
const URL_BYTES: usize = 32 * 1024 * 1024;

/// One URL's.
#[derive(Debug)]
pub(super) struct Queue {
    bytes: Arc<AtomicUsize>,
    closing: watch::Receiver<bool>,
}

impl Queue {
    pub(super) fn new(closing: watch::Receiver<bool>) -> Self {
        Self { bytes: Arc::default(), closing }
    }

    pub(super) fn lane(&self) -> (Sender, Receiver) {
        let (events, receiver) = mpsc::channel(LANE_EVENTS);
        let sender = Sender { events, bytes: Arc::clone(&self.bytes), overflowing: AtomicBool::new(false) };
        (sender, Receiver { events: receiver, closing: self.closing.clone() })
    }
}

/// Where a room puts its events.
#[derive(Debug)]
pub(super) struct Sender {
    events: mpsc::Sender<Waiting>,
    bytes: Arc<AtomicUsize>,
    /// So that it is told once, not for each event.
    overflowing: AtomicBool,
}

impl Sender {
    /// Never waits: what finds no place is dropped and counted.
    pub(super) fn put(&self, body: Bytes) {
        let share = Share::take(&self.bytes, body.len());
        let put = share.map(|share| self.events.try_send(Waiting { body, _share: share }));
        let dropped = !matches!(put, Some(Ok(())));
        if dropped {
            metrics::counter!("odeon_webhooks_dropped_total").increment(1);
        }
        if dropped && !self.overflowing.swap(true, Ordering::Relaxed) {
            tracing::warn!("a webhook's receiver is too slow: events are dropped");
        } else if !dropped {
            self.overflowing.store(false, Ordering::Relaxed);
        }
    }
}

/// Where a lane takes them.
#[derive(Debug)]
pub(super) struct Receiver {
    events: mpsc::Receiver<Waiting>,
    closing: watch::Receiver<bool>,
}

impl Receiver {
    /// The next one; `None` once it closes and nothing waits any more.
    pub(super) async fn next(&mut self) -> Option<Waiting> {
        tokio::select! {
            biased;
            event = self.events.recv() => event,
            // An end that can't be announced any more is one, too.
            _ = self.closing.wait_for(|closing| *closing) => self.events.try_recv().ok(),
        }
    }
}

/// An event that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) body: Bytes,
    _share: Share,
}

/// Of a URL's bytes; given back when dropped.
#[derive(Debug)]
struct Share {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Share {
    fn take(all: &Arc<AtomicUsize>, bytes: usize) -> Option<Self> {
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= URL_BYTES);
        all.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).ok()?;
        Some(Self { all: Arc::clone(all), bytes })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn l_58_a_queue_is_bounded_in_events_and_bytes_and_takes_again_what_was_given_back() {
        let closing = watch::Sender::new(false);
        let queue = Queue::new(closing.subscribe());
        let (few, mut taker) = queue.lane();
        (0..LANE_EVENTS + 10).for_each(|_| few.put(Bytes::from_static(b"x")));
        let (heavy, mut heavy_taker) = queue.lane();
        let heavy_body = Bytes::from(vec![0; URL_BYTES / 2]);
        (0..3).for_each(|_| heavy.put(heavy_body.clone()));
        closing.send_replace(true);
        let mut count = 0;
        while taker.next().await.is_some() {
            count += 1;
        }
        assert_eq!(count, LANE_EVENTS);
        assert!(heavy_taker.next().await.is_some() && heavy_taker.next().await.is_none(), "one fits beside the few");
        assert_eq!(queue.bytes.load(Ordering::Relaxed), 0);
    }
}
