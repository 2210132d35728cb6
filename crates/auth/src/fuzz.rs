//! Bodies of the fuzz targets: whatever the bytes, no panic and nobody let in.

use crate::key::{KeyStore, Secret, Strength};
use crate::origin::WebOrigin;

/// A token out of anything.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut keys = KeyStore::new();
    let added = keys.add("devkey", Secret::new("secret"), Strength::Development);
    debug_assert!(added.is_ok());
    let _ = crate::verify(text, &keys, 1_700_000_000);
}

/// An `Origin` or `Host` header out of anything.
pub fn origin(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = WebOrigin::parse(text);
    let _ = WebOrigin::from_host(text, true);
}
