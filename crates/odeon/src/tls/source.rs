//! Where the certificate comes from: what the settings under `tls` mean together.

use crate::config::Config;
use std::path::PathBuf;

/// The settings of a certificate authority (RFC 8555).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeSettings {
    /// DNS names that the certificate is for.
    pub domains: Vec<String>,
    /// Where the authority writes to when something is wrong; may be empty.
    pub email: String,
    /// Where the authority's API begins.
    pub directory_url: String,
    /// Whom to trust as that authority's web server; the system's roots otherwise.
    pub root_file: Option<PathBuf>,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// PEM files that somebody else renews.
    Files {
        /// Chain, the server's own first.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// A certificate authority.
    Acme(AcmeSettings),
    /// Ourselves.
    SelfSigned,
}

impl Source {
    /// What the settings say; `None` is no TLS. The error says which settings contradict each other.
    pub fn of(config: &Config) -> Result<Option<Self>, &'static str> {
        let files = match (&config.tls_cert_file, &config.tls_key_file) {
            (Some(certificate), Some(key)) => Some(Self::Files { certificate: certificate.clone(), key: key.clone() }),
            (None, None) => None,
            (Some(_), None) => return Err("tls.cert_file needs tls.key_file, the certificate's private key"),
            (None, Some(_)) => return Err("tls.key_file needs tls.cert_file, the certificate that the key is for"),
        };
        let acme = (!config.tls_acme_domains.0.is_empty()).then(|| Self::Acme(acme(config)));
        let own = config.tls_self_signed.then_some(Self::SelfSigned);
        let mut wanted = [files, acme, own].into_iter().flatten();
        match (wanted.next(), wanted.next()) {
            (source, None) => Ok(source),
            _ => Err("name one of tls.cert_file, tls.acme.domains and tls.self_signed: there is one certificate"),
        }
    }
}

fn acme(config: &Config) -> AcmeSettings {
    AcmeSettings {
        domains: config.tls_acme_domains.0.clone(),
        email: config.tls_acme_email.0.clone(),
        directory_url: config.tls_acme_directory_url.0.clone(),
        root_file: config.tls_acme_root_file.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn source(flags: &[(&'static str, &str)]) -> Result<Option<Source>, &'static str> {
        let flags = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
        Source::of(&load(&Sources { flags, ..Sources::default() }).unwrap().config)
    }

    #[test]
    fn without_settings_there_is_no_tls() {
        assert_eq!(source(&[]), Ok(None));
    }

    #[test]
    fn half_a_pair_is_refused_by_the_name_of_the_other_half() {
        assert!(source(&[("tls.cert_file", "a.pem")]).unwrap_err().contains("tls.key_file"));
        assert!(source(&[("tls.key_file", "a.pem")]).unwrap_err().contains("tls.cert_file"));
    }

    #[test]
    fn there_is_one_certificate_so_there_is_one_source() {
        let files = [("tls.cert_file", "a.pem"), ("tls.key_file", "a.pem")];
        assert!(matches!(source(&files), Ok(Some(Source::Files { .. }))));
        assert!(source(&[files[0], files[1], ("tls.self_signed", "true")]).is_err());
        assert!(source(&[("tls.acme.domains", "venue.example"), ("tls.self_signed", "true")]).is_err());
    }
}
