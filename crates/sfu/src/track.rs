//! A track on this shard: its layers as they arrive, and who gets it.

use crate::keyframe::Throttle;
use crate::levels::LevelWindow;
use crate::meter::{LayerRates, Meter};
use crate::peer::PeerKey;
use crate::relay::RoomKey;
use crate::select::{LayerSet, Liveness, MAX_LAYERS, Selector, Targets};
use crate::sound::Converter;
use crate::temporal::{FrameMeter, Gate};
use room::media::LiveLayer;
use room::settings::{HIGHEST_LAYER, ReceiveSettings};
use room::track::TrackKind;
use room::{SessionId, TrackSid};
use rtc::{Codec, IngressPacket, Mid, Rid};
use smallvec::SmallVec;
use std::time::Instant;

slotmap::new_key_type! {
    /// A track's entry on one shard.
    pub struct TrackKey;
}

/// One codec of a published track. Each has packets, layers and receivers of its own, and so an entry of its own on
/// every shard that needs it (L-63).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Encoding {
    /// As others know it.
    pub track: TrackSid,
    /// 0: the primary codec, 1: the backup.
    pub codec: u8,
}

impl Encoding {
    /// The only one of most tracks.
    pub(crate) fn primary(track: &TrackSid) -> Self {
        Self { track: track.clone(), codec: 0 }
    }

    /// The one for those who can't take the primary.
    pub(crate) fn backup(track: &TrackSid) -> Self {
        Self { track: track.clone(), codec: 1 }
    }
}

/// Where a track's packets come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// A peer of this shard sends it, on this m-line; `None`: a backup codec that isn't sent yet.
    Local { peer: PeerKey, session: SessionId, mid: Option<Mid> },
    /// Another shard relays it.
    Remote { shard: u8 },
}

/// Whether everybody who takes a track's backup codec gets it in place of the primary one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Regression {
    /// Each gets what they take.
    #[default]
    No,
    /// As soon as it flows.
    Asked,
    /// It does.
    Done,
}

/// One simulcast stream as the publisher offered it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub(crate) rid: Option<Rid>,
    /// 0 until its first packet.
    pub(crate) ssrc: u32,
}

/// What the receivers on one shard need of a track.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RelayWants {
    /// For each receiver the highest layer that it may have, and the one that it has until it gets there.
    pub(crate) caps: LayerSet,
    /// The highest layer that anybody there asked for, whatever their bandwidth.
    pub(crate) wanted: Option<u8>,
}

/// Another shard that gets this track.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RelayTarget {
    pub(crate) shard: u8,
    pub(crate) key: TrackKey,
    pub(crate) wants: RelayWants,
}

/// A receiver: a peer and which of its send lines, and where it stands among the layers. That is here and not with the
/// line, so that packets of other layers pass by without a look at the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receiver {
    pub(crate) peer: PeerKey,
    pub(crate) line: u16,
    /// The highest layer that its settings want; `None`: nothing.
    pub(crate) wanted: Option<u8>,
    /// The highest layer that its way carries; `None`: none, it is paused.
    allowed: Option<u8>,
    /// Frames a second that its settings want; 0: all.
    pub(crate) fps: u32,
    pub(crate) selector: Selector,
    pub(crate) gate: Gate,
}

impl Receiver {
    pub(crate) fn new(peer: PeerKey, line: u16, settings: ReceiveSettings, allowed: Option<u8>) -> Self {
        let (wanted, fps) = (settings.layer, settings.fps);
        Self { peer, line, wanted, allowed, fps, selector: Selector::default(), gate: Gate::default() }
    }

    /// The highest layer that it may have now.
    pub(crate) fn cap(&self) -> Option<u8> {
        Some(self.wanted?.min(self.allowed?))
    }

    /// New settings. What is disabled stops at once.
    pub(crate) fn set(&mut self, settings: ReceiveSettings) {
        (self.wanted, self.fps) = (settings.layer, settings.fps);
        self.stop_if_capped();
    }

    /// What its way carries.
    pub(crate) fn allow(&mut self, layer: Option<u8>) {
        self.allowed = layer;
        self.stop_if_capped();
    }

    fn stop_if_capped(&mut self) {
        if self.cap().is_none() {
            self.selector.stop();
        }
    }

    /// The layers that must come for it to go on: its cap stands for the one it should have.
    fn needs(&self) -> LayerSet {
        let Some(cap) = self.cap() else { return LayerSet::default() };
        self.selector.current().map_or(LayerSet::of(cap), |current| LayerSet::of(cap).union(LayerSet::of(current)))
    }
}

#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) encoding: Encoding,
    pub(crate) room: RoomKey,
    pub(crate) owner: Owner,
    pub(crate) kind: TrackKind,
    /// Known from the first packet on.
    pub(crate) codec: Option<Codec>,
    pub(crate) muted: bool,
    pub(crate) layers: SmallVec<[Layer; MAX_LAYERS]>,
    pub(crate) live: Liveness,
    /// All its layers come in one stream (SVC).
    pub(crate) scalable: bool,
    /// The layers that receivers should have: refreshed by packets and by the shard's tick.
    pub(crate) targets: Targets,
    pub(crate) meters: [Meter; MAX_LAYERS],
    pub(crate) frames: [FrameMeter; MAX_LAYERS],
    /// What each layer carries, here or as its owner's shard says.
    pub(crate) rates: LayerRates,
    pub(crate) throttles: [Throttle; MAX_LAYERS],
    pub(crate) level: LevelWindow,
    /// The names of the track's codecs, the primary first, as its subscribers' room knows them.
    pub(crate) codec_names: Vec<String>,
    /// Of a primary codec.
    pub(crate) regression: Regression,
    /// What the room was last told that anybody wants of it.
    pub(crate) reported: Option<u8>,
    /// Its Opus may go out as RED.
    pub(crate) may_make_red: bool,
    pub(crate) converter: Converter,
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) relays: SmallVec<[RelayTarget; 4]>,
    /// What the owner's shard was last told that we want of it.
    pub(crate) told: RelayWants,
}

