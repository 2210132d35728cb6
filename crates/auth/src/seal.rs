//! Sealed texts: what the server hands out and gets back as it was, until a certain time (links to files, refresh tokens).
//! They are no access tokens and can't be taken for one: each says what it is for, and is good for nothing else.

use crate::key::KeyStore;
use crate::token::TokenError;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

/// Longest sealed text that is looked at, in bytes.
pub const MAX_SEALED_BYTES: usize = 4 * 1024;

/// Seals `content` for `purpose` with the server's own key, until `expires_unix` (seconds).
///
/// # Errors
/// [`TokenError::UnknownKey`] when there is no key at all.
pub fn seal(keys: &KeyStore, purpose: &str, content: &str, expires_unix: u64) -> Result<String, TokenError> {
    let (_, secret) = keys.primary().ok_or(TokenError::UnknownKey)?;
    let body = format!("{expires_unix}.{content}");
    let tag = hmac::sign(&key(secret.reveal()), &message(purpose, &body));
    Ok(format!("{}.{}", BASE64URL.encode(body), BASE64URL.encode(tag)))
}

/// What was sealed, if it was by one of our keys, for this purpose, and its time is not over.
pub fn open(keys: &KeyStore, purpose: &str, sealed: &str, now_unix: u64) -> Option<String> {
    if sealed.len() > MAX_SEALED_BYTES {
        return None;
    }
    let (body, tag) = sealed.split_once('.')?;
    let (body, tag) = (BASE64URL.decode(body).ok()?, BASE64URL.decode(tag).ok()?);
    let body = String::from_utf8(body).ok()?;
    let message = message(purpose, &body);
    keys.secrets().find(|secret| hmac::verify(&key(secret.reveal()), &message, &tag).is_ok())?;
    let (expires, content) = body.split_once('.')?;
    let expires: u64 = expires.parse().ok()?;
    (expires > now_unix).then(|| content.to_owned())
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

/// A JWT's message has no NUL in it: what is signed here is never one.
fn message(purpose: &str, body: &str) -> Vec<u8> {
    [b"odeon seal\0", purpose.as_bytes(), b"\0", body.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Secret, Strength};

    fn keys(secret: &str) -> KeyStore {
        let mut keys = KeyStore::new();
        keys.add("k", Secret::new(secret), Strength::Development).unwrap();
        keys
    }

    #[test]
    fn c_21_a_seal_holds_for_its_purpose_and_time() {
        let keys = keys("secret");
        let sealed = seal(&keys, "link", "a.b", 100).unwrap();
        assert_eq!(open(&keys, "link", &sealed, 99).as_deref(), Some("a.b"));
        assert_eq!(open(&keys, "link", &sealed, 100), None, "its time is over");
        assert_eq!(open(&keys, "refresh", &sealed, 99), None, "for something else");
        assert_eq!(open(&self::keys("other"), "link", &sealed, 99), None, "another key");
        assert!(seal(&KeyStore::new(), "link", "a", 1).is_err());
    }

    #[test]
    fn what_is_no_seal_opens_nothing() {
        let keys = keys("secret");
        let sealed = seal(&keys, "link", "a", 100).unwrap();
        for cut in 0..sealed.len() {
            assert_eq!(open(&keys, "link", &sealed[..cut], 1), None);
        }
        for wrong in ["", ".", "a.b", "é.é", &"x".repeat(MAX_SEALED_BYTES + 1)] {
            assert_eq!(open(&keys, "link", wrong, 1), None, "{wrong}");
        }
        let other = seal(&keys, "link", "b", 100).unwrap();
        let mixed = format!("{}.{}", sealed.split('.').next().unwrap(), other.split('.').nth(1).unwrap());
        assert_eq!(open(&keys, "link", &mixed, 1), None);
    }
}
