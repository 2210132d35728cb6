//! How much data one client may send: what it sends, everybody in its room is sent.

use std::time::Instant;

/// A client may send so many messages a second: several times what a browser's SCTP manages.
const MESSAGES_PER_SECOND: f64 = 16_384.0;
/// A client may send so many bytes a second: a file at 128 Mbit/s.
const BYTES_PER_SECOND: f64 = 16.0 * 1024.0 * 1024.0;
/// What was not used so long may be used at once: a burst after silence is a file or a game that begins.
const BURST_SECONDS: f64 = 4.0;

/// Messages and bytes that may still be sent. Full at the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowance {
    /// Seconds' worth that is used up, of each.
    messages: f64,
    bytes: f64,
    at: Option<Instant>,
}

impl Allowance {
    /// Takes a message of so many bytes. False: it is too much, and nothing was taken.
    pub(crate) fn admit(&mut self, now: Instant, bytes: usize) -> bool {
        let passed = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.at = Some(now);
        let messages = (self.messages - passed).max(0.0) + 1.0 / MESSAGES_PER_SECOND;
        let bytes = (self.bytes - passed).max(0.0) + bytes as f64 / BYTES_PER_SECOND;
        let fits = messages <= BURST_SECONDS && bytes <= BURST_SECONDS;
        let used =
            if fits { (messages, bytes) } else { ((self.messages - passed).max(0.0), (self.bytes - passed).max(0.0)) };
        (self.messages, self.bytes) = used;
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn admitted(allowance: &mut Allowance, now: Instant, bytes: usize, messages: usize) -> usize {
        (0..messages).filter(|_| allowance.admit(now, bytes)).count()
    }

    #[test]
    fn q_7_a_flood_is_held_to_its_rate() {
        // one client's data costs the others a bounded amount.
        let (mut allowance, mut now) = (Allowance::default(), Instant::now());
        assert_eq!(admitted(&mut allowance, now, 10, 100_000), 65_536);
        now += Duration::from_secs(1);
        let next = admitted(&mut allowance, now, 10, 100_000);
        assert!((16_380..=16_384).contains(&next), "{next}");
    }

    #[test]
    fn large_messages_count_by_their_bytes() {
        let (mut allowance, now) = (Allowance::default(), Instant::now());
        assert_eq!(admitted(&mut allowance, now, 65_536, 10_000), 1_024);
    }
}
