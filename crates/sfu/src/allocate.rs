//! Who gets which layer where bandwidth is short.
//!
//! A pure function. The lowest layers of all come before higher ones of any; then those of the highest priority get all
//! that fits (a shared screen comes first), layer by layer in turn; then the next. Sound is not asked: its share is taken
//! off the budget before.

use crate::select::MAX_LAYERS;
use room::settings::HIGHEST_LAYER;
use smallvec::SmallVec;
use std::cmp::Reverse;

/// A layer above the one that a track has must fit with so much to spare, in percent of what it adds. Estimates and
/// bitrates waver by less: without it a track on the edge would change layers, with a keyframe each, all the time.
const UPGRADE_MARGIN_PERCENT: u64 = 20;

/// A track that a peer wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Demand {
    /// What the peer would be sent for each highest layer, bit/s; 0: the layer is not there or not wanted.
    pub(crate) rates: [u64; MAX_LAYERS],
    /// 255 is served before 1.
    pub(crate) priority: u8,
    /// The highest layer that it is allowed now; `None`: paused.
    pub(crate) allowed: Option<u8>,
}

impl Demand {
    /// What it takes now, bit/s.
    pub(crate) fn sent(&self) -> u64 {
        let up_to = self.allowed.map_or(0, |layer| usize::from(layer) + 1).min(MAX_LAYERS);
        self.rates[..up_to].iter().rev().copied().find(|rate| *rate > 0).unwrap_or_default()
    }
}

/// What a peer's budget is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Budget {
    /// bit/s for pictures.
    pub(crate) bps: u64,
    /// Tracks may get nothing at all where not even their lowest layer fits.
    pub(crate) may_pause: bool,
    /// Tracks may get higher layers than they have.
    pub(crate) may_raise: bool,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Allocation {
    /// For each demand the highest layer that it is allowed.
    pub(crate) layers: SmallVec<[Option<u8>; 8]>,
    /// What all of it takes, bit/s.
    pub(crate) spent: u64,
    /// What the next higher layer of anybody would take beside it, margin included; 0: all have what they want.
    pub(crate) next: u64,
    /// What everything that is wanted would take, bit/s.
    pub(crate) wished: u64,
}

/// Divides a budget.
pub(crate) fn allocate(budget: Budget, demands: &[Demand]) -> Allocation {
    let mut division = Division::new(budget, demands);
    let mut order: SmallVec<[usize; 8]> = (0..demands.len()).collect();
    order.sort_by_key(|at| Reverse(demands[*at].priority));
    for &at in &order {
        division.begin(at);
    }
    for class in order.chunk_by(|a, b| demands[*a].priority == demands[*b].priority) {
        while class.iter().filter(|at| division.raise(**at)).count() > 0 {}
    }
    division.finish()
}

struct Division<'a> {
    budget: Budget,
    demands: &'a [Demand],
    /// Of each demand the layer so far; `None`: nothing yet.
    layers: SmallVec<[Option<u8>; 8]>,
    spent: u64,
    next: Option<u64>,
}

impl<'a> Division<'a> {
    fn new(budget: Budget, demands: &'a [Demand]) -> Self {
        Self { budget, demands, layers: SmallVec::from_elem(None, demands.len()), spent: 0, next: None }
    }

    /// The lowest layer, which may only be left out where pausing is allowed.
    fn begin(&mut self, at: usize) {
        let Some(lowest) = next_layer(&self.demands[at], None) else { return };
        if self.budget.may_pause {
            self.take(at, lowest);
        } else {
            self.spent += self.demands[at].rates[usize::from(lowest)];
            self.layers[at] = Some(lowest);
        }
    }

    /// One layer more, if it fits. False: it has what it gets.
    fn raise(&mut self, at: usize) -> bool {
        let Some(from) = self.layers[at] else { return false };
        next_layer(&self.demands[at], Some(from)).is_some_and(|layer| self.take(at, layer))
    }

    fn take(&mut self, at: usize, layer: u8) -> bool {
        let demand = &self.demands[at];
        let has = self.layers[at].map_or(0, |layer| demand.rates[usize::from(layer)]);
        let adds = demand.rates[usize::from(layer)].saturating_sub(has);
        let is_raise = demand.allowed.is_none_or(|allowed| layer > allowed);
        let needs = if is_raise { adds + adds * UPGRADE_MARGIN_PERCENT / 100 } else { adds };
        if self.spent + needs > self.budget.bps || (is_raise && !self.budget.may_raise) {
            self.next = Some(self.next.map_or(needs, |next| next.min(needs)));
            return false;
        }
        self.spent += adds;
        self.layers[at] = Some(layer);
        true
    }

    fn finish(mut self) -> Allocation {
        for (layer, demand) in self.layers.iter_mut().zip(self.demands) {
            // Who has all that there is may have what comes; who wants nothing is not paused by us.
            if next_layer(demand, *layer).is_none() {
                *layer = Some(HIGHEST_LAYER);
            }
        }
        let wished = self.demands.iter().map(|demand| demand.rates.iter().max().copied().unwrap_or_default()).sum();
        Allocation { layers: self.layers, spent: self.spent, next: self.next.unwrap_or_default(), wished }
    }
}

