//! Synthetic Opus: 20 ms packets with a valid table-of-contents byte (RFC 6716 section 3.1) and a stamp.

use crate::stamp::{MIN_LEN, Stamp};

/// CELT, fullband, 20 ms, mono, one frame.
const TOC: u8 = 31 << 3;
/// Packets a second.
pub const PACKETS_PER_SECOND: u32 = 50;
/// RTP clock a packet: 20 ms at 48 kHz (RFC 7587).
pub const SAMPLES_PER_PACKET: u32 = 960;

/// A sound to publish.
#[derive(Clone, Debug)]
pub struct AudioSpec {
    /// Our id of it (the msid track id).
    pub cid: String,
    /// bit/s.
    pub bitrate: u32,
    /// What the audio level extension says, -dBov: 0 loudest, 127 silence.
    pub level: u8,
}

impl AudioSpec {
    /// A voice at 32 kbit/s and -20 dBov.
    pub fn microphone(cid: &str) -> Self {
        Self { cid: cid.into(), bitrate: 32_000, level: 20 }
    }
}

/// The payload of packet number `frame`.
pub fn packet(source: u32, frame: u32, bitrate: u32, made_us: u64) -> Vec<u8> {
    let len = (bitrate / 8 / PACKETS_PER_SECOND) as usize;
    let mut payload = vec![TOC];
    let stamp = Stamp { source, frame, part: 0, parts: 1, made_us };
    stamp.write(&mut payload, 0, len.saturating_sub(1 + MIN_LEN));
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_has_its_bitrates_length_and_its_stamp() {
        let payload = packet(3, 8, 32_000, 1);
        assert_eq!(payload.len(), 80);
        assert_eq!(Stamp::read(&payload, 1, true).unwrap().frame, 8);
    }
}
