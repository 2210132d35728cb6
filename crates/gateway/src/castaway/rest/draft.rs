//! A file while it is uploaded: written as it comes, measured, known by its content.

use super::super::limits::{MAX_PICTURE_BYTES, MAX_SOUND_BYTES};
use super::super::records::{Kept, UploadKind};
use super::super::unclaimed::{Owner, Unclaimed};
use super::super::vault::{Full, Vault};
use super::Failure;
use crate::draw;
use http::StatusCode;
use std::io;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use wire::castaway::mpeg::{Frames, Kind};
use wire::castaway::sniff::{self, ENOUGH_BYTES, Sound};

/// See the module. Dropped, it leaves nothing behind.
pub(super) struct Draft {
    place: Unclaimed,
    file: File,
    kind: UploadKind,
    head: Vec<u8>,
    frames: Frames,
}

impl Draft {
    pub(super) async fn begin(vault: &Arc<Vault>, kind: UploadKind, owner: Option<Owner>) -> Result<Self, Failure> {
        let place = Unclaimed::new(vault, draw::name("f_"), owner);
        let file = File::create(place.path()).await.map_err(unwritable)?;
        Ok(Self { place, file, kind, head: Vec::new(), frames: Frames::of(Kind::Mp3) })
    }

    pub(super) async fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let length = data.len() as u64;
        let max = match self.kind {
            UploadKind::Sound => MAX_SOUND_BYTES,
            UploadKind::Picture => MAX_PICTURE_BYTES,
        };
        if self.place.bytes() + length > max {
            return Err(Failure::Refused(StatusCode::PAYLOAD_TOO_LARGE, "The file is too large.".to_owned()));
        }
        self.place.reserve(length).map_err(no_place)?;
        let wanted = (ENOUGH_BYTES * 4).saturating_sub(self.head.len());
        self.head.extend(data.iter().take(wanted));
        if self.kind == UploadKind::Sound {
            // Only measured: the file is kept as it is.
            self.frames.push(data, &mut Vec::new());
        }
        self.file.write_all(data).await.map_err(unwritable)
    }

    /// Whose it is was not known before.
    pub(super) fn give_to(&mut self, owner: Owner) -> Result<(), Failure> {
        self.place.give_to(owner).map_err(no_place)
    }

    /// It is what it should be, and on the disk.
    pub(super) async fn keep(mut self) -> Result<(Kept, Unclaimed), Failure> {
        let mime = self.mime().ok_or_else(|| match self.kind {
            UploadKind::Sound => Failure::bad("The podcast must be an mp3 file."),
            UploadKind::Picture => Failure::bad("The image must be a png or jpeg file."),
        })?;
        self.file.flush().await.map_err(unwritable)?;
        self.place.keep().await.map_err(unwritable)?;
        let (file, bytes) = (self.place.id().to_owned(), self.place.bytes());
        let kept = Kept { file, mime: mime.to_owned(), bytes, duration_ms: self.frames.duration_ms() };
        Ok((kept, self.place))
    }

    fn mime(&mut self) -> Option<&'static str> {
        match self.kind {
            UploadKind::Picture => sniff::picture(&self.head).map(sniff::Picture::mime),
            UploadKind::Sound => {
                self.frames.finish(&mut Vec::new());
                self.frames.is_sound().then_some(Sound::Mp3.mime())
            }
        }
    }
}

/// What the app is told, whoever it is that has no place.
pub(super) fn no_place(full: Full) -> Failure {
    match full {
        Full::House => tracing::warn!(%full, "an upload was refused"),
        // Whoever runs the venue need not hear of it.
        Full::Account => tracing::debug!(%full, "an upload was refused"),
    }
    Failure::Refused(StatusCode::INSUFFICIENT_STORAGE, "There is no place for the file.".to_owned())
}

fn unwritable(error: io::Error) -> Failure {
    tracing::error!(%error, "an upload could not be written");
    Failure::Refused(StatusCode::INSUFFICIENT_STORAGE, "The file could not be written.".to_owned())
}
