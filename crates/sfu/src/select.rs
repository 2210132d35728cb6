//! Which layer a receiver gets: the highest that is live, of those that it may have; from one to another only at a
//! keyframe.

use std::time::{Duration, Instant};

/// Layers of a track: q, h and f.
pub(crate) const MAX_LAYERS: usize = 3;
/// A layer without a packet for so long is quiet, and the next lower one takes over.
pub(crate) const QUIET: Duration = Duration::from_millis(500);

/// Some of a track's layers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct LayerSet(u8);

impl LayerSet {
    /// One layer.
    pub(crate) fn of(layer: u8) -> Self {
        Self((1 << layer.min(7)) & 0b111)
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// From low to high.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..MAX_LAYERS as u8).filter(move |layer| self.0 & (1 << layer) != 0)
    }
}

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

    /// The layers that aren't quiet.
    pub(crate) fn live(&self, now: Instant) -> LayerSet {
        let is_live = |last: &Option<Instant>| last.is_some_and(|at| now.saturating_duration_since(at) < QUIET);
        let bits = self.0.iter().enumerate().map(|(layer, last)| u8::from(is_live(last)) << layer);
        LayerSet(bits.fold(0, |bits, bit| bits | bit))
    }
}

/// For each cap, the highest layer that a receiver may have: the layer that it should have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Targets([u8; MAX_LAYERS]);

impl Targets {
    /// Before anything was heard: a cap means itself, as far as there are so many layers.
    pub(crate) fn among(layers: usize) -> Self {
        let highest = layers.clamp(1, MAX_LAYERS) as u8 - 1;
        Self([0, 1, 2].map(|cap: u8| cap.min(highest)))
    }

    /// The highest live layer up to the cap; where none is, the lowest above it: a picture comes before its size.
    pub(crate) fn update(&mut self, live: LayerSet) {
        if !live.is_empty() {
            let best = |cap| live.iter().filter(|layer| *layer <= cap).last().or_else(|| live.iter().next());
            self.0 = [0, 1, 2].map(|cap| best(cap).unwrap_or_default());
        }
    }

    pub(crate) fn of(self, cap: u8) -> u8 {
        self.0[usize::from(cap).min(MAX_LAYERS - 1)]
    }

    /// Does anybody with one of these caps get this layer?
    pub(crate) fn reach(self, caps: LayerSet, layer: u8) -> bool {
        caps.iter().any(|cap| self.of(cap) == layer)
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
    /// Of an upper layer of a stream that it gets otherwise: its numbers go on without it.
    LeaveOut,
    /// The same, and it should get that layer: from the next keyframe on.
    LeaveOutAndAwait,
}

/// A receiver's place among the layers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selector {
    current: Option<u8>,
    /// Of scalable video the RTP timestamp of the newest picture.
    picture: Option<u32>,
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

    /// The same for a stream that holds all layers (SVC): those up to the receiver's are forwarded. With the next
    /// picture it may have fewer, more only from a keyframe on: where upper layers predict from each other alone, nothing
    /// else holds what they begin with.
    pub(crate) fn judge_scalable(&mut self, layer: u8, keyframe: bool, timestamp: u32, target: u8) -> Verdict {
        if self.picture.is_none_or(|picture| (timestamp.wrapping_sub(picture) as i32) > 0) {
            self.picture = Some(timestamp);
            self.current = self.current.map(|current| current.min(target));
        }
        if keyframe {
            let begins = self.current.replace(target).is_none();
            return if begins { Verdict::Switch } else { Verdict::Forward };
        }
        match self.current {
            None => Verdict::AwaitKeyframe,
            Some(current) if layer <= current => Verdict::Forward,
            Some(current) if current < target => Verdict::LeaveOutAndAwait,
            Some(_) => Verdict::LeaveOut,
        }
    }

    /// The layer that the receiver gets now.
    pub(crate) fn current(&self) -> Option<u8> {
        self.current
    }

    /// It gets nothing from now on, and begins anew at a keyframe.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
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
        let mut targets = Targets::among(3);
        live.heard(0, start);
        live.heard(2, start);
        targets.update(live.live(start));
        assert_eq!([targets.of(0), targets.of(1), targets.of(2)], [0, 0, 2]);
        let later = start + QUIET;
        live.heard(0, later);
        targets.update(live.live(later));
        assert_eq!(targets.of(2), 0);
        targets.update(live.live(later + QUIET));
        assert_eq!(targets.of(2), 0, "when all are quiet nothing changes");
        let mut selector = Selector { current: Some(2), ..Selector::default() };
        assert_eq!(selector.judge(0, false, 0), Verdict::AwaitKeyframe);
        assert_eq!(selector.judge(0, true, 0), Verdict::Switch);
    }

    #[test]
    fn l_62_scalable_video_loses_layers_between_pictures_and_gains_them_at_keyframes() {
        let mut selector = Selector::default();
        assert_eq!(selector.judge_scalable(0, false, 90, 2), Verdict::AwaitKeyframe);
        assert_eq!(selector.judge_scalable(0, true, 3_000, 2), Verdict::Switch);
        assert_eq!(selector.judge_scalable(2, false, 3_000, 2), Verdict::Forward);
        assert_eq!(selector.judge_scalable(2, false, 3_000, 0), Verdict::Forward, "the picture is finished");
        assert_eq!(selector.judge_scalable(0, false, 6_000, 0), Verdict::Forward);
        assert_eq!(selector.judge_scalable(1, false, 6_000, 0), Verdict::LeaveOut);
        assert_eq!(selector.judge_scalable(1, false, 3_000, 0), Verdict::LeaveOut, "a late one of before");
        assert_eq!(selector.judge_scalable(1, false, 9_000, 1), Verdict::LeaveOutAndAwait);
        assert_eq!(selector.judge_scalable(0, true, 12_000, 1), Verdict::Forward, "the stream goes on");
        assert_eq!(selector.judge_scalable(1, false, 12_000, 1), Verdict::Forward);
        assert_eq!(selector.judge_scalable(2, false, 12_000, 1), Verdict::LeaveOut);
    }

    #[test]
    fn who_may_have_less_than_there_is_gets_the_least_there_is() {
        let mut targets = Targets::among(3);
        targets.update(LayerSet::of(1).union(LayerSet::of(2)));
        assert_eq!([targets.of(0), targets.of(1), targets.of(2)], [1, 1, 2]);
        assert_eq!([Targets::among(1).of(2), Targets::among(2).of(2), Targets::among(9).of(2)], [0, 1, 2]);
        assert!(targets.reach(LayerSet::of(0), 1) && !targets.reach(LayerSet::of(0), 2));
        assert!(!targets.reach(LayerSet::default(), 1) && LayerSet::of(9).is_empty());
    }
}
