//! How much of each layer comes: what the allocator reckons with.

use crate::select::MAX_LAYERS;

/// Slices of a second, one for each of the shard's ticks: a second holds keyframes and pauses of encoders in proportion.
const SLICES: usize = 10;
/// What a packet carries beside its payload: IP, UDP, RTP with extensions, the authentication tag.
const OVERHEAD_BYTES: usize = 20 + 8 + 12 + 12 + 16;

/// Bytes of one layer in the last second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    slices: [u32; SLICES],
    at: u8,
    filled: u8,
    open: u32,
}

impl Meter {
    /// A packet with so many bytes of payload came.
    pub(crate) fn add(&mut self, payload: usize) {
        self.open = self.open.saturating_add((payload + OVERHEAD_BYTES) as u32);
    }

    /// A tenth of a second is over. Returns bit/s over the last second, or since it began.
    pub(crate) fn tick(&mut self) -> u64 {
        self.slices[usize::from(self.at)] = std::mem::take(&mut self.open);
        self.at = (self.at + 1) % SLICES as u8;
        self.filled = (self.filled + 1).min(SLICES as u8);
        let bytes: u64 = self.slices.iter().map(|slice| u64::from(*slice)).sum();
        bytes * 8 * SLICES as u64 / u64::from(self.filled)
    }
}

/// bit/s of each of a track's layers; 0: quiet.
pub type LayerRates = [u64; MAX_LAYERS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_has_its_rate_from_the_first_tick_on_and_an_ended_one_none() {
        let mut meter = Meter::default();
        for tick in 0..25 {
            (0..10).for_each(|_| meter.add(1_000 - OVERHEAD_BYTES));
            assert_eq!(meter.tick(), 800_000, "tick {tick}");
        }
        let rates: Vec<_> = (0..SLICES).map(|_| meter.tick()).collect();
        assert!(rates.is_sorted_by(|a, b| a > b) && rates[SLICES - 1] == 0, "{rates:?}");
    }
}
