//! What waits for one socket: messages in their order, and beside them what only the newest of counts. Written by the hub,
//! which never waits; emptied by the socket's task.

use super::limits::{
    OUTBOX_BYTES, OUTBOX_FRAMES, OUTBOX_IMAGE_BYTES, SLOW_BYTES, SLOW_FRAMES, WRITE_BYTES, WRITE_FRAMES,
};
use bus::{Lane, SourceKey};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use indexmap::IndexMap;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Why a socket is to be closed, once it has been written what waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// An operator has removed its user.
    Removed,
    /// The server goes down.
    GoingAway,
    /// The hub has failed, and begins anew.
    Restart,
    /// It has said what it may not, or too much.
    Unbearable,
    /// Too much waited: what waits is not written any more.
    TooSlow,
}

/// The outbox.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Waiting {
    ordered: VecDeque<Item>,
    bytes: usize,
    /// Number of the first in `ordered`, counted from the socket's beginning.
    first: u64,
    /// Where the last step of those waits who move, while the socket is slow.
    steps: HashMap<SourceKey, u64>,
    images: IndexMap<SourceKey, Bytes>,
    image_bytes: usize,
    channels: Option<Bytes>,
    ending: Option<Ending>,
    /// The socket's task knows that something waits.
    awake: bool,
}

#[derive(Debug)]
struct Item {
    frame: Bytes,
    step_of: Option<SourceKey>,
}

impl Outbox {
    /// Never waits. A socket that is too slow is marked so, and takes nothing any more.
    pub(super) fn push(&self, frame: Bytes, lane: Lane) {
        let mut waiting = self.waiting();
        if waiting.ending.is_none() {
            waiting.push(frame, lane);
        }
        self.wake(waiting);
    }

    /// Closes the socket, once what waits is written.
    pub(super) fn end(&self, ending: Ending) {
        let mut waiting = self.waiting();
        waiting.ending.get_or_insert(ending);
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let asleep = !std::mem::replace(&mut waiting.awake, true);
        drop(waiting);
        if asleep {
            self.waker.wake();
        }
    }

    /// Who is to be woken when something comes.
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Too much has waited.
    pub(super) fn is_too_slow(&self) -> bool {
        self.waiting().ending == Some(Ending::TooSlow)
    }

    /// Takes as much as one system call writes. When nothing is left, why the socket is to be closed, if it is.
    pub(super) fn take(&self, batch: &mut VecDeque<Bytes>) -> Option<Ending> {
        let mut waiting = self.waiting();
        if waiting.ending == Some(Ending::TooSlow) {
            return waiting.ending;
        }
        waiting.take(batch);
        if !batch.is_empty() {
            return None;
        }
        waiting.awake = false;
        waiting.ending
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Only whole steps are taken under it; a panic between two of them loses one message at most.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, frame: Bytes, lane: Lane) {
        match lane {
            Lane::Channels => self.channels = Some(frame),
            Lane::Newest(source) => self.put_image(source, frame),
            Lane::Last(source) => {
                self.drop_image(source);
                self.put(frame, None);
            }
            Lane::Move(source) => self.put_step(source, frame),
            Lane::Ordered => self.put(frame, None),
        }
    }

    fn put(&mut self, frame: Bytes, step_of: Option<SourceKey>) {
        let full = self.ordered.len() >= OUTBOX_FRAMES || self.bytes + frame.len() > OUTBOX_BYTES;
        if full && !self.ordered.is_empty() {
            metrics::counter!("odeon_bus_slow_sockets_total").increment(1);
            // Asleep, so that its task is woken: it waits for a stream that takes nothing.
            *self = Self { ending: Some(Ending::TooSlow), ..Self::default() };
            return;
        }
        self.bytes += frame.len();
        self.ordered.push_back(Item { frame, step_of });
    }

