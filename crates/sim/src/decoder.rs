//! What a decoder makes of the pictures that came: the oracle of the loss matrix.
//!
//! As libwebrtc's: a frame is decoded once the frame before it was, or if it is a keyframe. What is missing is waited
//! for; when that takes too long it is given up, and nothing is decoded before the next keyframe, which is asked for.

use crate::client::Client;
use room::TrackSid;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Between two requests for a keyframe.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// A frame that was decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded {
    /// When.
    pub at: Instant,
    /// The publisher's number of it.
    pub frame: u16,
    /// Which layer showed it.
    pub layer: u8,
}

/// A frame of which every packet came.
#[derive(Clone, Copy, Debug)]
struct Complete {
    frame: u16,
    layer: u8,
    keyframe: bool,
}

/// One track's decoder at one receiver.
#[derive(Debug)]
pub struct Decoder {
    /// How long a missing frame is waited for.
    patience: Duration,
    /// Frames that were looked at.
    seen: usize,
    /// By picture id, as the receiver counts them.
    waiting: BTreeMap<u16, Complete>,
    /// Picture id of the last one; `None`: a keyframe must come.
    last: Option<u16>,
    /// Since when nothing was decoded.
    idle_since: Instant,
    asked: Option<Instant>,
    /// What was decoded, in order.
    pub decoded: Vec<Decoded>,
    /// Keyframes that were asked for.
    pub asks: usize,
}

impl Decoder {
    /// A decoder that waits so long for what is missing.
    pub fn new(patience: Duration, now: Instant) -> Self {
        Self {
            patience,
            seen: 0,
            waiting: BTreeMap::new(),
            last: None,
            idle_since: now,
            asked: None,
            decoded: Vec::new(),
            asks: 0,
        }
    }

    /// Looks at what has come by now. Call it after each step of the world.
    pub fn watch(&mut self, now: Instant, client: &mut Client, track: &TrackSid) {
        self.take_in(client, track);
        while self.decode_next(now) {}
        if now >= self.idle_since + self.patience {
            self.last = None;
            if self.asked.is_none_or(|at| now >= at + ASK_EVERY) {
                self.asked = Some(now);
                self.asks += 1;
                client.request_keyframe(track);
            }
        }
    }

    fn take_in(&mut self, client: &Client, track: &TrackSid) {
        let Some(received) = client.received.get(track) else { return };
        for at in self.seen..received.frames.len() {
            let (frame, layer) = received.frames[at];
            let keyframe = received.keyframes.contains(&(frame, layer));
            self.waiting.insert(received.picture_ids[at], Complete { frame, layer, keyframe });
        }
        self.seen = received.frames.len();
    }

    fn decode_next(&mut self, now: Instant) -> bool {
        let follows = |id: u16| self.last.is_some_and(|last| id == last.wrapping_add(1));
        let next = self.waiting.iter().find(|(id, complete)| complete.keyframe || follows(**id));
        let Some((&id, &complete)) = next else { return false };
        // What is older comes too late now.
        self.waiting = self.waiting.split_off(&id.saturating_add(1));
        self.last = Some(id);
        self.idle_since = now;
        self.asked = None;
        self.decoded.push(Decoded { at: now, frame: complete.frame, layer: complete.layer });
        true
    }
}
