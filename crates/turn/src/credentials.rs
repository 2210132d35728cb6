//! Who may allocate: names that carry their own end, passwords and nonces that are computed instead of kept.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest, Md5};
use std::net::SocketAddr;
use std::time::Duration;

/// The realm of all our credentials: it stands in every refusal, so it is short.
pub const REALM: &str = "turn";
/// How long a name may be used to begin an allocation (livekit.md 3: 300 s). One that lives may go on.
pub const LOGIN_TTL: Duration = Duration::from_secs(300);
/// How long a nonce is good, in minutes (RFC 8656 section 5 wants at most an hour).
const NONCE_TTL_MIN: u32 = 60;
/// Of a nonce: minutes (3 bytes) and what proves that they are ours (6), in base64.
const NONCE_PROOF: usize = 6;

/// The key of everything here; drawn anew with each process.
pub struct Secret {
    passwords: hmac::Key,
    nonces: hmac::Key,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a client is given to log in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// `expiry:participant`, the expiry in seconds since 1970.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({}, …)", self.username)
    }
}

impl Secret {
    /// From 32 secure random bytes.
    pub fn new(entropy: &[u8; 32]) -> Self {
        let key = |purpose: &[u8]| {
            let root = hmac::Key::new(hmac::HMAC_SHA256, entropy);
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, purpose).as_ref())
        };
        Self { passwords: key(b"passwords"), nonces: key(b"nonces") }
    }

    /// For a participant, good for [`LOGIN_TTL`] from `now_unix` (seconds) on.
    pub fn login(&self, participant: &str, now_unix: u64) -> Login {
        let username = format!("{}:{participant}", now_unix + LOGIN_TTL.as_secs());
        Login { password: self.password(&username), username }
    }

    fn password(&self, username: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.passwords, username.as_bytes()))
    }

    /// The key of whoever has this name; whether it is a name of ours shows in what they sign.
    pub fn key(&self, username: &str) -> Key {
        Key::new(username, REALM, &self.password(username))
    }

    /// A nonce for this client.
    pub fn nonce(&self, client: &SocketAddr, now_unix: u64) -> String {
        let minutes = minutes(now_unix);
        let mut nonce = minutes.to_be_bytes()[1..].to_vec();
        nonce.extend_from_slice(&self.proof(client, minutes));
        URL_SAFE_NO_PAD.encode(nonce)
    }

    /// Is this a nonce that we gave to this client, not too long ago?
    pub fn is_nonce(&self, nonce: &str, client: &SocketAddr, now_unix: u64) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(nonce) else { return false };
        let Some((head, proof)) = bytes.split_first_chunk::<3>() else { return false };
        let given = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let age = minutes(now_unix).wrapping_sub(given) & MINUTES;
        age <= NONCE_TTL_MIN
            && aws_lc_rs::constant_time::verify_slices_are_equal(proof, &self.proof(client, given)).is_ok()
    }

    fn proof(&self, client: &SocketAddr, minutes: u32) -> [u8; NONCE_PROOF] {
        let tag = hmac::sign(&self.nonces, format!("{minutes} {client}").as_bytes());
        let mut proof = [0; NONCE_PROOF];
        proof.copy_from_slice(&tag.as_ref()[..NONCE_PROOF]);
        proof
    }
}

/// 24 bits of minutes come around after 31 years.
const MINUTES: u32 = 0x00FF_FFFF;

fn minutes(now_unix: u64) -> u32 {
    (now_unix / 60) as u32 & MINUTES
}

/// When a name ends, in seconds since 1970; `None` for one that is none of ours.
pub fn expiry(username: &str) -> Option<u64> {
    username.split_once(':')?.0.parse().ok()
}

/// Whose a name is.
pub fn participant(username: &str) -> &str {
    username.split_once(':').map_or(username, |(_, participant)| participant)
}

/// A long-term credential's key (RFC 8489 section 9.2.2): MD5, as every client does it; it protects nothing that
/// isn't random already.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Of a name and its password in a realm.
    pub fn new(username: &str, realm: &str, password: &str) -> Self {
        let digest = Md5::digest(format!("{username}:{realm}:{password}"));
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &digest))
    }

    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Vec<u8> {
        hmac::sign(&self.0, &parts.concat()).as_ref().to_vec()
    }

    pub(crate) fn verifies(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        hmac::verify(&self.0, &parts.concat(), tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn client(port: u16) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, 1], port))
    }

    #[test]
    fn l_02_a_login_says_when_it_ends_and_whose_it_is() {
        // L-02
        let secret = Secret::new(&[7; 32]);
        let login = secret.login("PA_abc", NOW);
        assert_eq!((expiry(&login.username), participant(&login.username)), (Some(NOW + 300), "PA_abc"));
        assert_ne!(login.password, secret.login("PA_abd", NOW).password);
        assert_ne!(login.password, Secret::new(&[8; 32]).login("PA_abc", NOW).password);
    }

    #[test]
    fn a_nonce_is_one_clients_for_an_hour() {
        let secret = Secret::new(&[7; 32]);
        let nonce = secret.nonce(&client(1), NOW);
        assert_eq!(nonce.len(), 12, "it stands in every refusal");
        assert!(secret.is_nonce(&nonce, &client(1), NOW) && secret.is_nonce(&nonce, &client(1), NOW + 3600));
        assert!(!secret.is_nonce(&nonce, &client(2), NOW), "another's");
        assert!(!secret.is_nonce(&nonce, &client(1), NOW + 2 * 3600), "too old");
        assert!(!secret.is_nonce(&nonce, &client(1), NOW - 3600), "from the future");
        assert!(!secret.is_nonce("", &client(1), NOW) && !secret.is_nonce("AAAAAAAAAAAA", &client(1), NOW));
    }
}