    /// A slow socket gets the last step only, in the place of the one before: where somebody is it also learns from
    /// CHANNELS_UPDATED.
    fn put_step(&mut self, source: SourceKey, frame: Bytes) {
        let slow = self.ordered.len() >= SLOW_FRAMES || self.bytes >= SLOW_BYTES;
        if !slow {
            return self.put(frame, None);
        }
        let before = self.steps.get(&source).and_then(|number| usize::try_from(number - self.first).ok());
        if let Some(item) = before.and_then(|at| self.ordered.get_mut(at)) {
            self.bytes = self.bytes - item.frame.len() + frame.len();
            item.frame = frame;
            return;
        }
        self.steps.insert(source, self.first + self.ordered.len() as u64);
        self.put(frame, Some(source));
    }

    fn put_image(&mut self, source: SourceKey, frame: Bytes) {
        self.image_bytes += frame.len();
        if let Some(older) = self.images.insert(source, frame) {
            self.image_bytes -= older.len();
        }
        while self.image_bytes > OUTBOX_IMAGE_BYTES && self.images.len() > 1 {
            let oldest = usize::from(self.images.get_index(0).is_some_and(|(first, _)| *first == source));
            self.image_bytes -= self.images.shift_remove_index(oldest).map_or(0, |(_, frame)| frame.len());
        }
    }

    fn drop_image(&mut self, source: SourceKey) {
        if let Some(frame) = self.images.shift_remove(&source) {
            self.image_bytes -= frame.len();
        }
    }

    fn take(&mut self, batch: &mut VecDeque<Bytes>) {
        let mut bytes = 0;
        while batch.len() < WRITE_FRAMES && bytes < WRITE_BYTES {
            let Some(frame) = self.pop() else { break };
            bytes += frame.len();
            batch.push_back(frame);
        }
        // What is beside the order goes after all that is in it, or it would tell of a join before the join.
        if self.ordered.is_empty() {
            batch.extend(self.channels.take());
            while batch.len() < WRITE_FRAMES && bytes < WRITE_BYTES {
                let Some((_, frame)) = self.images.shift_remove_index(0) else { break };
                self.image_bytes -= frame.len();
                bytes += frame.len();
                batch.push_back(frame);
            }
        }
    }

