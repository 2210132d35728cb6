//! What each peer's way down carries, and which layers of its tracks fit into that (L-39, Q-3).

use crate::allocate::{Allocation, Budget, Demand, allocate};
use crate::lines::SendLine;
use crate::outbox::Outbox;
use crate::peer::{Peer, PeerKey};
use crate::relay::RelayMessage;
use crate::select::MAX_LAYERS;
use crate::shard::Shard;
use crate::temporal::FrameMeter;
use crate::track::{Owner, Track, TrackKey};
use room::media::MediaEvent;
use room::track::TrackKind;
use slotmap::SlotMap;
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// After layers were taken because the way carries less, nobody is raised for so long: its queue has to empty, and the
/// estimate is a mean of three seconds, which is too high until it has forgotten.
const HOLD: Duration = Duration::from_secs(4);
/// The same where the way is as it was and the pictures grew, as with the keyframe that a stream begins with: until that
/// is out of the meters, which hold a second.
const SHORT_HOLD: Duration = Duration::from_secs(1);
/// How long an estimate counts that was higher than today's, where the way has not been seen to narrow since: while little
/// is sent estimates fall by themselves, and whoever then enlarges a picture would wait for probes.
const PROVEN: Duration = Duration::from_secs(30);
/// After layers were given the estimate takes so long to follow; only a clear fall says before that it was too much.
const SETTLING: Duration = Duration::from_secs(1);
/// How long somebody has less than they want before the way is tried anew, and between two such tries. As often as
/// libwebrtc's periodic probes; Q-3 wants the old layer back within 10 s.
const RETRY: Duration = Duration::from_secs(4);
/// A wish that differs by less, in percent, is none: each larger one makes a probe.
const WISH_STEP_PERCENT: u64 = 10;
/// What is wished beyond what is sent now: encoders waver, and retransmissions need room.
const WISH_MARGIN_PERCENT: u64 = 120;

/// What is known of a peer's way down.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Downlink {
    /// bit/s; `None`: nobody estimates it, everything goes.
    estimate: Option<u64>,
    /// Its client wants no more sent than this, bit/s, whatever its way carries.
    limit: Option<u64>,
    /// The estimate at the last round.
    last_round: u64,
    /// The way was seen to narrow since the last round: layers that are taken now are taken because of that.
    narrowed: bool,
    /// The highest estimate of late, and when it was, if the way has not narrowed since.
    proven: Option<(u64, Instant)>,
    /// When somebody was last given a higher layer.
    raised_at: Option<Instant>,
    /// Nobody is raised before.
    held_until: Option<Instant>,
    /// The way is not tried anew before.
    retry_at: Option<Instant>,
    /// What the estimator was last told to look for, bit/s.
    told: u64,
}

impl Downlink {
    /// A new estimate, while `sent` is sent, bit/s. It falls for two reasons: the way carries less than is sent, or nothing
    /// larger was tried for a while. Only in the first case it falls below what is sent.
    fn learn(&mut self, now: Instant, bps: u64, sent: u64) {
        let before = self.estimate.replace(bps).unwrap_or(bps);
        let settled = self.raised_at.is_none_or(|at| now >= at + SETTLING);
        let fell = if settled { bps < before } else { bps < before / 10 * 9 };
        if fell && bps < sent {
            self.narrowed = true;
            self.proven = None;
        } else if self.proven(now).is_none_or(|proven| bps >= proven) {
            self.proven = Some((bps, now));
        }
    }

    fn proven(&self, now: Instant) -> Option<u64> {
        self.proven.filter(|(_, at)| now < *at + PROVEN).map(|(bps, _)| bps)
    }

    /// What may be sent where `sent` is sent now, bit/s. The estimate is a mean over seconds: once it has fallen below what
    /// is sent, the way carries about as much less than it says as it fell.
    fn budget(&self, now: Instant, sent: u64) -> Option<u64> {
        let Some(bps) = self.estimate else { return self.limit };
        let fell = self.last_round.saturating_sub(bps);
        let carries = if bps < sent { bps.saturating_sub(fell) } else { bps };
        let carries = self.proven(now).map_or(carries, |proven| proven.max(carries));
        Some(self.limit.map_or(carries, |limit| limit.min(carries)))
    }
}

impl Shard {
    /// A new estimate. Less is acted on at once, more in the next round.
    pub(crate) fn estimated(&mut self, now: Instant, key: PeerKey, bps: u64, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let before = peer.downlink.estimate;
        let sent = demands(&peer.send_lines, &self.tracks).1.iter().map(Demand::sent).sum();
        peer.downlink.learn(now, bps, sent);
        if before.is_none_or(|before| bps < before) {
            if before.is_some_and(|before| bps < before / 10 * 9) {
                peer.downlink.retry_at = Some(now + RETRY); // Still falling: there is nothing to find.
            }
            self.share_out(now, key, outbox);
        }
    }

    /// No more than this, bit/s, whatever the way carries (L-60); 0: no limit.
    pub(crate) fn limit_downlink(&mut self, now: Instant, key: PeerKey, bps: u64, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.downlink.limit = (bps > 0).then_some(bps);
        self.share_out(now, key, outbox);
    }

