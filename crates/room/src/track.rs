//! A track: one audio or video source that a participant publishes, and the layers of a video.

use crate::id::TrackSid;
use std::sync::Arc;

/// What a track carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TrackKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

/// What a track shows. LiveKit: `TrackSource`, same order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TrackSource {
    /// Not said.
    #[default]
    Unknown,
    /// A camera.
    Camera,
    /// A microphone.
    Microphone,
    /// A shared screen.
    ScreenShare,
    /// The sound of a shared screen.
    ScreenShareAudio,
}

/// One quality of a video, as announced and as seen on the wire. LiveKit: `VideoLayer`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layer {
    /// 0 LOW, 1 MEDIUM, 2 HIGH, 3 OFF (LiveKit's `VideoQuality`).
    pub quality: i32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// bit/s the client means to send; 0 if unknown.
    pub bitrate: u32,
    /// Main SSRC once its packets came; 0 before.
    pub ssrc: u32,
    /// 0, 1, 2 from low to high.
    pub spatial_layer: i32,
    /// Simulcast rid (`q`, `h`, `f`), empty without simulcast.
    pub rid: String,
}

/// A codec offered for a track. LiveKit: `SimulcastCodec` in, `SimulcastCodecInfo` out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrackCodec {
    /// Lower case, with its kind: `video/vp8`; empty until the media says.
    pub mime: String,
    /// The client's id of the sender (`MediaStreamTrack.id`).
    pub cid: String,
    /// The m-line that carries it, once negotiated.
    pub mid: String,
    /// Layers sent in this codec.
    pub layers: Vec<Layer>,
    /// LiveKit's `VideoLayer.Mode`, passed through.
    pub layer_mode: i32,
}

/// What a participant asks to publish. LiveKit: `AddTrackRequest`, without what only the wire needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackRequest {
    /// The client's id of the track, unique in its session (≤ 256 bytes).
    pub cid: String,
    /// Sound or pictures.
    pub kind: TrackKind,
    /// What it shows.
    pub source: TrackSource,
    /// Free text (≤ 256 bytes).
    pub name: String,
    /// Starts muted.
    pub muted: bool,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Layers as announced.
    pub layers: Vec<Layer>,
    /// Codecs as announced: primary first, then the backup.
    pub codecs: Vec<TrackCodec>,
    /// The client turned discontinuous transmission off.
    pub disable_dtx: bool,
    /// The client turned RED off.
    pub disable_red: bool,
    /// Two channels.
    pub stereo: bool,
    /// The stream (sync group) that the track belongs to.
    pub stream: String,
    /// LiveKit's `Encryption.Type`, passed through.
    pub encryption: i32,
    /// LiveKit's `BackupCodecPolicy`: 0 everybody gets the backup in a small room, 1 each gets what they take, 2 everybody gets
    /// the backup.
    pub backup_codec_policy: i32,
    /// LiveKit's `AudioTrackFeature`s, passed through.
    pub audio_features: Vec<i32>,
    /// LiveKit's `PacketTrailerFeature`s, passed through.
    pub packet_trailer_features: Vec<i32>,
}

/// A published track, as others see it. LiveKit: `TrackInfo`.
#[derive(Clone, PartialEq, Debug)]
pub struct Track {
    /// Server-given.
    pub sid: TrackSid,
    /// What was asked for (its `layers` and `codecs` are filled in as the media arrives).
    pub request: Arc<TrackRequest>,
    /// Now silent or dark: what the client said last, never our guess (livekit.md 2.4, loop trap).
    pub muted: bool,
    /// `video/VP8`, `audio/opus` once its packets came; empty before.
    pub mime: String,
    /// m-line that carries it; empty before.
    pub mid: String,
    /// Layers with their SSRCs once seen.
    pub layers: Vec<Layer>,
    /// Codecs with mid and layers once seen.
    pub codecs: Vec<TrackCodec>,
    /// Unix microseconds of the last change (LiveKit's `TimedVersion`).
    pub version_us: i64,
}
