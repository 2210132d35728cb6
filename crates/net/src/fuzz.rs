//! Fuzz bodies: run by `cargo fuzz` on random input and by stable tests on truncated and flipped samples.

use crate::tunnel::frame;
use bytes::BytesMut;

/// Frames in a stream: what is taken out and put back reads the same.
pub fn frames(data: &[u8]) {
    let (mut buffer, mut again) = (BytesMut::from(data), BytesMut::new());
    while let Ok(Some(frame)) = frame::take(&mut buffer) {
        frame::put(&frame, &mut again);
        assert_eq!(frame::take(&mut again), Ok(Some(frame)));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn q_6_damaged_frames_harm_nobody() {
        //
        let sample = b"\0\x03one\0\0\0\x05three\x20\x00long";
        for cut in 0..=sample.len() {
            super::frames(&sample[..cut]);
        }
        for byte in 0..sample.len() {
            for bit in 0..8 {
                let mut flipped = *sample;
                flipped[byte] ^= 1 << bit;
                super::frames(&flipped);
            }
        }
    }
}
