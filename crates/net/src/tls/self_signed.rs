//! Certificates that nobody vouches for: for a LAN, and until a certificate authority has answered.

use super::CertificateError;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use std::time::{Duration, SystemTime};

/// A clock that is behind ours by this must not find the certificate in its future.
const CLOCK_LEEWAY: Duration = Duration::from_secs(24 * 3600);

/// Makes one for `names` (DNS names and IP addresses), valid from a day before `now` until `life` after it. Returns chain and
/// key, both PEM; the key is ECDSA P-256.
///
/// # Errors
/// A name is none, or there is no randomness.
pub fn self_signed(names: &[String], now: SystemTime, life: Duration) -> Result<(String, String), CertificateError> {
    let not_made = |error: rcgen::Error| CertificateError::NotMade(error.to_string());
    let mut params = CertificateParams::new(names).map_err(not_made)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Odeon, self-signed");
    params.not_before = (now - CLOCK_LEEWAY).into();
    params.not_after = (now + life).into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Without it macOS and iOS take no certificate, whatever the user says.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(not_made)?;
    let certificate = params.self_signed(&key).map_err(not_made)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
