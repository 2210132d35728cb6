//! The folder of recordings and uploads: files by drawn names, and how much of them there may be.

use super::limits::READ_BYTES;
use super::making::Making;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use std::fs::{self, DirBuilder};
use std::io::{self, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::OwnedSemaphorePermit;

/// No more can be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Full {
    /// For everybody.
    #[error("the place for recordings and uploads is full (castaway.storage_size)")]
    House,
    /// For one account.
    #[error("one account keeps as much as it may (castaway.account_size)")]
    Account,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Vault {
    dir: PathBuf,
    used: AtomicU64,
    max_bytes: u64,
    making: Making,
}

impl Vault {
    /// Makes the folder where there is none; throws away what was not finished when the last process ended.
    pub(super) fn open(dir: PathBuf, max_bytes: u64, account_bytes: Option<u64>) -> io::Result<Self> {
        let vault = Self { dir, used: AtomicU64::new(0), max_bytes, making: Making::new(account_bytes) };
        let _ = fs::remove_dir_all(vault.drafts());
        for dir in [vault.drafts(), vault.files(), vault.recordings()] {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        // What is kept in a folder is on the disk only if the folder is.
        for dir in [Some(vault.dir.as_path()), vault.dir.parent()].into_iter().flatten() {
            fs::File::open(dir)?.sync_all()?;
        }
        vault.used.store(size_of(&vault.dir)?, Ordering::Relaxed);
        Ok(vault)
    }

    fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    fn drafts(&self) -> PathBuf {
        self.dir.join("drafts")
    }

    /// Where livestreams are kept until they are joined, a folder each.
    pub(super) fn recordings(&self) -> PathBuf {
        self.dir.join("recordings")
    }

    /// A file while it is written.
    pub(super) fn draft(&self, id: &str) -> PathBuf {
        self.drafts().join(id)
    }

    pub(super) fn file(&self, id: &str) -> PathBuf {
        self.files().join(id)
    }

    /// Counts what is about to be written.
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), Full> {
        let fits = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.max_bytes);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map(drop).map_err(|_| Full::House)
    }

    /// What each account has in the making.
    pub(super) fn making(&self) -> &Making {
        &self.making
    }

    /// It is not there any more, or was not written.
    pub(super) fn release(&self, bytes: u64) {
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(used.saturating_sub(bytes)));
    }

    /// A draft becomes a file, which is on the disk when this returns.
    pub(super) async fn keep(&self, id: &str) -> io::Result<()> {
        File::open(self.draft(id)).await?.sync_all().await?;
        tokio::fs::rename(self.draft(id), self.file(id)).await?;
        File::open(self.files()).await?.sync_all().await
    }

    /// Throws a file away. One that can't be is told to nobody: it takes place, and no more.
    pub(super) async fn discard(&self, id: &str, bytes: u64) {
        if tokio::fs::remove_file(self.file(id)).await.is_ok() {
            self.release(bytes);
        }
    }

    /// The bytes of a file, read as they are sent; `place` is given back at their end.
    pub(super) async fn read(&self, id: &str, from: u64, length: u64, place: OwnedSemaphorePermit) -> io::Result<Body> {
        let mut file = File::open(self.file(id)).await?;
        file.seek(SeekFrom::Start(from)).await?;
        let state = (file, length, place);
        let pieces = stream::unfold(state, |(mut file, left, place)| async move {
            let length = left.min(READ_BYTES as u64);
            if length == 0 {
                return None;
            }
            let mut piece = vec![0; usize::try_from(length).unwrap_or(READ_BYTES)];
            match file.read(&mut piece).await {
                Ok(0) => Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), (file, 0, place))),
                Ok(read) => {
                    piece.truncate(read);
                    Some((Ok(Bytes::from(piece)), (file, left - read as u64, place)))
                }
                Err(error) => Some((Err(error), (file, 0, place))),
            }
        });
        Ok(Body::from_stream(pieces))
    }
}

fn size_of(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size_of(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
