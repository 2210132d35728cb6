//! A track as a client announces it: `AddTrackRequest` → [`TrackRequest`].

use super::proto;
use room::track::{Layer, TrackCodec, TrackKind, TrackRequest, TrackSource};

/// Most layers of one track or codec: three are used (q, h, f); more room costs nothing.
pub const MAX_LAYERS: usize = 8;

/// Most codecs of one track: a primary and a backup are used.
pub const MAX_CODECS: usize = 8;

/// Most feature flags of each sort: there are seven.
pub const MAX_FEATURES: usize = 32;

/// The request can't be a track.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TrackError {
    /// Type DATA, or one that we don't know.
    #[error("unsupported track type")]
    Type,
    /// Over [`MAX_LAYERS`], [`MAX_CODECS`] or [`MAX_FEATURES`].
    #[error("too many layers, codecs or features")]
    TooMany,
}

/// Reads an announcement. Lengths of names are for the room to judge.
///
/// # Errors
/// See [`TrackError`].
pub fn request(add: proto::AddTrackRequest) -> Result<TrackRequest, TrackError> {
    check_counts(&add)?;
    let kind = match proto::TrackType::try_from(add.r#type) {
        Ok(proto::TrackType::Audio) => TrackKind::Audio,
        Ok(proto::TrackType::Video) => TrackKind::Video,
        _ => return Err(TrackError::Type),
    };
    let source = source(add.source);
    let codecs = codecs(&add, kind);
    #[allow(deprecated)] // older clients say it only there
    let (stereo, disable_dtx) = (add.stereo, add.disable_dtx);
    let feature = |wanted| add.audio_features.contains(&(wanted as i32));
    Ok(TrackRequest {
        kind,
        source,
        codecs,
        stereo: stereo || feature(proto::AudioTrackFeature::TfStereo),
        disable_dtx: disable_dtx || feature(proto::AudioTrackFeature::TfNoDtx),
        stream: if add.stream.is_empty() { default_stream(source).to_owned() } else { add.stream },
        cid: add.cid,
        name: add.name,
        muted: add.muted,
        width: add.width,
        height: add.height,
        layers: add.layers.iter().map(layer).collect(),
        disable_red: add.disable_red,
        encryption: add.encryption,
        backup_codec_policy: add.backup_codec_policy,
        audio_features: add.audio_features,
        packet_trailer_features: add.packet_trailer_features,
    })
}

/// What a request that names a published track adds to it: its codec, under the request's own cid (L-63).
pub fn further_codec(request: TrackRequest) -> TrackCodec {
    let codec = request.codecs.into_iter().next().unwrap_or_default();
    TrackCodec { cid: request.cid, ..codec }
}

/// LiveKit's number → ours; what we don't know is unknown.
pub fn source(number: i32) -> TrackSource {
    match proto::TrackSource::try_from(number) {
        Ok(proto::TrackSource::Camera) => TrackSource::Camera,
        Ok(proto::TrackSource::Microphone) => TrackSource::Microphone,
        Ok(proto::TrackSource::ScreenShare) => TrackSource::ScreenShare,
        Ok(proto::TrackSource::ScreenShareAudio) => TrackSource::ScreenShareAudio,
        Ok(proto::TrackSource::Unknown) | Err(_) => TrackSource::Unknown,
    }
}

fn check_counts(add: &proto::AddTrackRequest) -> Result<(), TrackError> {
    let layers = |layers: &[proto::VideoLayer]| layers.len() <= MAX_LAYERS;
    let within = layers(&add.layers)
        && add.simulcast_codecs.len() <= MAX_CODECS
        && add.simulcast_codecs.iter().all(|codec| layers(&codec.layers))
        && add.audio_features.len() <= MAX_FEATURES
        && add.packet_trailer_features.len() <= MAX_FEATURES;
    if within { Ok(()) } else { Err(TrackError::TooMany) }
}

/// The codecs as announced, or one whose name the media will tell.
fn codecs(add: &proto::AddTrackRequest, kind: TrackKind) -> Vec<TrackCodec> {
    if add.simulcast_codecs.is_empty() {
        let layers = add.layers.iter().map(layer).collect();
        return vec![TrackCodec { cid: add.cid.clone(), layers, layer_mode: 1, ..TrackCodec::default() }];
    }
    add.simulcast_codecs.iter().map(|codec| announced_codec(codec, add, kind)).collect()
}

fn announced_codec(codec: &proto::SimulcastCodec, add: &proto::AddTrackRequest, kind: TrackKind) -> TrackCodec {
    let layers = if codec.layers.is_empty() { &add.layers } else { &codec.layers };
    TrackCodec {
        mime: mime(&codec.codec, kind),
        cid: codec.cid.clone(),
        mid: String::new(),
        layers: layers.iter().map(layer).collect(),
        // One spatial layer a stream is what clients mean that don't say (VP8 and H.264 simulcast).
        layer_mode: codec.video_layer_mode.max(1),
    }
}

/// `vp8` → `video/vp8`.
fn mime(codec: &str, kind: TrackKind) -> String {
    let codec = codec.to_ascii_lowercase();
    if codec.is_empty() || codec.contains('/') {
        return codec;
    }
    match kind {
        TrackKind::Audio => format!("audio/{codec}"),
        TrackKind::Video => format!("video/{codec}"),
    }
}

/// The sync group of those who name none (livekit.md 2.4).
fn default_stream(source: TrackSource) -> &'static str {
    match source {
        TrackSource::ScreenShare | TrackSource::ScreenShareAudio => "screen",
        TrackSource::Camera | TrackSource::Microphone => "camera",
        TrackSource::Unknown => "",
    }
}

fn layer(layer: &proto::VideoLayer) -> Layer {
    Layer {
        quality: layer.quality,
        width: layer.width,
        height: layer.height,
        bitrate: layer.bitrate,
        ssrc: layer.ssrc,
        spatial_layer: layer.spatial_layer,
        rid: layer.rid.clone(),
    }
}
