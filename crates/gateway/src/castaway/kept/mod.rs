//! What was streamed is kept (C-19).
//!
//! | file | what |
//! |---|---|
//! | [`recorder`] | writes pieces to a folder while they come |
//! | [`syncer`] | brings them to the disk |
//! | [`joiner`] | makes a podcast of a folder when the livestream has ended, or at the next start |
//! | [`ffmpeg`] | joins what can't be appended, without encoding it anew |

pub(super) mod ffmpeg;
pub(super) mod joiner;
pub(super) mod recorder;
mod syncer;

use super::vault::Vault;
use joiner::Joiner;
use recorder::Recorder;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use syncer::Syncer;
use wire::castaway::sniff::Sound;

/// What a folder is of, beside its pieces.
const ABOUT: &str = "about.json";

/// Keeps livestreams.
#[derive(Debug)]
pub(super) struct Recordings {
    vault: Arc<Vault>,
    store: Arc<dyn Store>,
    joiner: Joiner,
    syncer: Syncer,
}

impl Recordings {
    /// Begins with what an earlier process has left.
    pub(super) fn start(vault: Arc<Vault>, store: Arc<dyn Store>, ffmpeg: PathBuf) -> Arc<Self> {
        let joiner = Joiner::start(Arc::clone(&vault), Arc::clone(&store), ffmpeg);
        Arc::new(Self { vault, store, joiner, syncer: Syncer::start() })
    }

    /// A livestream begins.
    pub(super) fn record(self: &Arc<Self>, about: About) -> Recorder {
        Recorder::start(Arc::clone(self), about)
    }
}

/// What a recording will say of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) owner: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) artist: String,
    /// What was heard by everybody.
    pub(super) public: bool,
    pub(super) created_ms: i64,
}

impl About {
    /// Of a folder; `None`: it is no recording.
    fn read(folder: &Path) -> Option<Self> {
        let about = std::fs::read(folder.join(ABOUT)).ok()?;
        serde_json::from_slice(&about).ok()
    }
}

const ENDINGS: [(Sound, &str); 6] = [
    (Sound::Mp3, "mp3"),
    (Sound::Adts, "aac"),
    (Sound::Mp4, "m4a"),
    (Sound::WebM, "webm"),
    (Sound::Ogg, "ogg"),
    (Sound::Wav, "wav"),
];

/// How the name of a piece ends.
fn ending(sound: Sound) -> &'static str {
    ENDINGS.iter().find(|(known, _)| *known == sound).map_or("bin", |(_, ending)| ending)
}

fn by_ending(ending: &str) -> Option<Sound> {
    ENDINGS.iter().find(|(_, known)| *known == ending).map(|(sound, _)| *sound)
}
