//! The certificate: where it comes from, and how it is kept fresh while the venue is open.

mod acme;
mod files;
mod kept;
mod renewal;
mod source;

pub use source::{AcmeSettings, Source};

use crate::config::Config;
use crate::data_dir::{DataDir, DataDirError};
use net::tls::{CertificateError, Certificates, ServerCertificate};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// How often it is looked whether our own certificate has grown old. It lives for years.
const OWN_LOOK_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Why there is no certificate, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The settings contradict each other.
    #[error("{0}")]
    Settings(&'static str),
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in the files won't do.
    #[error("{} and {}: {error}", certificate.display(), key.display())]
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        error: CertificateError,
    },
    /// One that is ours, or the authority's, won't do.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The data folder failed.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// It can't be kept.
    #[error("the certificate can't be kept: {0}")]
    Kept(io::Error),
}

/// A certificate, and what keeps it fresh.
#[derive(Debug)]
pub struct Tls {
    /// For all who listen with TLS.
    pub certificates: Arc<Certificates>,
    source: Source,
    asked: Arc<Notify>,
}

impl Tls {
    /// The certificate that the settings want, if they want any. It never waits for a certificate authority: until that has
    /// answered, the certificate is one of our own. `names` are those of this machine.
    pub fn prepare(config: &Config, dir: &DataDir, names: &[String]) -> Result<Option<Self>, TlsError> {
        let Some(source) = Source::of(config).map_err(TlsError::Settings)? else { return Ok(None) };
        let certificate = match &source {
            Source::Files { certificate, key } => files::read(certificate, key)?,
            Source::SelfSigned => kept::own(dir, names, SystemTime::now())?,
            Source::Acme(settings) => first_of_acme(settings, dir)?,
        };
        publish(&certificate);
        let certificates = Certificates::new(certificate);
        Ok(Some(Self { certificates, source, asked: Arc::default() }))
    }

    /// Keeps it fresh from now on, in a task of its own.
    pub fn keep_fresh(&self, dir: &DataDir, names: Vec<String>) {
        let (certificates, asked) = (Arc::clone(&self.certificates), Arc::clone(&self.asked));
        let dir = dir.clone();
        match self.source.clone() {
            Source::Files { certificate, key } => {
                drop(tokio::spawn(files::follow(certificates, (certificate, key), files::LOOK_EVERY, asked)))
            }
            Source::Acme(settings) => drop(tokio::spawn(acme::keep_fresh(certificates, settings, dir, asked))),
            Source::SelfSigned => drop(tokio::spawn(keep_own(certificates, dir, names))),
        }
    }

    /// Looks at once whether there is a newer one (SIGHUP).
    pub fn reload(&self) {
        self.asked.notify_one();
    }

    /// In words, for whoever starts it.
    pub fn summary(&self) -> String {
        let certificate = self.certificates.current();
        match &self.source {
            Source::Files { certificate, .. } => certificate.display().to_string(),
            Source::SelfSigned => format!("self-signed, SHA-256 {}", certificate.fingerprint()),
            Source::Acme(settings) if renewal::covers(&certificate, &settings.domains) => {
                format!("{}, by ACME", settings.domains.join(" "))
            }
            Source::Acme(settings) => {
                format!("self-signed until the ACME authority has answered for {}", settings.domains.join(" "))
            }
        }
    }

    /// The domain that a certificate authority vouches for, if one does.
    pub fn domain(&self) -> Option<&str> {
        match &self.source {
            Source::Acme(settings) => settings.domains.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether authorities knock here.
    pub fn is_acme(&self) -> bool {
        matches!(self.source, Source::Acme(_))
    }
}

/// The certificate as it is now, for whoever only looks; `None` is none yet. `dir` is the data folder, if there is one.
pub fn peek(source: &Source, dir: Option<&DataDir>) -> Result<Option<ServerCertificate>, TlsError> {
    match (source, dir) {
        (Source::Files { certificate, key }, _) => files::read(certificate, key).map(Some),
        (_, None) => Ok(None),
        (Source::Acme(_), Some(dir)) => kept::acme(dir),
        (Source::SelfSigned, Some(dir)) => kept::own_if_any(dir),
    }
}

fn first_of_acme(settings: &AcmeSettings, dir: &DataDir) -> Result<ServerCertificate, TlsError> {
    let now = SystemTime::now();
    match kept::acme(dir)? {
        Some(kept) if kept.not_after() > now && renewal::covers(&kept, &settings.domains) => Ok(kept),
        _ => kept::own(dir, &settings.domains, now),
    }
}

async fn keep_own(certificates: Arc<Certificates>, dir: DataDir, names: Vec<String>) {
    loop {
        tokio::time::sleep(OWN_LOOK_EVERY).await;
        match kept::own(&dir, &names, SystemTime::now()) {
            Ok(own) if own.fingerprint() != certificates.current().fingerprint() => take(&certificates, own),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
    }
}

/// Puts a new certificate in force.
fn take(certificates: &Certificates, new: ServerCertificate) {
    publish(&new);
    let days = new.not_after().duration_since(SystemTime::now()).map_or(0, |left| left.as_secs() / (24 * 3600));
    certificates.replace(new);
    tracing::info!(days_left = days, "a new certificate is in force");
}

// For an alarm before it expires.
fn publish(certificate: &ServerCertificate) {
    let until = certificate.not_after().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    metrics::gauge!("odeon_tls_certificate_not_after_seconds").set(until);
}
