//! The certificate in force, shared by all who listen with TLS, and replaced without any of them noticing.

use super::rustls::crypto::aws_lc_rs::default_provider;
use super::rustls::server::{ClientHello, ResolvesServerCert};
use super::rustls::sign::CertifiedKey;
use super::rustls::{DEFAULT_VERSIONS, ServerConfig};
use super::{CertificateError, ServerCertificate, alpn};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;

/// Challenges at a time at most: names that one certificate may have, with ACME's usual limit of 100.
const MAX_CHALLENGES: usize = 100;

/// The certificate in force. New connections get the newest; those that are open keep what they have.
#[derive(Debug)]
pub struct Certificates {
    current: ArcSwap<ServerCertificate>,
    /// By domain, while a certificate authority looks (RFC 8737).
    challenges: ArcSwap<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    /// Begins with this one.
    pub fn new(certificate: ServerCertificate) -> Arc<Self> {
        Arc::new(Self { current: ArcSwap::from_pointee(certificate), challenges: ArcSwap::default() })
    }

    /// From now on newcomers get this one.
    pub fn replace(&self, certificate: ServerCertificate) {
        self.current.store(Arc::new(certificate));
    }

    /// The one in force.
    pub fn current(&self) -> Arc<ServerCertificate> {
        self.current.load_full()
    }

    /// What a listener needs, to be made once: it always hands out the certificate that is in force then. Of `protocols`
    /// ([`alpn`]) a client gets the first that it names too; one that names none is served, one that names only others is not.
    ///
    /// # Errors
    /// The crypto library lacks what TLS needs, which no build of ours does.
    pub fn server_config(self: &Arc<Self>, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>, CertificateError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(DEFAULT_VERSIONS)
            .map_err(|error| CertificateError::NotMade(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as _);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }

    /// Shows `certificate` to whoever asks for `domain` by [`alpn::ACME`], until [`Self::end_challenge`]. `false`: there are
    /// too many challenges already.
    pub fn begin_challenge(&self, domain: &str, certificate: &ServerCertificate) -> bool {
        let mut taken = false;
        self.challenges.rcu(|challenges| {
            let mut challenges = HashMap::clone(challenges);
            taken = challenges.len() < MAX_CHALLENGES;
            if taken {
                challenges.insert(domain.to_ascii_lowercase(), Arc::clone(&certificate.key));
            }
            challenges
        });
        taken
    }

    /// The authority has looked.
    pub fn end_challenge(&self, domain: &str) {
        self.challenges.rcu(|challenges| {
            let mut challenges = HashMap::clone(challenges);
            challenges.remove(&domain.to_ascii_lowercase());
            challenges
        });
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asks_for_challenge = hello.alpn().is_some_and(|mut protocols| protocols.any(|name| name == alpn::ACME));
        if asks_for_challenge {
            // RFC 8737, 3: such a connection gets the challenge's certificate or none at all.
            return self.challenges.load().get(&hello.server_name()?.to_ascii_lowercase()).cloned();
        }
        Some(Arc::clone(&self.current.load().key))
    }
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
