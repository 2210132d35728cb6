//! Writes pieces to a folder while they come. The streamer never waits for it: what finds no place is left out.

use super::super::limits::{MAX_PIECES, MAX_UNRECORDED};
use super::super::vault::Vault;
use super::joiner::Joiner;
use super::{ABOUT, About, ending};
use crate::draw;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use wire::castaway::sniff::{self, Sound};

/// A recording that runs; it ends when this is dropped.
#[derive(Debug)]
pub(in super::super) struct Recorder {
    pieces: mpsc::Sender<Vec<Bytes>>,
}

impl Recorder {
    pub(in super::super) fn start(vault: Arc<Vault>, joiner: Joiner, about: About) -> Self {
        let (pieces, queue) = mpsc::channel(MAX_UNRECORDED);
        tokio::spawn(Writing { vault, joiner, about, folder: None, full: false }.run(queue));
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
    vault: Arc<Vault>,
    joiner: Joiner,
    about: About,
    folder: Option<Folder>,
    full: bool,
}

/// Pieces of one container.
struct Folder {
    id: String,
    path: PathBuf,
    sound: Sound,
    file: File,
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
        let Some(folder) = &mut self.folder else { return Ok(()) };
        self.vault.reserve(piece.len() as u64).map_err(io::Error::other)?;
        folder.file.write_all(piece).await?;
        folder.file.flush().await
    }

    async fn begin(&mut self, sound: Sound) -> io::Result<()> {
        let id = draw::name("");
        let path = self.vault.recordings().join(&id);
        fs::create_dir(&path).await?;
        let about = serde_json::to_vec(&self.about).map_err(io::Error::other)?;
        fs::write(path.join(ABOUT), about).await?;
        let file = File::create(path.join(name(1, sound))).await?;
        self.folder = Some(Folder { id, path, sound, file, files: 1 });
        Ok(())
    }

    async fn next_file(&mut self) -> io::Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        if folder.files >= MAX_PIECES {
            return Err(io::Error::other("it has too many pieces"));
        }
        folder.files += 1;
        folder.file = File::create(folder.path.join(name(folder.files, folder.sound))).await?;
        Ok(())
    }

    fn finish(&mut self) {
        if let Some(folder) = self.folder.take() {
            self.joiner.join(folder.id);
        }
    }
}

fn name(number: usize, sound: Sound) -> String {
    format!("{number:06}.{}", ending(sound))
}