/// The lowest layer above this one (or of all) that is there.
fn next_layer(demand: &Demand, above: Option<u8>) -> Option<u8> {
    let from = above.map_or(0, |layer| layer + 1);
    (from..MAX_LAYERS as u8).find(|layer| demand.rates[usize::from(*layer)] > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KBPS: u64 = 1_000;

    fn camera(allowed: Option<u8>) -> Demand {
        Demand { rates: [150 * KBPS, 500 * KBPS, 1_500 * KBPS], priority: 1, allowed }
    }

    fn screen() -> Demand {
        Demand { priority: 255, ..camera(Some(2)) }
    }

    fn divide(kbps: u64, demands: &[Demand]) -> Vec<Option<u8>> {
        let budget = Budget { bps: kbps * KBPS, may_pause: false, may_raise: true };
        allocate(budget, demands).layers.to_vec()
    }

    #[test]
    fn l_39_what_fits_is_given_and_the_lowest_always() {
        for (kbps, layer) in [(2_000, 2), (1_500, 2), (1_499, 1), (500, 1), (499, 0), (150, 0), (0, 0)] {
            assert_eq!(divide(kbps, &[camera(Some(2))]), [Some(layer)], "{kbps} kbit/s");
        }
    }

    #[test]
    fn l_39_a_higher_layer_than_one_has_must_fit_with_something_to_spare() {
        assert_eq!(divide(1_600, &[camera(Some(1))]), [Some(1)], "on the edge");
        assert_eq!(divide(1_700, &[camera(Some(1))]), [Some(2)]);
        let held = Budget { bps: 9_000 * KBPS, may_pause: true, may_raise: false };
        assert_eq!(allocate(held, &[camera(Some(0))]).layers[0], Some(0));
        assert_eq!(allocate(held, &[camera(None)]).layers[0], None, "not even out of a pause");
    }

    #[test]
    fn l_39_the_lowest_layers_of_all_come_before_higher_ones_of_any() {
        assert_eq!(divide(450, &[screen(), camera(Some(2)), camera(Some(2))]), [Some(0); 3]);
        assert_eq!(divide(800, &[camera(Some(2)), screen(), camera(Some(2))]), [Some(0), Some(1), Some(0)]);
    }

    #[test]
    fn l_39_a_screen_gets_all_it_can_before_any_camera_gets_more() {
        assert_eq!(divide(1_650, &[camera(Some(2)), screen()]), [Some(0), Some(2)]);
        assert_eq!(divide(2_000, &[camera(Some(2)), screen()]), [Some(1), Some(2)]);
    }

    #[test]
    fn l_39_equals_are_raised_in_turn() {
        assert_eq!(divide(1_000, &[camera(Some(2)); 2]), [Some(1), Some(1)]);
        assert_eq!(divide(2_000, &[camera(Some(2)); 2]), [Some(2), Some(1)]);
    }

    #[test]
    fn l_39_only_who_allows_it_is_paused_and_the_least_important_first() {
        let demands = [camera(Some(2)), screen(), camera(Some(2))];
        let budget = Budget { bps: 310 * KBPS, may_pause: true, may_raise: true };
        assert_eq!(allocate(budget, &demands).layers.to_vec(), [Some(0), Some(0), None]);
        assert_eq!(divide(310, &demands), [Some(0); 3], "nobody said that it may");
    }

    #[test]
    fn l_39_layers_that_are_not_there_are_skipped_and_who_has_all_is_not_held_back() {
        let two = Demand { rates: [150 * KBPS, 0, 1_500 * KBPS], priority: 1, allowed: Some(2) };
        assert_eq!(divide(600, &[two]), [Some(0)]);
        let low_only = Demand { rates: [150 * KBPS, 0, 0], priority: 1, allowed: Some(0) };
        assert_eq!(divide(200, &[low_only]), [Some(HIGHEST_LAYER)], "when its other layers come it may have them");
        let silent = Demand { rates: [0; MAX_LAYERS], priority: 1, allowed: Some(1) };
        assert_eq!(divide(0, &[silent]), [Some(HIGHEST_LAYER)]);
        assert_eq!(divide(0, &[]), []);
    }

    #[test]
    fn l_39_it_is_known_what_was_spent_what_is_next_and_what_is_wished() {
        let budget = Budget { bps: 800 * KBPS, may_pause: false, may_raise: true };
        let got = allocate(budget, &[camera(Some(1)), camera(Some(0))]);
        assert_eq!(got.layers.to_vec(), [Some(1), Some(0)]);
        assert_eq!((got.spent, got.next, got.wished), (650 * KBPS, 420 * KBPS, 3_000 * KBPS));
    }

    /// Nothing is ever given twice or beyond the budget, whatever the numbers.
    #[test]
    fn q_3_whatever_is_demanded_the_budget_holds() {
        let mut state = 1u64;
        let mut next = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        for _ in 0..5_000 {
            let demands: Vec<_> = (0..next(9))
                .map(|_| Demand {
                    rates: [next(3) * next(400), next(3) * next(900), next(3) * next(3_000)],
                    priority: next(4) as u8,
                    allowed: [None, Some(0), Some(1), Some(2)][next(4) as usize],
                })
                .collect();
            let budget = Budget { bps: next(9_000), may_pause: true, may_raise: next(2) > 0 };
            let got = allocate(budget, &demands);
            assert!(got.spent <= budget.bps, "{budget:?} {demands:?} {got:?}");
            assert_eq!(got.layers.len(), demands.len());
        }
    }
}
