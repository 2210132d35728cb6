//! Makes podcasts of recordings, one after the other: at the end of a livestream, and at a start of those that a kill or a
//! missing ffmpeg has left.

use super::super::limits::{MAX_UNJOINED, READ_BYTES};
use super::super::records::{self, Kept, PODCASTS, Podcast};
use super::super::unclaimed::Unclaimed;
use super::super::vault::{Full, Vault};
use super::ffmpeg::{self, JoinFailed};
use super::{About, by_ending};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use tokio::sync::mpsc;
use wire::castaway::mpeg::{Frames, Kind};
use wire::castaway::sniff::Sound;

/// Hands folders over. Cheap to clone.
#[derive(Clone, Debug)]
pub(in super::super) struct Joiner {
    folders: mpsc::Sender<String>,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    /// There is nothing in it that can be heard.
    #[error("nothing that can be heard was recorded")]
    NoSound,
    #[error(transparent)]
    Join(#[from] JoinFailed),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error(transparent)]
    Full(#[from] Full),
}

struct Work {
    vault: Arc<Vault>,
    store: Arc<dyn Store>,
    ffmpeg: PathBuf,
}

impl Joiner {
    /// Begins with what an earlier process has left.
    pub(in super::super) fn start(vault: Arc<Vault>, store: Arc<dyn Store>, ffmpeg: PathBuf) -> Self {
        let (folders, mut queue) = mpsc::channel::<String>(MAX_UNJOINED);
        let left = left_over(&vault);
        tokio::spawn(async move {
            let work = Work { vault, store, ffmpeg };
            for id in left {
                work.join(&id).await;
            }
            while let Some(id) = queue.recv().await {
                work.join(&id).await;
            }
        });
        Self { folders }
    }

    /// Where there is no place it is left for the next start.
    pub(super) fn join(&self, id: String) {
        if self.folders.try_send(id).is_err() {
            tracing::warn!("more recordings wait to be joined than can: the next start joins this one");
        }
    }
}

/// They count as their streamers', until they are podcasts of theirs.
fn left_over(vault: &Vault) -> Vec<String> {
    let entries = fs::read_dir(vault.recordings()).into_iter().flatten();
    let folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    for folder in &folders {
        if let Some(about) = About::read(folder) {
            vault.making().found(&about.owner, size_of(folder));
        }
    }
    folders.iter().filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned())).collect()
}

impl Work {
    async fn join(&self, id: &str) {
        let folder = self.vault.recordings().join(id);
        let looked_at = folder.clone();
        let Ok((about, size)) = blocking(move || (About::read(&looked_at), size_of(&looked_at))).await else { return };
        let made = match about.clone() {
            Some(about) => self.make(id, &folder, about, size).await,
            None => Err(Failed::NoSound),
        };
        match made {
            Ok(podcast) => tracing::info!(podcast, "a livestream was recorded"),
            Err(Failed::NoSound) => {}
            Err(error) => {
                tracing::warn!(%error, folder = %folder.display(), "a recording could not be joined: the next start tries again");
                return;
            }
        }
        if let Ok(Ok(())) = blocking(move || fs::remove_dir_all(folder)).await {
            self.vault.release(size);
            about.iter().for_each(|about| self.vault.making().take(&about.owner, size));
        }
    }

    /// The id of the podcast: the recording's own, so that one whose folder has outlived it is not made twice.
    async fn make(&self, id: &str, folder: &Path, about: About, size: u64) -> Result<String, Failed> {
        if records::find::<Podcast>(&*self.store, PODCASTS, id).await?.is_some() {
            return Ok(id.to_owned());
        }
        let looked_at = folder.to_owned();
        let (sound, pieces) = blocking(move || pieces(&looked_at)).await??;
        let mut file = Unclaimed::new(&self.vault, format!("f_{id}"), None);
        // What is written takes as much place again, for a moment; its streamer has it once.
        file.reserve(size + READ_BYTES as u64)?;
        let kept = self.write(&mut file, sound, folder, pieces).await?;
        // Where the store fails it stays: the record may be there all the same, and the next try writes over it.
        file.claim();
        self.publish(id, about, kept).await?;
        Ok(id.to_owned())
    }