impl Track {
    pub(crate) fn new(encoding: Encoding, room: RoomKey, owner: Owner, kind: TrackKind) -> Self {
        Self {
            encoding,
            room,
            owner,
            kind,
            codec: None,
            muted: false,
            layers: SmallVec::new(),
            live: Liveness::default(),
            scalable: false,
            targets: Targets::among(MAX_LAYERS),
            meters: Default::default(),
            frames: Default::default(),
            rates: LayerRates::default(),
            throttles: Default::default(),
            level: LevelWindow::default(),
            codec_names: Vec::new(),
            regression: Regression::No,
            reported: None,
            may_make_red: false,
            converter: Converter::default(),
            receivers: Vec::new(),
            relays: SmallVec::new(),
            told: RelayWants::default(),
        }
    }

    /// The layers of an offer: q, h, f from low to high, or one without rid.
    pub(crate) fn set_layers(&mut self, rids: &[String]) {
        let rid = |index: usize| rids.get(index).map(|rid| Rid::from(rid.as_str()));
        let count = rids.len().clamp(1, MAX_LAYERS);
        self.layers = (0..count).map(|index| Layer { rid: rid(index), ssrc: 0 }).collect();
        self.targets = Targets::among(count);
    }

    /// The layer of a packet by its rid; `None` for a rid that was not offered.
    fn layer_of(&self, rid: Option<Rid>) -> Option<u8> {
        self.layers.iter().position(|layer| layer.rid == rid || layer.rid.is_none()).map(|index| index as u8)
    }

    /// A tenth of a second is over.
    pub(crate) fn tick_meters(&mut self) {
        let mut below = 0;
        for (rate, meter) in self.rates.iter_mut().zip(&mut self.meters) {
            *rate = meter.tick();
            if self.scalable && *rate > 0 {
                *rate += below; // Who has this layer has those below it too.
                below = *rate;
            }
        }
    }

    /// Quiet layers give way. In one stream they don't: the encoder leaves out what it must, and says so in the stream.
    pub(crate) fn refresh_targets(&mut self, now: Instant) {
        if !self.scalable {
            self.targets.update(self.live.live(now));
        }
    }

    /// The layer of a packet; `None` for a stream that was not offered.
    pub(crate) fn layer_of_packet(&mut self, packet: &IngressPacket) -> Option<u8> {
        let Some(spatial) = packet.spatial_layer() else { return self.layer_of(packet.rid) };
        if !std::mem::replace(&mut self.scalable, true) {
            self.targets = Targets::among(MAX_LAYERS);
        }
        Some(spatial.min(MAX_LAYERS as u8 - 1))
    }

    /// A packet of `layer` came. True if it shows something new: the codec, or the layer's SSRC.
    pub(crate) fn heard(&mut self, layer: u8, ssrc: u32, codec: Codec, now: Instant) -> bool {
        self.live.heard(layer, now);
        self.refresh_targets(now);
        // Among RED, what is too long to be repeated comes as Opus.
        let codec = if self.codec == Some(Codec::Red) { Codec::Red } else { codec };
        let new_codec = self.codec.replace(codec) != Some(codec);
        let known = self.layers.get_mut(usize::from(layer)).map(|known| std::mem::replace(&mut known.ssrc, ssrc));
        new_codec || known.is_some_and(|known| known != ssrc)
    }

    /// A peer's place among the receivers.
    pub(crate) fn receiver(&mut self, peer: PeerKey) -> Option<&mut Receiver> {
        self.receivers.iter_mut().find(|receiver| receiver.peer == peer)
    }

    /// The layer that a peer should have, if it wants any.
    pub(crate) fn target_of(&self, peer: PeerKey) -> Option<u8> {
        let receiver = self.receivers.iter().find(|receiver| receiver.peer == peer)?;
        receiver.cap().map(|cap| self.targets.of(cap))
    }

    /// What receivers here need of it.
    pub(crate) fn needs(&self) -> RelayWants {
        let caps = self.receivers.iter().fold(LayerSet::default(), |caps, receiver| caps.union(receiver.needs()));
        RelayWants { caps, wanted: self.receivers.iter().filter_map(|receiver| receiver.wanted).max() }
    }

    /// The highest layer that anybody asked for, here or on another shard; `None`: nobody wants any.
    pub(crate) fn wanted(&self) -> Option<u8> {
        let elsewhere = self.relays.iter().filter_map(|relay| relay.wants.wanted).max();
        self.needs().wanted.max(elsewhere)
    }

    /// The same as LiveKit's quality. Whoever wants the highest layer that there is wants HIGH.
    pub(crate) fn wanted_quality(&self) -> Option<u8> {
        let highest = self.layers.len().saturating_sub(1) as u8;
        self.wanted().map(|layer| if layer >= highest { HIGHEST_LAYER } else { layer })
    }

    /// What the room is told about the layers.
    pub(crate) fn live_layers(&self) -> Vec<LiveLayer> {
        let describe = |(index, layer): (usize, &Layer)| LiveLayer {
            rid: layer.rid.map(|rid| rid.as_str().to_owned()).unwrap_or_default(),
            ssrc: layer.ssrc,
            quality: quality(index, self.layers.len()),
        };
        self.layers.iter().enumerate().map(describe).collect()
    }
}

/// LiveKit's quality of a layer: q LOW, h MEDIUM, f HIGH; a single one is HIGH.
fn quality(index: usize, count: usize) -> i32 {
    if count == 1 { 2 } else { index as i32 }
}
