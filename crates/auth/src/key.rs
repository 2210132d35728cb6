//! API keys: a public id and a secret shared with the application's backend (LiveKit: `keys`).

use std::fmt;

/// Shortest secret that is taken outside development: HS256 has 256 bits of strength only with as many of key
/// (RFC 7518, 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// How strict to be about secrets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// At least [`MIN_SECRET_BYTES`].
    Required,
    /// Any, such as `devkey: secret` of `--dev`.
    Development,
}

/// Why a key was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The secret can be guessed.
    #[error("the secret of API key {key:?} has {length} bytes, fewer than {MIN_SECRET_BYTES}")]
    WeakSecret {
        /// Its id.
        key: String,
        /// Of the secret, in bytes.
        length: usize,
    },
    /// The id is empty.
    #[error("an API key has no id")]
    EmptyId,
    /// Two secrets for one id: which one would be right?
    #[error("API key {0:?} is given twice")]
    Duplicate(String),
}

/// A secret that does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself: for signing, and for showing it once to whoever runs the server.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Is it this? However long it takes says nothing of how much of it is right.
    pub fn is(&self, guess: &str) -> bool {
        let digest = |text: &str| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        let (own, guessed) = (digest(&self.0), digest(guess));
        aws_lc_rs::constant_time::verify_slices_are_equal(own.as_ref(), guessed.as_ref()).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// All API keys, the first being the server's own for tokens that it issues itself.
#[derive(Clone, Debug, Default)]
pub struct KeyStore {
    // A handful at most: a scan is faster than a hash, and the order decides which key is ours.
    keys: Vec<(String, Secret)>,
}

impl KeyStore {
    /// Without keys: no token verifies.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a key.
    ///
    /// # Errors
    /// A weak secret (unless in development), an empty or a repeated id.
    pub fn add(&mut self, key: &str, secret: Secret, strength: Strength) -> Result<(), KeyError> {
        if key.is_empty() {
            return Err(KeyError::EmptyId);
        }
        if self.secret(key).is_some() {
            return Err(KeyError::Duplicate(key.to_owned()));
        }
        let length = secret.reveal().len();
        // An empty secret would let anybody sign, also in development.
        if length == 0 || (strength == Strength::Required && length < MIN_SECRET_BYTES) {
            return Err(KeyError::WeakSecret { key: key.to_owned(), length });
        }
        self.keys.push((key.to_owned(), secret));
        Ok(())
    }

    /// The secret of a key.
    pub fn secret(&self, key: &str) -> Option<&Secret> {
        self.keys.iter().find(|(id, _)| id == key).map(|(_, secret)| secret)
    }

    /// The key that the server signs its own tokens with: the first one.
    pub fn primary(&self) -> Option<(&str, &Secret)> {
        self.keys.first().map(|(id, secret)| (id.as_str(), secret))
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.keys.iter().map(|(_, secret)| secret)
    }

    /// No key at all.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A new key out of random bytes: `API` and 12 characters, and a secret of 32 bytes as base64url.
pub fn generate(id: [u8; 12], secret: [u8; 32]) -> (String, Secret) {
    use base64::Engine as _;
    // No characters that look alike: ids are read aloud.
    const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let id = id.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret);
    (format!("API{}", id.collect::<String>()), Secret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_20_a_secret_under_32_bytes_is_refused_but_in_development() {
        //
        let mut keys = KeyStore::new();
        let weak = keys.add("k", Secret::new("x".repeat(31)), Strength::Required);
        assert_eq!(weak, Err(KeyError::WeakSecret { key: "k".into(), length: 31 }));
        keys.add("k", Secret::new("x".repeat(32)), Strength::Required).unwrap();
        keys.add("devkey", Secret::new("secret"), Strength::Development).unwrap();
        assert!(keys.add("empty", Secret::new(""), Strength::Development).is_err());
    }

    #[test]
    fn the_first_key_is_the_servers_own_and_ids_are_unique() {
        let mut keys = KeyStore::new();
        assert!(keys.is_empty());
        keys.add("a", Secret::new("x".repeat(32)), Strength::Required).unwrap();
        keys.add("b", Secret::new("y".repeat(32)), Strength::Required).unwrap();
        assert_eq!(keys.primary().unwrap().0, "a");
        let twice = keys.add("a", Secret::new("z".repeat(32)), Strength::Required);
        assert_eq!(twice, Err(KeyError::Duplicate("a".into())));
        assert_eq!(keys.add("", Secret::new("z".repeat(32)), Strength::Required), Err(KeyError::EmptyId));
    }

    #[test]
    fn a_generated_key_is_strong_enough_for_itself() {
        let (id, secret) = generate([7; 12], [9; 32]);
        assert_eq!(id.len(), 15);
        KeyStore::new().add(&id, secret, Strength::Required).unwrap();
        assert_ne!(generate([7; 12], [9; 32]).1, generate([7; 12], [8; 32]).1);
    }

    #[test]
    fn a_secret_is_itself_and_nothing_else() {
        let secret = Secret::new("open sesame");
        assert!(secret.is("open sesame"));
        for wrong in ["", "open", "open sesame ", "OPEN SESAME"] {
            assert!(!secret.is(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let mut keys = KeyStore::new();
        keys.add("k", Secret::new("hunter2-hunter2-hunter2-hunter2-"), Strength::Required).unwrap();
        assert!(!format!("{keys:?}").contains("hunter2"));
    }
}
