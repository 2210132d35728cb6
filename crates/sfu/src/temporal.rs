//! Temporal layers: a receiver may want fewer frames a second than there are (livekit.md 2.7, `fps`).
//!
//! Frames of an upper layer are missed by none of the layers below it, so they can be left out from any frame on. They
//! may come back where the encoder says so: at a frame that needs nothing of its own layer before it.

use rtc::Temporal;

/// Temporal layers that are told apart: VP8's field has two bits, and encoders make three.
pub(crate) const MAX_TEMPORAL: usize = 4;
/// All of them.
pub(crate) const EVERY: u8 = MAX_TEMPORAL as u8 - 1;
/// Ticks of a measurement: a second holds what an encoder drops in proportion.
const TICKS: u8 = 10;
/// A layer that makes so much more than what is wanted, in percent, will do: encoders waver.
const TOLERANCE_PERCENT: u32 = 20;

/// Frames a second of each temporal layer, of one track's layer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameMeter {
    frames: [u16; MAX_TEMPORAL],
    newest: Option<u32>,
    ticks: u8,
    /// Of the layer and those below it; 0: not known yet.
    rates: [u16; MAX_TEMPORAL],
}

impl FrameMeter {
    /// A packet of a frame with this RTP timestamp.
    pub(crate) fn add(&mut self, timestamp: u32, layer: u8) {
        if !is_newer(timestamp, self.newest) {
            return;
        }
        self.newest = Some(timestamp);
        let frames = &mut self.frames[usize::from(layer).min(MAX_TEMPORAL - 1)];
        *frames = frames.saturating_add(1);
    }

    /// A tenth of a second is over.
    pub(crate) fn tick(&mut self) {
        self.ticks += 1;
        if self.ticks < TICKS {
            return;
        }
        let mut below = 0;
        for (rate, frames) in self.rates.iter_mut().zip(std::mem::take(&mut self.frames)) {
            below += frames;
            *rate = below;
        }
        self.ticks = 0;
    }

    /// The highest layer that makes no more than so many frames a second; 0: all. The lowest always may.
    pub(crate) fn cap(&self, fps: u32) -> u8 {
        let all = fps == 0 || self.rates[0] == 0;
        let most = fps + fps * TOLERANCE_PERCENT / 100;
        let fits = |layer: &u8| all || u32::from(self.rates[usize::from(*layer)]) <= most;
        (0..=EVERY).rev().find(fits).unwrap_or(0)
    }
}

/// A receiver's place among the temporal layers of what it gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    current: u8,
    newest: Option<u32>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { current: EVERY, newest: None }
    }
}

impl Gate {
    /// Is this packet for a receiver that may have layers up to `cap`? A frame is for it whole or not at all.
    pub(crate) fn admits(&mut self, temporal: Temporal, timestamp: u32, cap: u8) -> bool {
        if is_newer(timestamp, self.newest) {
            self.newest = Some(timestamp);
            self.current = self.current.min(cap);
            if temporal.switches && temporal.layer <= cap {
                self.current = self.current.max(if temporal.layer == 0 { cap } else { temporal.layer });
            }
        }
        temporal.layer <= self.current
    }
}

fn is_newer(timestamp: u32, newest: Option<u32>) -> bool {
    newest.is_none_or(|newest| (timestamp.wrapping_sub(newest) as i32) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERN: [u8; 4] = [0, 2, 1, 2];

    fn at(layer: u8, switches: bool) -> Temporal {
        Temporal { layer, switches }
    }

    #[test]
    fn l_37_frames_are_counted_by_layer_and_as_many_are_given_as_are_wanted() {
        let mut meter = FrameMeter::default();
        assert_eq!(meter.cap(7), EVERY, "nothing is known yet");
        for tick in 0..10u32 {
            for frame in 0..3 {
                let number = tick * 3 + frame;
                meter.add(number * 3_000, PATTERN[number as usize % 4]);
                meter.add(number * 3_000, PATTERN[number as usize % 4]); // Its second packet.
            }
            meter.tick();
        }
        let caps = [0, 1, 7, 8, 14, 15, 24, 25, 60].map(|fps| meter.cap(fps));
        assert_eq!(caps, [3, 0, 0, 0, 1, 1, 1, 3, 3]);
    }

    #[test]
    fn l_37_upper_layers_go_with_the_next_frame_and_come_back_where_they_may() {
        let mut gate = Gate::default();
        assert!(gate.admits(at(2, false), 0, EVERY));
        assert!(!gate.admits(at(2, false), 3_000, 1), "the next frame");
        assert!(!gate.admits(at(2, false), 0, 1) && gate.admits(at(1, false), 6_000, 1));
        assert!(!gate.admits(at(2, false), 9_000, 2), "it needs what was left out");
        assert!(gate.admits(at(2, true), 12_000, 2) && gate.admits(at(2, false), 15_000, 2));
    }

    #[test]
    fn l_37_where_the_lowest_layer_opens_all_they_come_back_with_it() {
        let mut gate = Gate::default();
        assert!(gate.admits(at(0, true), 0, 0) && !gate.admits(at(1, true), 3_000, 0));
        assert!(gate.admits(at(0, true), 6_000, 2) && gate.admits(at(2, false), 9_000, 2));
    }
}
