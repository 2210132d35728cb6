//! Randomness, from the operating system.

/// `N` random bytes. The error is the system's: without randomness there is no key that is worth having.
pub fn bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// `prefix` and 12 characters that can be read aloud (71 bits): node ids and the like, unguessable enough to be unique.
pub fn id(prefix: &str) -> std::io::Result<String> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let characters = bytes::<12>()?.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    Ok(prefix.chars().chain(characters).collect())
}
