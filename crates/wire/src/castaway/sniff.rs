//! What a file or a piece of one is, by its content: names and types that clients claim are not believed.

use super::mpeg;

/// Bytes that are enough to tell.
pub const ENOUGH_BYTES: usize = 16;

/// A container of sound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sound {
    /// MPEG audio, layer II or III.
    Mp3,
    /// AAC with a header before each frame.
    Adts,
    /// MP4, M4A.
    Mp4,
    /// WebM, Matroska.
    WebM,
    /// Ogg.
    Ogg,
    /// RIFF WAVE.
    Wav,
}

impl Sound {
    /// Its media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Adts => "audio/aac",
            Self::Mp4 => "audio/mp4",
            Self::WebM => "audio/webm",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
        }
    }

    /// Its pieces become a file by being put one after the other.
    pub fn is_appended(self) -> bool {
        matches!(self, Self::Mp3 | Self::Adts)
    }
}

/// A picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Picture {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
}

impl Picture {
    /// Its media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// Which container begins here; `None` also where one goes on.
pub fn sound(bytes: &[u8]) -> Option<Sound> {
    let at = |from: usize, word: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(word));
    if at(4, b"ftyp") {
        return Some(Sound::Mp4);
    }
    if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) {
        return Some(Sound::WebM);
    }
    // The flag says that a stream begins with this page; other pages go on with one (RFC 3533, 6).
    if at(0, b"OggS\0") {
        return bytes.get(5).filter(|flags| *flags & 0x02 != 0).map(|_| Sound::Ogg);
    }
    if at(0, b"RIFF") && at(8, b"WAVE") {
        return Some(Sound::Wav);
    }
    mpeg::kind(bytes).map(|kind| match kind {
        mpeg::Kind::Mp3 => Sound::Mp3,
        mpeg::Kind::Adts => Sound::Adts,
    })
}

/// Which picture this is.
pub fn picture(bytes: &[u8]) -> Option<Picture> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(Picture::Png);
    }
    bytes.starts_with(&[0xff, 0xd8, 0xff]).then_some(Picture::Jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    // C-11: any container.
    #[test]
    fn c_11_containers_are_known_by_their_first_bytes() {
        let known: [(&[u8], Option<Sound>); 9] = [
            (b"\0\0\0\x1cftypM4A ", Some(Sound::Mp4)),
            (b"\0\0\0\x18moof\0\0", None),
            (b"\x1a\x45\xdf\xa3\x9f", Some(Sound::WebM)),
            (b"OggS\0\x02\0\0", Some(Sound::Ogg)),
            (b"OggS\0\x00\0\0", None),
            (b"RIFF\x24\0\0\0WAVEfmt ", Some(Sound::Wav)),
            (b"RIFF\x24\0\0\0AVI ", None),
            (b"ID3\x04\0\0\0\0\0\0", Some(Sound::Mp3)),
            (b"<html>", None),
        ];
        for (bytes, expected) in known {
            assert_eq!(sound(bytes), expected, "{bytes:?}");
        }
        assert_eq!(sound(b""), None);
    }

    #[test]
    fn c_22_pictures_are_known_by_their_first_bytes() {
        assert_eq!(picture(b"\x89PNG\r\n\x1a\n\0\0"), Some(Picture::Png));
        assert_eq!(picture(b"\xff\xd8\xff\xe0"), Some(Picture::Jpeg));
        assert_eq!(picture(b"<svg xmlns"), None);
        assert_eq!(picture(b""), None);
    }
}
