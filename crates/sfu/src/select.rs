//! Which layer a receiver gets: the highest that is live; from one to another only at a keyframe.

use std::time::{Duration, Instant};

/// Layers of a track: q, h and f.
pub(crate) const MAX_LAYERS: usize = 3;
/// A layer without a packet for so long is quiet, and the next lower one takes over.
pub(crate) const QUIET: Duration = Duration::from_millis(500);

/// Which of a track's layers live.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Liveness([Option<Instant>; MAX_LAYERS]);

impl Liveness {
    /// A packet of this layer came.
    pub(crate) fn heard(&mut self, layer: u8, now: Instant) {
        if let Some(last) = self.0.get_mut(usize::from(layer)) {
            *last = Some(now);
        }
    }

    /// The highest layer that isn't quiet.
    pub(crate) fn highest(&self, now: Instant) -> Option<u8> {
        let live = |last: &Option<Instant>| last.is_some_and(|at| now.saturating_duration_since(at) < QUIET);
        self.0.iter().rposition(live).map(|layer| layer as u8)
    }
}

/// What to do with a packet for one receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Of the layer that it gets.
    Forward,
    /// It gets this layer from this packet on.
    Switch,
    /// Of another layer.
    Skip,
    /// Of the layer that it should get, but not a place to begin.
    AwaitKeyframe,
}

/// A receiver's place among the layers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selector {
    current: Option<u8>,
}

impl Selector {
    /// Decides on a packet of `layer`, where `target` is the layer that receivers should have.
    ///
    /// A receiver without a picture begins at any keyframe up to the target: seeing something soon comes first. One with
    /// a picture moves only to the target.
    pub(crate) fn judge(&mut self, layer: u8, keyframe: bool, target: u8) -> Verdict {
        if self.current == Some(layer) {
            return Verdict::Forward;
        }
        let wanted = layer == target || (self.current.is_none() && layer < target);
        match (wanted, keyframe) {
            (true, true) => {
                self.current = Some(layer);
                Verdict::Switch
            }
            (true, false) if layer == target => Verdict::AwaitKeyframe,
            _ => Verdict::Skip,
        }
    }

    /// The layer that the receiver gets now.
    pub(crate) fn current(&self) -> Option<u8> {
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_begins_at_the_first_keyframe_and_climbs_at_the_next() {
        let mut selector = Selector::default();
        assert_eq!(selector.judge(2, false, 2), Verdict::AwaitKeyframe);
        assert_eq!(selector.judge(0, true, 2), Verdict::Switch, "anything is better than black");
        assert_eq!(selector.judge(0, false, 2), Verdict::Forward);
        assert_eq!(selector.judge(1, true, 2), Verdict::Skip, "not the target");
        assert_eq!(selector.judge(2, true, 2), Verdict::Switch);
        assert_eq!(selector.judge(0, true, 2), Verdict::Skip);
    }

    #[test]
    fn when_the_top_goes_quiet_the_next_takes_over_at_a_keyframe() {
        let (mut live, start) = (Liveness::default(), Instant::now());
        live.heard(0, start);
        live.heard(2, start);
        assert_eq!(live.highest(start), Some(2));
        let later = start + QUIET;
        live.heard(0, later);
        assert_eq!(live.highest(later), Some(0));
        let mut selector = Selector { current: Some(2) };
        assert_eq!(selector.judge(0, false, 0), Verdict::AwaitKeyframe);
        assert_eq!(selector.judge(0, true, 0), Verdict::Switch);
    }
}
