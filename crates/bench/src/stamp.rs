//! What our synthetic media carries in place of pixels and sound: who made it, when, which packet of which frame it
//! is, and a checksum over the whole payload, so that a receiver can tell a forwarded packet from a damaged one.

use std::time::Instant;

/// First bytes of a stamp: no accident, and neither a VP8 nor an Opus header.
const MAGIC: [u8; 4] = *b"OdEn";
/// Magic, source, frame, part, parts, microseconds.
const HEADER_LEN: usize = 4 + 4 + 4 + 2 + 2 + 8;
/// FNV-1a over all before it.
const SUM_LEN: usize = 8;
/// The least that a stamped payload holds.
pub const MIN_LEN: usize = HEADER_LEN + SUM_LEN;

/// One packet's stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// The publisher's number, drawn by the load generator.
    pub source: u32,
    /// Frame number of that source, from 0.
    pub frame: u32,
    /// Which packet of the frame, from 0.
    pub part: u16,
    /// Packets in the frame.
    pub parts: u16,
    /// When it was made: microseconds since the process began.
    pub made_us: u64,
}

/// Why a payload isn't what its publisher made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StampError {
    /// Another publisher's (a browser's): nothing to check.
    #[error("no stamp")]
    Foreign,
    /// The stamp is there and the checksum is wrong.
    #[error("checksum differs")]
    Damaged,
}

impl Stamp {
    /// Appends the stamp, `filler` bytes that depend on it, and the checksum of everything from `from` on.
    pub fn write(&self, payload: &mut Vec<u8>, from: usize, filler: usize) {
        payload.extend_from_slice(&MAGIC);
        payload.extend_from_slice(&self.source.to_be_bytes());
        payload.extend_from_slice(&self.frame.to_be_bytes());
        payload.extend_from_slice(&self.part.to_be_bytes());
        payload.extend_from_slice(&self.parts.to_be_bytes());
        payload.extend_from_slice(&self.made_us.to_be_bytes());
        let mut noise = Noise::new((u64::from(self.source) << 32 | u64::from(self.frame)) ^ u64::from(self.part) << 17);
        payload.extend(std::iter::repeat_with(|| noise.byte()).take(filler));
        let sum = checksum(&payload[from..]);
        payload.extend_from_slice(&sum.to_be_bytes());
    }

    /// Reads a stamp at `at` in what follows the payload descriptor; looks at the checksum if `verify`.
    ///
    /// # Errors
    /// [`StampError::Foreign`] without a stamp there, [`StampError::Damaged`] if the checksum is wrong.
    pub fn read(body: &[u8], at: usize, verify: bool) -> Result<Self, StampError> {
        let stamp = Self::parse(body.get(at..).unwrap_or_default()).ok_or(StampError::Foreign)?;
        if !verify {
            return Ok(stamp);
        }
        let (covered, sum) = body.split_last_chunk::<SUM_LEN>().ok_or(StampError::Damaged)?;
        if checksum(covered) == u64::from_be_bytes(*sum) { Ok(stamp) } else { Err(StampError::Damaged) }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, _) = bytes.split_first_chunk::<HEADER_LEN>()?;
        if header[..4] != MAGIC {
            return None;
        }
        let u32_at = |i: usize| u32::from_be_bytes([header[i], header[i + 1], header[i + 2], header[i + 3]]);
        let u16_at = |i: usize| u16::from_be_bytes([header[i], header[i + 1]]);
        let made_us = u64::from(u32_at(16)) << 32 | u64::from(u32_at(20));
        Some(Self { source: u32_at(4), frame: u32_at(8), part: u16_at(12), parts: u16_at(14), made_us })
    }
}

/// FNV-1a, 64 bits: enough to see damage, cheap enough for a sample of the packets.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Filler that looks like entropy-coded media (xorshift64).
struct Noise(u64);

impl Noise {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_be_bytes()[0]
    }
}

/// Microseconds since `start`, for [`Stamp::made_us`].
pub fn micros_since(start: Instant, now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped() -> (Stamp, Vec<u8>) {
        let stamp = Stamp { source: 7, frame: 1_000_000, part: 3, parts: 9, made_us: 1 << 40 };
        let mut payload = vec![0x90, 0x80];
        payload.push(1);
        stamp.write(&mut payload, 2, 500);
        (stamp, payload)
    }

    #[test]
    fn what_was_written_is_read_back() {
        let (stamp, payload) = stamped();
        assert_eq!(Stamp::read(&payload[2..], 1, true), Ok(stamp));
    }

    #[test]
    fn each_flipped_bit_is_seen() {
        let (_, payload) = stamped();
        for bit in 0..(payload.len() - 2) * 8 {
            let mut damaged = payload.clone();
            damaged[2 + bit / 8] ^= 1 << (bit % 8);
            assert!(Stamp::read(&damaged[2..], 1, true).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_browsers_packet_is_foreign() {
        assert_eq!(Stamp::read(&[0; 300], 1, true), Err(StampError::Foreign));
        assert_eq!(Stamp::read(&[], 1, true), Err(StampError::Foreign));
    }
}
