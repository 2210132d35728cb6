//! How a domain is shown to be ours to a certificate authority that connects to it (TLS-ALPN-01, RFC 8737).

use super::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use super::{CertificateError, ServerCertificate};
use rcgen::{CertificateParams, CustomExtension, KeyPair};

impl ServerCertificate {
    /// The certificate that answers a challenge: for `domain` alone, with the SHA-256 `digest` of the key authorisation in
    /// its critical extension `acmeIdentifier` (RFC 8737, 3).
    ///
    /// # Errors
    /// `domain` is no DNS name, or there is no randomness.
    pub fn for_challenge(domain: &str, digest: &[u8; 32]) -> Result<Self, CertificateError> {
        let not_made = |error: rcgen::Error| CertificateError::NotMade(error.to_string());
        let mut params = CertificateParams::new(vec![domain.to_owned()]).map_err(not_made)?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate().map_err(not_made)?;
        let certificate = params.self_signed(&key).map_err(not_made)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self::from_der(vec![certificate.der().clone()], &key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer, X509Certificate};

    // RFC 8737, 3: for the domain alone, with the digest as a critical extension (id-pe 31).
    #[test]
    fn it_carries_the_digest_where_the_authority_looks() {
        let digest = [7; 32];
        let challenge = ServerCertificate::for_challenge("venue.example", &digest).unwrap();
        assert_eq!(challenge.names(), ["venue.example"]);
        let der = challenge.key.end_entity_cert().unwrap();
        let (_, parsed) = X509Certificate::from_der(der).unwrap();
        let extension = parsed.extensions().iter().find(|e| e.oid.to_id_string() == "1.3.6.1.5.5.7.1.31").unwrap();
        assert!(extension.critical && extension.value == [&[0x04, 32][..], &digest].concat());
    }
}
