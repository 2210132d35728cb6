//! Certificates that the data folder keeps. Chain and key are in one file, so that they can't be of two ages.

use super::TlsError;
use crate::data_dir::DataDir;
use net::tls::{ServerCertificate, self_signed};
use std::time::{Duration, SystemTime};

/// The certificate that we signed ourselves.
const SELF_SIGNED: &str = "tls-self-signed.pem";
/// The one that a certificate authority signed.
const ACME: &str = "tls-acme.pem";

/// Life of a certificate of our own: what Apple's systems take at most from nobody known (825 days), less a month.
const SELF_SIGNED_LIFE: Duration = Duration::from_secs(795 * 24 * 3600);
/// With less than this left a new one is made.
const SELF_SIGNED_RENEWED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Our own certificate: the kept one while it is good, or one made for `names`. Who has once said that it is right must not
/// be asked again at the next start.
pub fn own(dir: &DataDir, names: &[String], now: SystemTime) -> Result<ServerCertificate, TlsError> {
    if let Some(kept) = read(dir, SELF_SIGNED)?
        && kept.not_after() > now + SELF_SIGNED_RENEWED
    {
        return Ok(kept);
    }
    let (chain, key) = self_signed(names, now, SELF_SIGNED_LIFE)?;
    keep(dir, SELF_SIGNED, &chain, &key)
}

/// Our own certificate, if there is one yet.
pub fn own_if_any(dir: &DataDir) -> Result<Option<ServerCertificate>, TlsError> {
    read(dir, SELF_SIGNED)
}

/// The authority's certificate, if there is one yet.
pub fn acme(dir: &DataDir) -> Result<Option<ServerCertificate>, TlsError> {
    read(dir, ACME)
}

/// Keeps a new one of the authority's.
pub fn keep_acme(dir: &DataDir, chain: &str, key: &str) -> Result<ServerCertificate, TlsError> {
    keep(dir, ACME, chain, key)
}

fn read(dir: &DataDir, name: &'static str) -> Result<Option<ServerCertificate>, TlsError> {
    let Some(text) = dir.read(name)? else { return Ok(None) };
    match ServerCertificate::from_pem(text.as_bytes(), text.as_bytes()) {
        Ok(certificate) => Ok(Some(certificate)),
        Err(error) => {
            tracing::warn!(file = name, %error, "a kept certificate is damaged, and made anew");
            Ok(None)
        }
    }
}

fn keep(dir: &DataDir, name: &str, chain: &str, key: &str) -> Result<ServerCertificate, TlsError> {
    let certificate = ServerCertificate::from_pem(chain.as_bytes(), key.as_bytes())?;
    dir.write(name, format!("{}\n{}", chain.trim_end(), key).as_bytes()).map_err(TlsError::Kept)?;
    Ok(certificate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::os::unix::fs::PermissionsExt;

    fn names() -> Vec<String> {
        vec!["localhost".to_owned()]
    }

    #[test]
    fn our_own_stays_the_same_until_it_grows_old() {
        let scratch = Scratch::new();
        let dir = DataDir::open(scratch.path()).unwrap();
        let now = SystemTime::now();
        let first = own(&dir, &names(), now).unwrap();
        assert_eq!(own(&dir, &names(), now).unwrap().fingerprint(), first.fingerprint());
        let later = now + SELF_SIGNED_LIFE - SELF_SIGNED_RENEWED + Duration::from_secs(60);
        assert_ne!(own(&dir, &names(), later).unwrap().fingerprint(), first.fingerprint());
    }

    #[test]
    fn its_key_is_for_its_owner_alone() {
        let scratch = Scratch::new();
        own(&DataDir::open(scratch.path()).unwrap(), &names(), SystemTime::now()).unwrap();
        let mode = std::fs::metadata(scratch.path().join(SELF_SIGNED)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_one_is_made_anew() {
        let scratch = Scratch::new();
        let dir = DataDir::open(scratch.path()).unwrap();
        dir.write(SELF_SIGNED, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(own(&dir, &names(), SystemTime::now()).is_ok());
    }
}
