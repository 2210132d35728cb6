//! A certificate chain with its key, and what an operator wants to know of it.

use super::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use super::rustls::pki_types::pem::PemObject;
use super::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use super::rustls::sign::CertifiedKey;
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Certificates in a chain at most: public ones have three or four, and each handshake sends them all.
const MAX_CHAIN: usize = 10;

/// Why a certificate can't be used, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// No certificate among the text.
    #[error("no certificate in it: it has to be PEM, the server's own certificate first")]
    NoCertificate,
    /// Too many of them.
    #[error("more than {MAX_CHAIN} certificates in it: a chain of the server's own and those that signed it is wanted")]
    TooMany,
    /// No key among the text.
    #[error("no private key in it: it has to be PEM, and not locked by a passphrase")]
    NoKey,
    /// A key that TLS can't use.
    #[error("TLS can't use a key of this kind: take ECDSA P-256 or RSA")]
    KeyKind,
    /// The key is another certificate's.
    #[error("the key does not belong to the certificate")]
    Mismatch,
    /// The certificate is no X.509.
    #[error("the certificate can't be read: {0}")]
    Unreadable(String),
    /// None could be made.
    #[error("no certificate could be made: {0}")]
    NotMade(String),
}

/// A chain, its key, and what stands in the first certificate.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    pub(super) key: Arc<CertifiedKey>,
    not_before: SystemTime,
    not_after: SystemTime,
    names: Vec<String>,
    fingerprint: String,
    self_signed: bool,
}

impl ServerCertificate {
    /// Reads a chain and its key, both PEM (RFC 7468).
    ///
    /// # Errors
    /// Either is missing, of a kind that TLS can't use, or they don't belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .take(MAX_CHAIN + 1)
            .collect::<Result<_, _>>()
            .map_err(|_| CertificateError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
        let certificate = Self::from_der(chain, &key)?;
        certificate.key.keys_match().map_err(|_| CertificateError::Mismatch)?;
        Ok(certificate)
    }

    pub(super) fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'_>,
    ) -> Result<Self, CertificateError> {
        if chain.len() > MAX_CHAIN {
            return Err(CertificateError::TooMany);
        }
        let first = chain.first().ok_or(CertificateError::NoCertificate)?.clone();
        let key = CertifiedKey::new(chain, any_supported_type(key).map_err(|_| CertificateError::KeyKind)?);
        let unreadable = |error: &dyn std::fmt::Display| CertificateError::Unreadable(error.to_string());
        let (_, parsed) = X509Certificate::from_der(&first).map_err(|error| unreadable(&error))?;
        Ok(Self {
            key: Arc::new(key),
            not_before: time(parsed.validity().not_before.timestamp()),
            not_after: time(parsed.validity().not_after.timestamp()),
            names: names(&parsed),
            fingerprint: fingerprint(&first),
            self_signed: parsed.issuer() == parsed.subject(),
        })
    }

    /// From when on it is valid.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// Until when it is valid.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whom it is for: DNS names (`*.example` is possible) and IP addresses.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Nobody but itself vouches for it.
    pub fn is_self_signed(&self) -> bool {
        self.self_signed
    }

    /// SHA-256 of the first certificate, as browsers show it: `AB:CD:…`.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

// Before 1970 is as invalid as 1970.
fn time(unix_s: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(unix_s).unwrap_or_default())
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternatives)) = certificate.subject_alternative_name() else { return Vec::new() };
    alternatives.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

fn fingerprint(der: &[u8]) -> String {
    let mut text = String::new();
    for (index, byte) in digest(&SHA256, der).as_ref().iter().enumerate() {
        let separator = if index == 0 { "" } else { ":" };
        // Writing to a String can't fail.
        let _ = write!(text, "{separator}{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::self_signed;

    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

    fn made(name: &str) -> (String, String) {
        self_signed(&[name.to_owned()], SystemTime::now(), YEAR).unwrap()
    }

    #[test]
    fn it_says_whom_it_is_for_and_until_when() {
        let (chain, key) = self_signed(&["venue.example".into(), "192.0.2.1".into()], SystemTime::now(), YEAR).unwrap();
        let certificate = ServerCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(certificate.names(), ["venue.example", "192.0.2.1"]);
        let life = certificate.not_after().duration_since(SystemTime::now()).unwrap();
        assert!(life > YEAR / 2 && life <= YEAR, "{life:?}");
        assert!(certificate.not_before() <= SystemTime::now());
        assert_eq!(certificate.fingerprint().len(), 32 * 3 - 1);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let ((chain, _), (_, key)) = (made("one.example"), made("other.example"));
        let refused = ServerCertificate::from_pem(chain.as_bytes(), key.as_bytes());
        assert!(matches!(refused, Err(CertificateError::Mismatch)), "{refused:?}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let (chain, key) = made("venue.example");
        let refused =
            |chain: &str, key: &str| ServerCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(matches!(refused("", &key), CertificateError::NoCertificate));
        assert!(matches!(refused(&chain, ""), CertificateError::NoKey));
        assert!(matches!(refused(&key, &chain), CertificateError::NoCertificate | CertificateError::NoKey));
        assert!(matches!(refused(&chain.repeat(MAX_CHAIN + 1), &key), CertificateError::TooMany));
    }
}
