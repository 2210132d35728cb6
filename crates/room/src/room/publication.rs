//! A track from its announcement to its end: what was asked for, what the wire showed, who receives it.

use super::dynacast::Demand;
use crate::id::{SessionId, TrackSid};
use crate::input::Now;
use crate::limits::MAX_CODECS;
use crate::media::{ExpectedTrack, LiveLayer};
use crate::participant::ClientInfo;
use crate::track::{Layer, Track, TrackCodec, TrackKind, TrackRequest, TrackSource};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One codec of a track, as its shard saw it.
#[derive(Debug)]
pub(super) struct CodecOnWire {
    /// 0, or 1 for a backup.
    pub(super) codec: u8,
    pub(super) mid: String,
    /// `video/VP8`
    pub(super) mime: String,
    pub(super) layers: Vec<LiveLayer>,
}

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
    /// What anybody wants of its codecs.
    pub(super) demand: Demand,
    /// Everybody gets its backup codec, once that is there.
    pub(super) regressed: bool,
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
            demand: Demand::default(),
            regressed: false,
            subscription_told: false,
        }
    }

    /// Of somebody in another room, where it is live.
    pub(super) fn mirrored(track: Arc<Track>) -> Self {
        Self {
            track,
            live: true,
            subscribers: BTreeSet::new(),
            denied: BTreeSet::new(),
            demand: Demand::default(),
            regressed: false,
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

    /// Its media came, or more layers of it. False: only its backup codec did, before the primary one.
    pub(super) fn on_wire(&mut self, now: Now, seen: CodecOnWire) -> bool {
        let primary = seen.codec == 0;
        if !primary && !self.live {
            return false;
        }
        self.live = true;
        self.change(now, |track| {
            fill_codec(&mut track.codecs, &seen);
            if primary {
                merge_layers(&mut track.layers, &seen.layers);
                track.mid = seen.mid;
                track.mime = seen.mime;
            }
        });
        true
    }

    /// A further codec: the announced one of that name gets its cid, or it is a new one. False: there are enough.
    pub(super) fn add_codec(&mut self, now: Now, codec: TrackCodec) -> bool {
        let name = codec_name(&codec.mime);
        let known = self.track.codecs.iter().position(|known| codec_name(&known.mime) == name);
        if known == Some(0) || (known.is_none() && self.track.codecs.len() >= MAX_CODECS) {
            return false;
        }
        self.change(now, |track| match known {
            Some(at) => {
                let announced = &mut track.codecs[at];
                announced.cid = codec.cid;
                if !codec.layers.is_empty() {
                    announced.layers = codec.layers;
                }
            }
            None => track.codecs.push(codec),
        });
        true
    }

    /// What its shard has to look for when a backup codec was announced.
    pub(super) fn expected_backup(&self, client: &ClientInfo, cid: &str) -> ExpectedTrack {
        let codec = self.track.codecs.iter().find(|codec| codec.cid == cid);
        let codecs = codec.map(|codec| codec_name(&codec.mime)).into_iter().collect();
        ExpectedTrack { cid: cid.to_owned(), other_cids: Vec::new(), codecs, codec: 1, ..self.expected(client) }
    }

    /// Its payloads are readable and its client didn't turn RED off: others may get it as RED (L-64).
    pub(super) fn may_make_red(&self) -> bool {
        let request = &self.track.request;
        request.kind == TrackKind::Audio && !request.disable_red && request.encryption == 0
    }

    /// Names of its codecs, primary first, as they were announced or came: `vp9`, `vp8`.
    pub(super) fn codec_names(&self) -> impl Iterator<Item = String> {
        self.track.codecs.iter().map(|codec| codec_name(&codec.mime))
    }

    /// Codecs that its m-line is answered with, first choice first.
    fn answered_codecs(&self, client: &ClientInfo) -> Vec<String> {
        let request = &self.track.request;
        if request.kind == TrackKind::Audio {
            let red = !request.disable_red && sends_red(client);
            return ["red", "opus"].into_iter().skip(usize::from(!red)).map(str::to_owned).collect();
        }
        request.codecs.iter().map(|codec| codec_name(&codec.mime)).filter(|name| !name.is_empty()).collect()
    }

    /// What its shard has to look for in the next offers of this client.
    pub(super) fn expected(&self, client: &ClientInfo) -> ExpectedTrack {
        let request = &self.track.request;
        let other_cids = request.codecs.iter().map(|codec| &codec.cid);
        ExpectedTrack {
            sid: self.track.sid.clone(),
            cid: request.cid.clone(),
            other_cids: other_cids.filter(|cid| !cid.is_empty() && **cid != request.cid).cloned().collect(),
            kind: request.kind,
            source: request.source,
            codecs: self.answered_codecs(client),
            codec: 0,
            may_make_red: self.may_make_red(),
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

/// Firefox and Safari name RED and don't send it well: they aren't asked for it (livekit.md 2.5).
fn sends_red(client: &ClientInfo) -> bool {
    !matches!(client.browser.to_ascii_lowercase().as_str(), "firefox" | "safari")
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
fn fill_codec(codecs: &mut Vec<TrackCodec>, seen: &CodecOnWire) {
    let name = codec_name(&seen.mime);
    let at = codecs.iter().position(|codec| codec_name(&codec.mime) == name);
    let at = at.or_else(|| codecs.iter().position(|codec| codec.mime.is_empty())).unwrap_or_else(|| {
        codecs.push(TrackCodec::default());
        codecs.len() - 1
    });
    let codec = &mut codecs[at];
    codec.mime.clone_from(&seen.mime);
    codec.mid.clone_from(&seen.mid);
    merge_layers(&mut codec.layers, &seen.layers);
}
