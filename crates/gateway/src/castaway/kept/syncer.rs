//! Brings pieces to the disk a moment after they were written: those of all recordings together, on one thread, so that no
//! recording waits for a disk and a slow disk has one who waits for it.

use super::super::limits::SYNC_PAUSE;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Files and folders that were written to and may not be on the disk: no more than recordings have files.
type Dirty = Arc<Mutex<BTreeSet<PathBuf>>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Syncer {
    // Held for single inserts, and to be taken whole.
    dirty: Dirty,
    wake: mpsc::Sender<()>,
}

impl Syncer {
    pub(super) fn start() -> Self {
        Self::start_by(sync)
    }

    fn start_by(sync: impl Fn(&Path) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let (wake, mut woken) = mpsc::channel(1);
        let dirty = Dirty::default();
        let (waiting, sync) = (Arc::clone(&dirty), Arc::new(sync));
        tokio::spawn(async move {
            while woken.recv().await.is_some() {
                tokio::time::sleep(SYNC_PAUSE).await;
                let (waiting, sync) = (Arc::clone(&waiting), Arc::clone(&sync));
                let done = tokio::task::spawn_blocking(move || sync_all(take(&waiting), &*sync)).await;
                if let Err(error) = done {
                    tracing::error!(%error, "recordings could not be brought to the disk");
                }
            }
        });
        Self { dirty, wake }
    }

    /// A file's content, or a folder's list of files, is new.
    pub(super) fn wrote(&self, path: &Path) {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        // Full: it will look anyway.
        let _ = self.wake.try_send(());
    }
}

fn take(dirty: &Dirty) -> BTreeSet<PathBuf> {
    std::mem::take(&mut *dirty.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Files before the folders that they are in.
fn sync_all(paths: BTreeSet<PathBuf>, sync: &impl Fn(&Path) -> io::Result<()>) {
    for path in paths.iter().rev() {
        match sync(path) {
            Ok(()) => {}
            // It is a podcast by now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "a part of a recording could not be brought to the disk"),
        }
    }
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::time::timeout;

    /// A syncer whose disk says what it was asked for, and does nothing before it is told.
    fn observed() -> (Syncer, UnboundedReceiver<String>, std::sync::mpsc::Sender<()>) {
        let (asked, told) = unbounded_channel();
        let (go, waits) = std::sync::mpsc::channel();
        let waits = Mutex::new(waits);
        let syncer = Syncer::start_by(move |path| {
            asked.send(path.display().to_string()).unwrap();
            waits.lock().unwrap().recv().unwrap();
            if path.ends_with("joined") { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
        });
        (syncer, told, go)
    }

    async fn next(told: &mut UnboundedReceiver<String>) -> String {
        timeout(Duration::from_secs(30), told.recv()).await.expect("in time").unwrap()
    }

    // C-19, Q-4: what was written is on the disk within about a second, each file once, and files before their folder.
    #[tokio::test]
    async fn c_19_q_4_what_was_written_reaches_the_disk_and_nobody_waits_for_it() {
        let (syncer, mut told, go) = observed();
        for path in ["r/a", "r/a/1", "r/a/1", "r/b/joined", "r"] {
            syncer.wrote(Path::new(path));
        }
        assert_eq!(next(&mut told).await, "r/b/joined");
        // While the disk is busy more comes, and its writer goes on.
        syncer.wrote(Path::new("r/a/1"));
        for expected in ["r/a/1", "r/a", "r", "r/a/1"] {
            go.send(()).unwrap();
            assert_eq!(next(&mut told).await, expected);
        }
        go.send(()).unwrap();
    }

    #[test]
    fn a_file_and_its_folder_can_be_brought_to_the_disk() {
        let dir = std::env::temp_dir().join(format!("odeon-syncer-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("1"), "x").unwrap();
        assert!(sync(&dir.join("1")).is_ok() && sync(&dir).is_ok());
        assert_eq!(sync(&dir.join("2")).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
