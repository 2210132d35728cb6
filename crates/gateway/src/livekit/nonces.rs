//! Each SendData once: backends that retry send the same nonce again (L-45).

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a nonce is remembered: longer than any client retries.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Most that are remembered: 16 bytes and a room name each, about 10 MiB. Beyond that the oldest are forgotten.
const MAX_NONCES: usize = 50_000;

/// Bytes of a nonce (the reference's size).
pub(crate) const NONCE_BYTES: usize = 16;

/// (room, nonce).
type Key = (String, [u8; NONCE_BYTES]);

/// Nonces seen lately.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    // Touched once an API request, never held across an await.
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    keys: HashSet<Key>,
    order: VecDeque<(Instant, Key)>,
}

impl Nonces {
    /// True the first time.
    pub(crate) fn is_new(&self, room: &str, nonce: [u8; NONCE_BYTES], now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        seen.forget(now);
        let key = (room.to_owned(), nonce);
        let new = seen.keys.insert(key.clone());
        if new {
            seen.order.push_back((now, key));
        }
        new
    }
}

impl Seen {
    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front() {
            let stays = now.saturating_duration_since(*at) < REMEMBERED && self.order.len() < MAX_NONCES;
            if stays {
                break;
            }
            if let Some((_, key)) = self.order.pop_front() {
                self.keys.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_45_a_nonce_counts_once_a_minute_and_room() {
        // L-45
        let (nonces, start) = (Nonces::default(), Instant::now());
        assert!(nonces.is_new("r", [1; 16], start));
        assert!(!nonces.is_new("r", [1; 16], start + Duration::from_secs(59)));
        assert!(nonces.is_new("r", [2; 16], start) && nonces.is_new("other", [1; 16], start));
        assert!(nonces.is_new("r", [1; 16], start + Duration::from_secs(60)));
    }

    #[test]
    fn memory_is_bounded() {
        let (nonces, start) = (Nonces::default(), Instant::now());
        for number in 0..=MAX_NONCES as u128 {
            assert!(nonces.is_new("r", number.to_le_bytes(), start));
        }
        assert_eq!(nonces.seen.lock().unwrap().keys.len(), MAX_NONCES);
    }
}