    fn pop(&mut self) -> Option<Bytes> {
        let item = self.ordered.pop_front()?;
        if let Some(source) = item.step_of {
            self.steps.remove(&source);
        }
        self.first += 1;
        self.bytes -= item.frame.len();
        Some(item.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn big(bytes: usize) -> Bytes {
        vec![b'x'; bytes].into()
    }

    fn taken(outbox: &Outbox) -> Vec<String> {
        let (mut all, mut batch) = (Vec::new(), VecDeque::new());
        while outbox.take(&mut batch).is_none() && !batch.is_empty() {
            all.extend(batch.drain(..).map(|frame| String::from_utf8_lossy(&frame).into_owned()));
        }
        all
    }

    #[test]
    fn e_11_the_newest_image_counts_and_chat_never_waits_for_one() {
        // E-11
        let outbox = Outbox::default();
        let [one, two] = [SourceKey(1), SourceKey(2)];
        outbox.push(frame("image 1a"), Lane::Newest(one));
        outbox.push(frame("chat"), Lane::Ordered);
        outbox.push(frame("image 2a"), Lane::Newest(two));
        outbox.push(frame("image 1b"), Lane::Newest(one));
        assert_eq!(taken(&outbox), ["chat", "image 1b", "image 2a"]);
    }

    #[test]
    fn e_11_after_the_last_no_image_comes() {
        // E-11
        let outbox = Outbox::default();
        outbox.push(frame("image"), Lane::Newest(SourceKey(1)));
        outbox.push(frame("leave"), Lane::Last(SourceKey(1)));
        assert_eq!(taken(&outbox), ["leave"]);
    }

    #[test]
    fn e_03_only_the_newest_channels_wait_and_they_come_after_what_they_tell_of() {
        // E-03, E-02
        let outbox = Outbox::default();
        outbox.push(frame("channels 1"), Lane::Channels);
        outbox.push(frame("join"), Lane::Ordered);
        outbox.push(frame("channels 2"), Lane::Channels);
        assert_eq!(taken(&outbox), ["join", "channels 2"]);
    }

    #[test]
    fn e_06_every_step_comes_unless_the_socket_is_slow() {
        // E-06
        let outbox = Outbox::default();
        let step = |number: usize| outbox.push(frame(&format!("step {number}")), Lane::Move(SourceKey(1)));
        (0..SLOW_FRAMES).for_each(step);
        let waiting = taken(&outbox);
        assert_eq!(waiting.len(), SLOW_FRAMES, "all of them");
        (0..SLOW_FRAMES).for_each(step);
        outbox.push(frame("chat"), Lane::Ordered);
        (0..100).for_each(step);
        let waiting = taken(&outbox);
        assert_eq!(waiting.len(), SLOW_FRAMES + 2);
        assert_eq!(waiting[SLOW_FRAMES..], ["chat", "step 99"]);
        step(7);
        assert_eq!(taken(&outbox), ["step 7"]);
    }

    #[test]
    fn q_7_what_waits_is_bounded_in_bytes_and_number() {
        //
        for (size, fits) in [(1024, OUTBOX_BYTES / 1024), (10, OUTBOX_FRAMES)] {
            let outbox = Outbox::default();
            (0..fits).for_each(|_| outbox.push(big(size), Lane::Ordered));
            assert_eq!(outbox.waiting().ending, None, "{size}");
            outbox.push(big(size), Lane::Ordered);
            assert_eq!(outbox.take(&mut VecDeque::new()), Some(Ending::TooSlow), "{size}");
            assert_eq!(outbox.waiting().bytes, 0, "nothing is held for it");
            outbox.push(big(size), Lane::Ordered);
            assert_eq!(outbox.waiting().ordered.len(), 0);
        }
    }

    #[test]
    fn the_largest_message_is_taken_when_nothing_else_waits() {
        let outbox = Outbox::default();
        outbox.push(big(2 * OUTBOX_BYTES), Lane::Ordered);
        assert_eq!(outbox.waiting().ending, None);
        outbox.push(frame("one more"), Lane::Ordered);
        assert_eq!(outbox.waiting().ending, Some(Ending::TooSlow));
    }

    #[test]
    fn e_11_pictures_are_bounded_and_the_oldest_is_left_out() {
        // E-11
        let outbox = Outbox::default();
        let size = OUTBOX_IMAGE_BYTES / 4;
        (0..10).for_each(|source| outbox.push(big(size), Lane::Newest(SourceKey(source))));
        let kept: Vec<_> = outbox.waiting().images.keys().map(|source| source.0).collect();
        assert_eq!(kept, [6, 7, 8, 9]);
        outbox.push(big(2 * OUTBOX_IMAGE_BYTES), Lane::Newest(SourceKey(6)));
        let kept: Vec<_> = outbox.waiting().images.keys().map(|source| source.0).collect();
        assert_eq!(kept, [6], "the newest stays, however large");
        outbox.push(frame("small"), Lane::Newest(SourceKey(6)));
        assert_eq!(outbox.waiting().image_bytes, 5);
    }

    #[test]
    fn a_write_is_bounded_and_the_end_comes_after_all() {
        let outbox = Outbox::default();
        (0..WRITE_FRAMES + 1).for_each(|_| outbox.push(frame("small"), Lane::Ordered));
        outbox.end(Ending::Removed);
        outbox.push(frame("too late"), Lane::Ordered);
        let mut batch = VecDeque::new();
        for expected in [(WRITE_FRAMES, None), (1, None), (0, Some(Ending::Removed))] {
            let ending = outbox.take(&mut batch);
            assert_eq!((batch.len(), ending), expected);
            batch.clear();
        }
    }
}
