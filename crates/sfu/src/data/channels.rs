//! A peer's data channels: what they are for, what waits for them, what has come by them.

use super::allowance::Allowance;
use super::chat::ChatGate;
use super::dialect::CallAnswer;
use super::latency::LatencyGate;
use room::TrackSid;
use room::media::Target;
use rtc::ChannelId;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// What a reliable receiver may be behind before it is cut: 60 full messages.
const RELIABLE_BACKLOG_BYTES: usize = 4 * 1024 * 1024;
/// What is kept for a receiver whose channel is not open yet: 16 full messages. Who never opens one is no slow reader, so
/// beyond this the oldest go.
const HELD_BYTES: usize = 1024 * 1024;
/// Channels that one connection may open: three are used, some clients open one for each topic.
const MAX_CHANNELS: usize = 64;
/// Calls of the server's own to one client that may be open at a time; beyond it the oldest go unanswered.
const MAX_CALLS: usize = 64;

/// What a channel's label says it is for (livekit.md 2.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Reliable,
    Lossy,
    DataTrack,
    /// A label of the client's own: messages are passed on as they are.
    Raw,
}

impl Purpose {
    fn of(label: &str) -> Self {
        match label {
            "_reliable" => Purpose::Reliable,
            "_lossy" => Purpose::Lossy,
            "_data_track" => Purpose::DataTrack,
            _ => Purpose::Raw,
        }
    }
}

/// A message that waits, or a part of a packet that is one.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    bytes: Arc<[u8]>,
    part: Range<usize>,
}

impl Queued {
    pub(crate) fn whole(bytes: &Arc<[u8]>) -> Self {
        Self { part: 0..bytes.len(), bytes: Arc::clone(bytes) }
    }

    pub(crate) fn message(&self) -> &[u8] {
        self.bytes.get(self.part.clone()).unwrap_or_default()
    }

    pub(crate) fn part(bytes: &Arc<[u8]>, part: Range<usize>) -> Self {
        Self { bytes: Arc::clone(bytes), part }
    }
}

/// How a backlog is after one more message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Backlog {
    Fits,
    /// So many of the oldest were dropped.
    Dropped(u64),
    /// The reader is too slow.
    Full,
}

/// A peer's data channels.
#[derive(Debug)]
pub(crate) struct Channels {
    open: Vec<(Target, ChannelId, Purpose)>,
    /// Reliable packets that wait for room in the channel, or for the channel.
    backlog: VecDeque<Queued>,
    backlog_bytes: usize,
    /// The sequence of the last reliable packet that was taken from the client.
    last_taken: u32,
    /// Packets of the room that are older than this were never given to the peer ([`super::recent`]).
    pub(crate) since: u64,
    pub(crate) allowance: Allowance,
    pub(crate) chat: ChatGate,
    calls: VecDeque<String>,
    /// Data tracks that the client publishes, by its own numbers.
    pub(crate) published: Vec<(u16, TrackSid)>,
    /// Data tracks that it receives.
    pub(crate) received: Vec<TrackSid>,
    pub(crate) gate: LatencyGate,
}

impl Channels {
    /// None open yet. `since`: the number of the room's next packet.
    pub(crate) fn new(since: u64) -> Self {
        Self {
            open: Vec::new(),
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            last_taken: 0,
            since,
            allowance: Allowance::default(),
            chat: ChatGate::default(),
            calls: VecDeque::new(),
            published: Vec::new(),
            received: Vec::new(),
            gate: LatencyGate::default(),
        }
    }

    pub(crate) fn opened(&mut self, target: Target, id: ChannelId, label: &str) -> bool {
        let room = self.open.len() < MAX_CHANNELS;
        if room {
            self.open.push((target, id, Purpose::of(label)));
        }
        room
    }

    pub(crate) fn closed(&mut self, target: Target, id: ChannelId) {
        self.open.retain(|channel| (channel.0, channel.1) != (target, id));
    }

    pub(crate) fn purpose(&self, target: Target, id: ChannelId) -> Option<Purpose> {
        self.open.iter().find(|channel| channel.0 == target && channel.1 == id).map(|channel| channel.2)
    }

