//! Certificates in files that somebody else renews: read again when they change, and on SIGHUP.

use super::TlsError;
use net::tls::{Certificates, ServerCertificate};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How often it is looked whether the files have changed.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A file's size in bytes at most: a chain of ten certificates is 20 KB.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Reads both files. The error names the file.
pub fn read(certificate: &Path, key: &Path) -> Result<ServerCertificate, TlsError> {
    let (chain, key_text) = (bytes(certificate)?, bytes(key)?);
    ServerCertificate::from_pem(&chain, &key_text).map_err(|error| TlsError::Files {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        error,
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    let io = |source| TlsError::File { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(io)?.len();
    if size > MAX_FILE_BYTES {
        return Err(io(io::Error::other(format!("{size} bytes are no certificate ({MAX_FILE_BYTES} at most)"))));
    }
    fs::read(path).map_err(io)
}

/// What changes when a file is written or replaced. Seconds are too coarse: a tool may write twice in one.
type Stamp = Option<(u64, u64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
}

/// Keeps `certificates` at what the files say, for ever: looks `every` so often, and when `asked`. A pair that is damaged (or half written) changes nothing.
pub async fn follow(
    certificates: Arc<Certificates>,
    (certificate, key): (PathBuf, PathBuf),
    every: Duration,
    asked: Arc<Notify>,
) {
    let look = || (stamp(&certificate), stamp(&key));
    let mut seen = look();
    loop {
        let by_hand = tokio::select! {
            () = tokio::time::sleep(every) => false,
            () = asked.notified() => true,
        };
        // Looked at before they are read: what changes in between is read at the next look.
        let now = look();
        if now == seen && !by_hand {
            continue;
        }
        seen = now;
        match read(&certificate, &key) {
            Ok(new) => super::take(&certificates, new),
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use net::tls::self_signed;
    use std::time::SystemTime;

    const OFTEN: Duration = Duration::from_millis(10);
    const PATIENCE: Duration = Duration::from_secs(20);

    fn write(scratch: &Scratch) {
        let made = self_signed(&["localhost".to_owned()], SystemTime::now(), Duration::from_secs(3600)).unwrap();
        fs::write(scratch.path().join("chain"), made.0).unwrap();
        fs::write(scratch.path().join("key"), made.1).unwrap();
    }

    fn paths(scratch: &Scratch) -> (PathBuf, PathBuf) {
        (scratch.path().join("chain"), scratch.path().join("key"))
    }

    async fn until_changed(certificates: &Certificates, from: &str) {
        while certificates.current().fingerprint() == from {
            tokio::time::sleep(OFTEN).await;
        }
    }

    // F-5: what is renewed is taken without a restart.
    #[tokio::test]
    async fn f_5_renewed_files_are_taken_and_damaged_ones_are_not() {
        let scratch = Scratch::new();
        write(&scratch);
        let (chain, key) = paths(&scratch);
        let certificates = Certificates::new(read(&chain, &key).unwrap());
        let first = certificates.current().fingerprint().to_owned();
        tokio::spawn(follow(Arc::clone(&certificates), (chain.clone(), key), OFTEN, Arc::default()));
        fs::write(&chain, "half").unwrap();
        tokio::time::sleep(OFTEN * 5).await;
        assert_eq!(certificates.current().fingerprint(), first);
        write(&scratch);
        tokio::time::timeout(PATIENCE, until_changed(&certificates, &first)).await.unwrap();
    }

    #[test]
    fn the_file_that_is_wrong_is_named() {
        let scratch = Scratch::new();
        write(&scratch);
        let (chain, key) = paths(&scratch);
        assert!(read(&chain, &scratch.path().join("nowhere")).unwrap_err().to_string().contains("nowhere"));
        fs::write(&key, "no key").unwrap();
        assert!(read(&chain, &key).unwrap_err().to_string().contains("private key"));
        fs::write(&key, vec![b'x'; MAX_FILE_BYTES as usize + 1]).unwrap();
        assert!(read(&chain, &key).unwrap_err().to_string().contains("at most"));
    }
}
