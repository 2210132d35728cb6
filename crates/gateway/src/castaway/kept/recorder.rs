//! Writes pieces to a folder while they come. The streamer never waits for it: what finds no place is left out.

use super::super::limits::{ACCOUNT_LOOK, MAX_PIECES, MAX_UNRECORDED};
use super::super::records;
use super::super::vault::Full;
use super::{ABOUT, About, Recordings, ending};
use crate::draw;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;
use wire::castaway::sniff::{self, Sound};

/// A recording that runs; it ends when this is dropped.
#[derive(Debug)]
pub(in super::super) struct Recorder {
    pieces: mpsc::Sender<Vec<Bytes>>,
}

impl Recorder {
    pub(super) fn start(recordings: Arc<Recordings>, about: About) -> Self {
        let (pieces, queue) = mpsc::channel(MAX_UNRECORDED);
        let writing = Writing { recordings, about, folder: None, full: false, stored: 0, looked: None };
        tokio::spawn(writing.run(queue));
        Self { pieces }
    }

    /// Buffers that were sent together. Texts are not kept: nobody knows what they mean.
    pub(in super::super) fn offer(&mut self, attachments: &[Bytes]) {
        if !attachments.is_empty() && self.pieces.try_send(attachments.to_vec()).is_err() {
            metrics::counter!("odeon_castaway_unrecorded_total").increment(1);
        }
    }
}

struct Writing {
    recordings: Arc<Recordings>,
    about: About,
    folder: Option<Folder>,
    full: bool,
    /// What the store says that the streamer keeps, and when it was asked.
    stored: u64,
    looked: Option<Instant>,
}

/// Pieces of one container.
struct Folder {
    id: String,
    path: PathBuf,
    sound: Sound,
    /// The newest of its files.
    file: File,
    file_path: PathBuf,
    files: usize,
}

impl Writing {
    async fn run(mut self, mut queue: mpsc::Receiver<Vec<Bytes>>) {
        while let Some(pieces) = queue.recv().await {
            for piece in pieces {
                if self.full {
                    continue;
                }
                if let Err(error) = self.write(&piece).await {
                    tracing::warn!(%error, "a livestream is not recorded any further");
                    self.full = true;
                }
            }
        }
        self.finish();
    }

    async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let begins = sniff::sound(piece);
        match (&self.folder, begins) {
            (Some(folder), Some(sound)) if folder.sound == sound => {
                if !sound.is_appended() {
                    self.next_file().await?;
                }
            }
            // The same container goes on.
            (Some(_), None) => {}
            // Another one begins: another recording.
            (_, Some(sound)) => {
                self.finish();
                self.begin(sound).await?;
            }
            // What is no sound that we know is not kept.
            (None, None) => return Ok(()),
        }
        self.look().await;
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let bytes = piece.len() as u64;
        self.recordings.reserve(&self.about.owner, self.stored, bytes).map_err(io::Error::other)?;
        let written = async {
            folder.file.write_all(piece).await?;
            folder.file.flush().await
        };
        let written = written.await;
        match written {
            Ok(()) => self.recordings.syncer.wrote(&folder.file_path),
            Err(_) => self.recordings.release(&self.about.owner, bytes),
        }
        written
    }

    /// Where the store can't say what the streamer keeps, what it said last counts.
    async fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < ACCOUNT_LOOK) {
            return;
        }
        self.looked = Some(Instant::now());
        match records::kept_bytes(&*self.recordings.store, &self.about.owner).await {
            Ok(stored) => self.stored = stored,
            Err(error) => tracing::warn!(%error, "what a streamer keeps can not be counted"),
        }
    }

    async fn begin(&mut self, sound: Sound) -> io::Result<()> {
        let id = draw::name("");
        let path = self.recordings.vault.recordings().join(&id);
        let about = serde_json::to_vec(&self.about).map_err(io::Error::other)?;
        self.look().await;
        self.recordings.reserve(&self.about.owner, self.stored, about.len() as u64).map_err(io::Error::other)?;
        fs::create_dir(&path).await?;
        fs::write(path.join(ABOUT), about).await?;
        let file_path = path.join(name(1, sound));
        let file = File::create(&file_path).await?;
        for new in [&self.recordings.vault.recordings(), &path, &path.join(ABOUT)] {
            self.recordings.syncer.wrote(new);
        }
        self.folder = Some(Folder { id, path, sound, file, file_path, files: 1 });
        Ok(())
    }

    async fn next_file(&mut self) -> io::Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        if folder.files >= MAX_PIECES {
            return Err(io::Error::other("it has too many pieces"));
        }
        folder.files += 1;
        folder.file_path = folder.path.join(name(folder.files, folder.sound));
        folder.file = File::create(&folder.file_path).await?;
        self.recordings.syncer.wrote(&folder.path);
        Ok(())
    }

    fn finish(&mut self) {
        if let Some(folder) = self.folder.take() {
            self.recordings.joiner.join(folder.id);
        }
    }
}

impl Recordings {
    /// Counts what is about to be recorded for somebody who keeps `stored` bytes elsewhere.
    fn reserve(&self, owner: &str, stored: u64, bytes: u64) -> Result<(), Full> {
        if !self.vault.making().add(owner, stored, bytes) {
            return Err(Full::Account);
        }
        self.vault.reserve(bytes).inspect_err(|_| self.vault.making().take(owner, bytes))
    }

    /// It was not written.
    fn release(&self, owner: &str, bytes: u64) {
        self.vault.making().take(owner, bytes);
        self.vault.release(bytes);
    }
}

fn name(number: usize, sound: Sound) -> String {
    format!("{number:06}.{}", ending(sound))
}