    /// Every peer's way is shared out anew.
    pub(crate) fn share_out_all(&mut self, now: Instant, outbox: &mut dyn Outbox) {
        let bounded = |peer: &Peer| peer.downlink.estimate.or(peer.downlink.limit).is_some();
        let keys: Vec<_> = self.peers.iter().filter(|(_, peer)| bounded(peer)).map(|(key, _)| key).collect();
        for key in keys {
            self.share_out(now, key, outbox);
            if let Some(peer) = self.peers.get_mut(key) {
                peer.downlink.last_round = peer.downlink.estimate.unwrap_or_default();
                peer.downlink.narrowed = false;
            }
        }
    }

    /// Which of a peer's tracks get which layers.
    pub(crate) fn share_out(&mut self, now: Instant, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let (lines, demands) = demands(&peer.send_lines, &self.tracks);
        let Some(bps) = peer.downlink.budget(now, demands.iter().map(Demand::sent).sum()) else { return };
        let may_raise = peer.downlink.held_until.is_none_or(|until| now >= until);
        let allocation = allocate(Budget { bps, may_pause: peer.may_pause, may_raise }, &demands);
        wish(peer, &allocation);
        retry(now, peer, &allocation);
        for ((line, demand), layer) in lines.into_iter().zip(&demands).zip(&allocation.layers) {
            if demand.allowed != *layer {
                self.allow(now, key, line, *layer, outbox);
            }
        }
    }

    /// A line may have this layer from now on.
    fn allow(&mut self, now: Instant, key: PeerKey, line: usize, layer: Option<u8>, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(line) = peer.send_lines.get_mut(line) else { return };
        let Some((track_key, sid)) = line.track().map(|(key, sid)| (key, sid.clone())) else { return };
        let before = std::mem::replace(&mut line.allowed, layer);
        if layer < before {
            let hold = if peer.downlink.narrowed { HOLD } else { SHORT_HOLD };
            peer.downlink.held_until = peer.downlink.held_until.max(Some(now + hold));
        }
        if layer > before {
            peer.downlink.raised_at = Some(now);
        }
        if layer.is_none() != before.is_none() {
            let event = MediaEvent::StreamPaused { session: peer.session, track: sid, paused: layer.is_none() };
            outbox.event(peer.room.key, event);
        }
        let receiver = self.tracks.get_mut(track_key).and_then(|track| track.receiver(key));
        if let Some(receiver) = receiver {
            receiver.allow(layer);
            self.retarget(now, key, track_key, outbox);
        }
    }

    /// A tenth of a second is over: what each layer carries.
    pub(crate) fn meter_layers(&mut self) {
        for track in self.tracks.values_mut().filter(|track| track.kind == TrackKind::Video) {
            track.frames.iter_mut().for_each(FrameMeter::tick);
        }
        for track in self.tracks.values_mut().filter(|track| matches!(track.owner, Owner::Local { .. })) {
            track.tick_meters();
        }
    }

    /// Other shards learn what the layers carry that they don't get.
    pub(crate) fn tell_rates(&mut self, outbox: &mut dyn Outbox) {
        for track in self.tracks.values().filter(|track| track.kind == TrackKind::Video) {
            for relay in &track.relays {
                outbox.relay(relay.shard, RelayMessage::Rates { key: relay.key, rates: track.rates });
            }
        }
    }
}

/// The lines that carry pictures, and what each asks for.
fn demands(lines: &[SendLine], tracks: &SlotMap<TrackKey, Track>) -> (SmallVec<[usize; 8]>, SmallVec<[Demand; 8]>) {
    let demand = |(index, line): (usize, &SendLine)| {
        let track = tracks.get(line.track()?.0).filter(|_| line.open && line.kind == TrackKind::Video)?;
        let wanted = line.settings.layer?;
        let rate = |layer: usize| if layer <= usize::from(wanted) { track.rates[layer] } else { 0 };
        let mut rates: [u64; MAX_LAYERS] = std::array::from_fn(rate);
        if rates == [0; MAX_LAYERS] {
            // None of those is there: it gets the least that is.
            let least = track.rates.iter().copied().find(|rate| *rate > 0).unwrap_or_default();
            rates[0] = least;
        }
        Some((index, Demand { rates, priority: line.settings.priority, allowed: line.allowed }))
    };
    lines.iter().enumerate().filter_map(demand).unzip()
}

/// Tells the estimator how far to look.
fn wish(peer: &mut Peer, allocation: &Allocation) {
    let wished = allocation.wished * WISH_MARGIN_PERCENT / 100;
    if peer.downlink.told.abs_diff(wished) * 100 > peer.downlink.told * WISH_STEP_PERCENT {
        peer.downlink.told = wished;
        peer.sending_link().connection.set_desired_bitrate(wished);
    }
}

/// Somebody has less than they want for a while: the way is tried anew. An estimate does not rise far above what is sent,
/// and padding up to the next layer would keep a narrow way's queue full; a few milliseconds of probes tell as much.
fn retry(now: Instant, peer: &mut Peer, allocation: &Allocation) {
    let due = peer.downlink.retry_at.is_none_or(|at| now >= at);
    if allocation.next > 0 && due {
        peer.downlink.retry_at = Some(now + RETRY);
        let from = peer.downlink.estimate.unwrap_or_default().max(allocation.spent);
        peer.sending_link().connection.restart_estimate(from);
    }
}
