//! Randomness of the operating system, for what must not be guessed or repeated.

/// `N` random bytes.
///
/// # Panics
/// The operating system gives no randomness: nothing that is safe can be done without.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[allow(clippy::expect_used)] // not from a wire, and there is no going on
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// `prefix` and 12 characters that don't look alike (70 bits).
pub(crate) fn name(prefix: &str) -> String {
    const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let letters = bytes::<12>().map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    let mut name = prefix.to_owned();
    name.extend(letters);
    name
}
