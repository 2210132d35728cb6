//! A track from its announcement to its end: what was asked for, what the wire showed, who receives it.

use crate::id::{SessionId, TrackSid};
use crate::input::Now;
use crate::media::{ExpectedTrack, LiveLayer};
use crate::track::{Layer, Track, TrackCodec, TrackKind, TrackRequest, TrackSource};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One track of one member.
#[derive(Debug)]
pub(super) struct Publication {
    /// What others see once it is live.
    pub(super) track: Arc<Track>,
    /// Its media is there: others know it.
    pub(super) live: bool,
    /// Those to whom their shards were told to send it.
    pub(super) subscribers: BTreeSet<SessionId>,
    /// Those who were told that the publisher doesn't let them.
    pub(super) denied: BTreeSet<SessionId>,
    /// The publisher knows that somebody receives it.
    pub(super) subscription_told: bool,
}

impl Publication {
    /// Announced a moment ago.
    pub(super) fn announced(sid: TrackSid, request: TrackRequest, now: Now) -> Self {
        let track = Track {
            sid,
            muted: request.muted,
            mime: String::new(),
            mid: String::new(),
            layers: request.layers.clone(),
            codecs: request.codecs.clone(),
            version_us: now.unix_ms.saturating_mul(1000),
            request: Arc::new(request),
        };
        Self {
            track: Arc::new(track),
            live: false,
            subscribers: BTreeSet::new(),
            denied: BTreeSet::new(),
            subscription_told: false,
        }
    }

    /// Changes the track; its version is the time of the change, and rises even if the wall clock stands still.
    pub(super) fn change(&mut self, now: Now, change: impl FnOnce(&mut Track)) {
        let track = Arc::make_mut(&mut self.track);
        change(track);
        track.version_us = now.unix_ms.saturating_mul(1000).max(track.version_us.saturating_add(1));
    }

    /// Changes what was asked for.
    pub(super) fn change_request(&mut self, now: Now, change: impl FnOnce(&mut TrackRequest)) {
        self.change(now, |track| change(Arc::make_mut(&mut track.request)));
    }

    /// Its media came, or more layers of it.
    pub(super) fn on_wire(&mut self, now: Now, mid: String, mime: String, layers: &[LiveLayer]) {
        self.live = true;
        self.change(now, |track| {
            merge_layers(&mut track.layers, layers);
            fill_codec(&mut track.codecs, &mid, &mime, layers);
            track.mid = mid;
            track.mime = mime;
        });
    }

    /// What its shard has to look for in the next offers.
    pub(super) fn expected(&self) -> ExpectedTrack {
        let request = &self.track.request;
        let other_cids = request.codecs.iter().map(|codec| &codec.cid);
        ExpectedTrack {
            sid: self.track.sid.clone(),
            cid: request.cid.clone(),
            other_cids: other_cids.filter(|cid| !cid.is_empty() && **cid != request.cid).cloned().collect(),
            kind: request.kind,
            source: request.source,
            codecs: request.codecs.iter().map(|codec| codec_name(&codec.mime)).filter(|n| !n.is_empty()).collect(),
            stereo: request.stereo,
            disable_dtx: request.disable_dtx,
            muted: self.track.muted,
            width: request.width,
            height: request.height,
        }
    }
}

/// `TR_` + kind + source (livekit.md 2.4); a source that was not said has no letter.
pub(super) fn sid_prefix(kind: TrackKind, source: TrackSource) -> &'static str {
    match (kind, source) {
        (TrackKind::Audio, TrackSource::Unknown) => "TR_A",
        (TrackKind::Audio, TrackSource::Camera) => "TR_AC",
        (TrackKind::Audio, TrackSource::Microphone) => "TR_AM",
        (TrackKind::Audio, TrackSource::ScreenShare) => "TR_AS",
        (TrackKind::Audio, TrackSource::ScreenShareAudio) => "TR_As",
        (TrackKind::Video, TrackSource::Unknown) => "TR_V",
        (TrackKind::Video, TrackSource::Camera) => "TR_VC",
        (TrackKind::Video, TrackSource::Microphone) => "TR_VM",
        (TrackKind::Video, TrackSource::ScreenShare) => "TR_VS",
        (TrackKind::Video, TrackSource::ScreenShareAudio) => "TR_Vs",
    }
}

/// `video/VP8` → `vp8`.
fn codec_name(mime: &str) -> String {
    mime.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

/// Fills SSRC and rid into the announced layers of the same quality; a layer that nobody announced is added.
fn merge_layers(known: &mut Vec<Layer>, seen: &[LiveLayer]) {
    for live in seen {
        match known.iter_mut().find(|layer| layer.quality == live.quality) {
            Some(layer) => fill_layer(layer, live),
            None => known.push(new_layer(live)),
        }
    }
}

fn fill_layer(layer: &mut Layer, live: &LiveLayer) {
    layer.ssrc = live.ssrc;
    layer.rid.clone_from(&live.rid);
    layer.spatial_layer = spatial_layer(live);
}

fn new_layer(live: &LiveLayer) -> Layer {
    let mut layer = Layer { quality: live.quality, ..Layer::default() };
    fill_layer(&mut layer, live);
    layer
}

/// Without simulcast the only layer is the lowest, whatever its quality is called.
fn spatial_layer(live: &LiveLayer) -> i32 {
    if live.rid.is_empty() { 0 } else { live.quality.clamp(0, 2) }
}

/// The codec that came is the announced one of that name, or the first without a name, or a new one.
fn fill_codec(codecs: &mut Vec<TrackCodec>, mid: &str, mime: &str, layers: &[LiveLayer]) {
    let name = codec_name(mime);
    let at = codecs.iter().position(|codec| codec_name(&codec.mime) == name);
    let at = at.or_else(|| codecs.iter().position(|codec| codec.mime.is_empty())).unwrap_or_else(|| {
        codecs.push(TrackCodec::default());
        codecs.len() - 1
    });
    let codec = &mut codecs[at];
    codec.mime = mime.to_owned();
    codec.mid = mid.to_owned();
    merge_layers(&mut codec.layers, layers);
}