    pub(crate) fn find(&self, target: Target, purpose: Purpose) -> Option<ChannelId> {
        self.open.iter().find(|channel| channel.0 == target && channel.2 == purpose).map(|channel| channel.1)
    }

    /// Somebody who has channels, but none with a label of ours.
    pub(crate) fn only_raw(&self, target: Target) -> bool {
        self.find(target, Purpose::Raw).is_some()
            && self.find(target, Purpose::Reliable).is_none()
            && self.find(target, Purpose::Lossy).is_none()
    }

    /// The channel that reliable messages go by.
    pub(crate) fn reliable(&self, target: Target) -> Option<ChannelId> {
        let raw = || if self.only_raw(target) { self.find(target, Purpose::Raw) } else { None };
        self.find(target, Purpose::Reliable).or_else(raw)
    }

    /// Puts a message at the end of the line.
    pub(crate) fn push(&mut self, message: Queued, target: Target) -> Backlog {
        self.backlog_bytes += message.message().len();
        self.backlog.push_back(message);
        if self.reliable(target).is_some() {
            return if self.backlog_bytes > RELIABLE_BACKLOG_BYTES { Backlog::Full } else { Backlog::Fits };
        }
        let mut dropped = 0;
        while self.backlog_bytes > HELD_BYTES && self.pop().is_some() {
            dropped += 1;
        }
        if dropped > 0 { Backlog::Dropped(dropped) } else { Backlog::Fits }
    }

    pub(crate) fn front(&self) -> Option<&Queued> {
        self.backlog.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let message = self.backlog.pop_front()?;
        self.backlog_bytes -= message.message().len();
        Some(message)
    }

    /// The sequence of the last reliable packet that was taken; 0: none.
    pub(crate) fn last_taken(&self) -> u32 {
        self.last_taken
    }

    /// Takes a reliable packet's sequence. False: it has been taken before (a client says again what it isn't sure of).
    pub(crate) fn take_sequence(&mut self, sequence: u32) -> bool {
        if sequence == 0 {
            return true;
        }
        let new = sequence > self.last_taken;
        self.last_taken = self.last_taken.max(sequence);
        new
    }

    /// The server calls; the answers will be for it.
    pub(crate) fn call(&mut self, id: String) {
        if self.calls.len() >= MAX_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(id);
    }

    /// Is this the answer to a call of the server's?
    pub(crate) fn is_called(&mut self, answer: &CallAnswer) -> bool {
        let Some(index) = self.calls.iter().position(|id| *id == answer.id) else { return false };
        if answer.last {
            self.calls.remove(index);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_44_what_was_taken_is_not_taken_again() {
        // L-44
        let mut channels = Channels::new(0);
        let taken = [1, 2, 2, 1, 0, 0, 5, 4, 6].map(|sequence| channels.take_sequence(sequence));
        assert_eq!(taken, [true, true, false, false, true, true, true, false, true]);
        assert_eq!(channels.last_taken(), 6);
    }

    #[test]
    fn l_44_without_an_open_channel_the_newest_megabyte_is_held() {
        // L-44
        let mut channels = Channels::new(0);
        let message: Arc<[u8]> = vec![7; 64 * 1024].into();
        let fitting = HELD_BYTES / message.len();
        for _ in 0..fitting {
            assert_eq!(channels.push(Queued::whole(&message), Target::Publisher), Backlog::Fits);
        }
        assert_eq!(channels.push(Queued::whole(&message), Target::Publisher), Backlog::Dropped(1));
        assert_eq!(channels.backlog.len(), fitting);
    }

    #[test]
    fn only_the_open_calls_answers_are_the_servers() {
        let mut channels = Channels::new(0);
        let answer = |id: &str, last| CallAnswer { id: id.into(), last };
        channels.call("a".into());
        assert!(!channels.is_called(&answer("b", true)));
        assert!(channels.is_called(&answer("a", false)) && channels.is_called(&answer("a", true)));
        assert!(!channels.is_called(&answer("a", true)), "it is answered");
    }
}
