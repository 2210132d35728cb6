//! Bodies of the fuzz targets: whatever the bytes, no panic and nobody let in.

use crate::external::{Issuer, KeySet};
use crate::key::{KeyStore, Secret, Strength};
use crate::origin::WebOrigin;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token out of anything.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut keys = KeyStore::new();
    let added = keys.add("devkey", Secret::new("secret"), Strength::Development);
    debug_assert!(added.is_ok());
    let _ = crate::verify(text, &keys, 1_700_000_000);
}

/// An issuer's key set, and a token of its, out of anything.
pub fn external(data: &[u8]) {
    let _ = KeySet::parse(data);
    // Whose private half nobody has.
    let modulus = URL_SAFE_NO_PAD.encode([0xbf; 256]);
    let set = format!(r#"{{"keys":[{{"kty":"RSA","kid":"1","e":"AQAB","n":"{modulus}"}}]}}"#);
    let (Ok(text), Ok(keys)) = (std::str::from_utf8(data), KeySet::parse(set.as_bytes())) else { return };
    let issuer = Issuer { issuer: "https://id.example".to_owned(), audience: "castaway".to_owned() };
    assert!(crate::external::verify(text, &issuer, &keys, 1_700_000_000).is_err());
}

/// An `Origin` or `Host` header out of anything.
pub fn origin(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = WebOrigin::parse(text);
    let _ = WebOrigin::from_host(text, true);
}
