//! What waits for one client, and who takes it: polls, or a WebSocket. Whoever puts something in never waits.

use super::super::limits::MAX_WAITING;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// One packet, as both transports write it; its bytes are shared by all who get it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outgoing {
    /// With its type of Engine.IO before it.
    Text(Bytes),
    /// An attachment.
    Binary(Bytes),
}

impl Outgoing {
    /// A Socket.IO packet.
    pub(crate) fn socket_io(packet: &str) -> Self {
        Self::Text(format!("4{packet}").into())
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// Who takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reader {
    /// The poll with this number; older ones are answered with nothing.
    Poll(u64),
    /// Nobody: the client changes to a WebSocket.
    Upgrading,
    /// The WebSocket.
    Socket,
}

/// What a reader gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// This, in order.
    Packets(Vec<Outgoing>),
    /// Nothing: another one takes now.
    NotYours,
    /// Nothing any more.
    Closed,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Outbox {
    // Touched once a packet, never held across an await.
    queue: Mutex<Queue>,
    came: Notify,
    cut: Notify,
    max_bytes: usize,
}

#[derive(Debug)]
struct Queue {
    packets: VecDeque<Outgoing>,
    bytes: usize,
    reader: Reader,
    /// Nothing more comes in.
    closed: bool,
    /// It was too slow.
    cut: bool,
}

impl Outbox {
    pub(crate) fn new(max_bytes: usize, reader: Reader) -> Arc<Self> {
        let queue = Queue { packets: VecDeque::new(), bytes: 0, reader, closed: false, cut: false };
        Arc::new(Self { queue: Mutex::new(queue), came: Notify::new(), cut: Notify::new(), max_bytes })
    }

    /// Puts packets in, all or none. Where there is no place the client is cut; nobody waits for it.
    pub(crate) fn push(&self, packets: &[Outgoing]) {
        let mut queue = self.queue();
        if queue.closed {
            return;
        }
        let bytes: usize = packets.iter().map(Outgoing::len).sum();
        if queue.bytes + bytes > self.max_bytes || queue.packets.len() + packets.len() > MAX_WAITING {
            queue.cut();
            drop(queue);
            metrics::counter!("odeon_castaway_slow_clients_total").increment(1);
            self.cut.notify_one();
        } else {
            queue.bytes += bytes;
            queue.packets.extend(packets.iter().cloned());
            drop(queue);
        }
        self.came.notify_waiters();
    }

    /// One Socket.IO packet.
    pub(crate) fn say(&self, packet: &str) {
        self.push(&[Outgoing::socket_io(packet)]);
    }

    /// Nothing more comes; what waits is still taken.
    pub(crate) fn close(&self) {
        self.queue().closed = true;
        self.came.notify_waiters();
    }

    /// The client was too slow, or its network takes nothing.
    pub(crate) fn give_up(&self) {
        self.queue().cut();
        self.cut.notify_one();
        self.came.notify_waiters();
    }

    /// Waits until it was given up.
    pub(crate) async fn was_cut(&self) {
        self.cut.notified().await;
    }

    /// Another one takes from now on, if `may` says so of the one who does now.
    pub(crate) fn hand_over(&self, to: Reader, may: impl FnOnce(Reader) -> bool) -> bool {
        let mut queue = self.queue();
        let done = may(queue.reader);
        if done {
            queue.reader = to;
        }
        drop(queue);
        self.came.notify_waiters();
        done
    }

    /// What waits; waits until there is something. `max_bytes` are exceeded by the last packet at most.
    pub(crate) async fn take(&self, reader: Reader, max_bytes: usize) -> Taken {
        loop {
            let came = self.came.notified();
            tokio::pin!(came);
            came.as_mut().enable();
            if let Some(taken) = self.queue().take(reader, max_bytes) {
                return taken;
            }
            came.await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that is done under it can panic half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn cut(&mut self) {
        self.packets.clear();
        self.bytes = 0;
        self.closed = true;
        self.cut = true;
    }

    fn take(&mut self, reader: Reader, max_bytes: usize) -> Option<Taken> {
        if self.cut {
            return Some(Taken::Closed);
        }
        if self.reader != reader {
            return Some(Taken::NotYours);
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < max_bytes
            && let Some(packet) = self.packets.pop_front()
        {
            bytes += packet.len();
            taken.push(packet);
        }
        self.bytes -= bytes;
        match (taken.is_empty(), self.closed) {
            (false, _) => Some(Taken::Packets(taken)),
            (true, true) => Some(Taken::Closed),
            (true, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::poll_immediate;

    fn text(text: &str) -> Outgoing {
        Outgoing::Text(text.to_owned().into())
    }

    #[tokio::test]
    async fn what_waits_is_taken_in_order_and_by_one_reader_only() {
        let outbox = Outbox::new(100, Reader::Poll(1));
        outbox.push(&[text("a"), text("b")]);
        assert_eq!(outbox.take(Reader::Socket, 100).await, Taken::NotYours);
        assert_eq!(outbox.take(Reader::Poll(1), 1).await, Taken::Packets(vec![text("a")]));
        assert_eq!(outbox.take(Reader::Poll(1), 100).await, Taken::Packets(vec![text("b")]));
        let mut waiting = Box::pin(outbox.take(Reader::Poll(1), 100));
        assert!(poll_immediate(&mut waiting).await.is_none());
        assert!(outbox.hand_over(Reader::Upgrading, |now| now == Reader::Poll(1)));
        assert_eq!(waiting.await, Taken::NotYours);
    }

    // whoever is slow costs nobody anything.
    #[tokio::test]
    async fn q_7_more_than_may_wait_cuts_the_client() {
        let outbox = Outbox::new(4, Reader::Socket);
        outbox.push(&[text("abc")]);
        outbox.push(&[text("de")]);
        assert_eq!(outbox.take(Reader::Socket, 100).await, Taken::Closed);
        outbox.was_cut().await;
        outbox.push(&[text("f")]);
        assert_eq!(outbox.queue().bytes, 0, "nothing is held for it");
    }

    #[tokio::test]
    async fn what_was_said_before_the_end_is_still_taken() {
        let outbox = Outbox::new(100, Reader::Socket);
        outbox.say("x");
        outbox.close();
        assert_eq!(outbox.take(Reader::Socket, 100).await, Taken::Packets(vec![text("4x")]));
        assert_eq!(outbox.take(Reader::Socket, 100).await, Taken::Closed);
    }
}
