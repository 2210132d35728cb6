//! The codecs that we forward.

use str0m::format::Codec as StromCodec;

/// A codec as the media graph sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// Opus with earlier packets repeated (RFC 2198).
    Red,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184.
    H264,
    /// AV1 RTP payload format.
    Av1,
}

impl Codec {
    /// `video/VP8`, as LiveKit's TrackInfo says it.
    pub fn mime(self) -> &'static str {
        match self {
            Codec::Opus => "audio/opus",
            Codec::Red => "audio/red",
            Codec::Vp8 => "video/VP8",
            Codec::Vp9 => "video/VP9",
            Codec::H264 => "video/H264",
            Codec::Av1 => "video/AV1",
        }
    }

    /// By its name in SDP, lower case: `vp8`.
    pub fn from_name(name: &str) -> Option<Self> {
        use Codec::*;
        [Opus, Red, Vp8, Vp9, H264, Av1]
            .into_iter()
            .find(|codec| codec.mime().rsplit('/').next().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    }

    /// RTP clock, Hz.
    pub fn clock_rate(self) -> u32 {
        if self.is_audio() { 48_000 } else { 90_000 }
    }

    /// Sound, not pictures.
    pub fn is_audio(self) -> bool {
        matches!(self, Codec::Opus | Codec::Red)
    }

    pub(crate) fn from_strom(codec: StromCodec) -> Option<Self> {
        match codec {
            StromCodec::Opus => Some(Codec::Opus),
            StromCodec::Vp8 => Some(Codec::Vp8),
            StromCodec::Vp9 => Some(Codec::Vp9),
            StromCodec::H264 => Some(Codec::H264),
            StromCodec::Av1 => Some(Codec::Av1),
            _ => None,
        }
    }
}
