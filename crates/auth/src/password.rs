//! Passwords: Argon2id (RFC 9106), as text that says its own parameters, so that they can rise without anybody's password
//! being lost.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory of one hash, in KiB. RFC 9106 leaves memory and passes to what a server can give; these are OWASP's for a server
/// that also does other things: 19 MiB and two passes, about 40 ms.
pub const MEMORY_KIB: u32 = 19 * 1024;

/// Passes over that memory.
const PASSES: u32 = 2;

/// Lanes: one, a login takes one core.
const LANES: u32 = 1;

/// Longest password that is hashed, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// The password can't be hashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the password can not be hashed")]
pub struct Unhashable;

/// Hashes a password with 16 random bytes of its own. Takes [`MEMORY_KIB`] and tens of milliseconds.
///
/// # Errors
/// It is too long.
pub fn hash(password: &str, salt: [u8; 16]) -> Result<String, Unhashable> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Unhashable);
    }
    let salt = SaltString::encode_b64(&salt).map_err(|_| Unhashable)?;
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| Unhashable)?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password(password.as_bytes(), &salt).map_err(|_| Unhashable)?;
    Ok(hash.to_string())
}

/// Is this the password? Takes as long as [`hash`] did.
pub fn verify(password: &str, hash: &str) -> bool {
    let parsed = PasswordHash::new(hash).ok().filter(|_| password.len() <= MAX_PASSWORD_BYTES);
    parsed.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    // C-18: passwords hashed with Argon2id.
    #[test]
    fn c_18_a_hash_says_its_parameters_and_fits_one_password() {
        let hashed = hash("correct horse", [7; 16]).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify("correct horse", &hashed));
        assert!(!verify("correct horsf", &hashed) && !verify("", &hashed));
        assert_ne!(hash("correct horse", [8; 16]).unwrap(), hashed, "the salt counts");
    }

    #[test]
    fn what_is_no_hash_fits_no_password() {
        for hash in ["", "$argon2id$", "plain", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ"] {
            assert!(!verify("plain", hash), "{hash}");
        }
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert!(hash(&long, [0; 16]).is_err() && !verify(&long, &hash("a", [0; 16]).unwrap()));
    }
}
