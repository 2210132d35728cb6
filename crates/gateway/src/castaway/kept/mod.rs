//! What was streamed is kept (C-19).
//!
//! | file | what |
//! |---|---|
//! | [`recorder`] | writes pieces to a folder while they come |
//! | [`joiner`] | makes a podcast of a folder when the livestream has ended, or at the next start |
//! | [`ffmpeg`] | joins what can't be appended, without encoding it anew |

pub(super) mod ffmpeg;
pub(super) mod joiner;
pub(super) mod recorder;

use serde::{Deserialize, Serialize};
use wire::castaway::sniff::Sound;

/// What a folder is of, beside its pieces.
pub(super) const ABOUT: &str = "about.json";

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
