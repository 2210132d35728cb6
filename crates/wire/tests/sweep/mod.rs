//! what becomes of a real message when bytes of it are lost or changed.

/// Bytes that lengths and signs care about.
#[allow(dead_code, reason = "each test file that has this module uses some of it")]
pub(crate) const EXTREMES: &[u8] = &[0x00, 0x7f, 0x80, 0xff];

/// Every truncation, every single bit flipped, and every byte set to each of `telling`. Gives how many cases that were.
pub(crate) fn sweep(seed: &[u8], telling: &[u8], body: fn(&[u8])) -> usize {
    for cut in 0..=seed.len() {
        body(&seed[..cut]);
    }
    let mut bytes = seed.to_vec();
    for bit in 0..seed.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        body(&bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    for index in 0..seed.len() {
        for telling in telling {
            let kept = std::mem::replace(&mut bytes[index], *telling);
            body(&bytes);
            bytes[index] = kept;
        }
    }
    seed.len() * (9 + telling.len()) + 1
}