    async fn write(
        &self,
        file: &mut Unclaimed,
        sound: Sound,
        folder: &Path,
        pieces: Vec<PathBuf>,
    ) -> Result<Kept, Failed> {
        let duration_ms = match sound {
            Sound::Mp3 | Sound::Adts => {
                let kind = if sound == Sound::Mp3 { Kind::Mp3 } else { Kind::Adts };
                let to = file.path().clone();
                blocking(move || append(&pieces, kind, &to)).await??
            }
            _ => {
                let list = folder.join("list.txt");
                tokio::fs::write(&list, ffmpeg::list(&pieces)).await?;
                ffmpeg::join(&self.ffmpeg, &list, file.path(), muxer(sound)).await?
            }
        };
        if duration_ms == 0 {
            return Err(Failed::NoSound);
        }
        let bytes = tokio::fs::metadata(file.path()).await?.len();
        file.shrink(bytes);
        file.keep().await?;
        Ok(Kept { file: file.id().to_owned(), mime: sound.mime().to_owned(), bytes, duration_ms })
    }

    async fn publish(&self, id: &str, about: About, sound: Kept) -> Result<(), Failed> {
        let About { owner, title, description, artist, public, created_ms } = about;
        let own = records::own(&owner, PODCASTS, id, sound.bytes);
        let genres = Vec::new();
        let podcast = Podcast { owner, title, description, artist, genres, public, sound, picture: None, created_ms };
        self.store.commit(vec![records::write(PODCASTS, id, &podcast, None), own]).await?;
        Ok(())
    }
}

/// Does it where waiting for a disk hurts nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

/// ffmpeg's names.
fn muxer(sound: Sound) -> &'static str {
    match sound {
        Sound::WebM => "webm",
        Sound::Ogg => "ogg",
        Sound::Wav => "wav",
        Sound::Mp4 | Sound::Mp3 | Sound::Adts => "ipod",
    }
}

fn pieces(folder: &Path) -> Result<(Sound, Vec<PathBuf>), Failed> {
    let sound = |path: &PathBuf| path.extension().and_then(|ending| by_ending(ending.to_str()?));
    let entries = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut pieces: Vec<_> = entries.filter(|path| sound(path).is_some()).collect();
    pieces.sort();
    let first = pieces.first().and_then(sound).ok_or(Failed::NoSound)?;
    Ok((first, pieces))
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

/// Frames alone, one after the other; says how long they last.
fn append(pieces: &[PathBuf], kind: Kind, to: &Path) -> Result<u64, Failed> {
    let mut frames = Frames::of(kind);
    let mut out = BufWriter::new(File::create(to)?);
    let (mut buffer, mut ready) = (vec![0; READ_BYTES], Vec::new());
    let mut head: Option<Vec<u8>> = None;
    for piece in pieces {
        let mut file = File::open(piece)?;
        loop {
            let read = file.read(&mut buffer)?;
            frames.push(buffer.get(..read).unwrap_or_default(), &mut ready);
            if read == 0 {
                break;
            }
            write_frames(&mut out, &frames, &mut head, &mut ready)?;
        }
    }
    frames.finish(&mut ready);
    write_frames(&mut out, &frames, &mut head, &mut ready)?;
    let mut out = out.into_inner().map_err(|error| error.into_error())?;
    if let Some(summary) =
        frames.summary().filter(|summary| head.as_ref().is_some_and(|head| head.len() == summary.len()))
    {
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&summary)?;
    }
    out.sync_all()?;
    Ok(frames.duration_ms())
}

/// Before the first frame goes the one that says how many there are: its place now, its content at the end.
fn write_frames(
    out: &mut BufWriter<File>,
    frames: &Frames,
    head: &mut Option<Vec<u8>>,
    ready: &mut Vec<u8>,
) -> io::Result<()> {
    if head.is_none()
        && let Some(summary) = frames.summary()
    {
        out.write_all(&summary)?;
        *head = Some(summary);
    }
    out.write_all(ready)?;
    ready.clear();
    Ok(())
}
