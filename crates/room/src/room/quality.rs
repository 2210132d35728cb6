//! How well people are connected (livekit.md 2.8): a simplified E-model over loss and round trip, or the layers of pictures
//! that are missing if that is worse; smoothed, told every 5 s to each for themselves and for those they receive. Never `LOST`: clients leave and come back on it.

use super::Room;
use crate::effect::{ParticipantQuality, Quality, RoomEvent};
use crate::id::SessionId;
use crate::input::Now;
use crate::limits::QUALITY_INTERVAL;
use std::time::Instant;

/// Points lost for each percent of packets lost: 3.4 % makes it good, 10 % poor (between the reference's weights for
/// audio with RED and for video).
const POINTS_PER_LOSS_PERCENT: f32 = 6.0;
/// One-way delay up to which it hardly matters (ITU-T G.107's knee, as the reference uses it), ms.
const DELAY_KNEE_MS: f32 = 160.0;
/// Weight of a new score that is better: trust comes slowly.
const RISE: f32 = 0.4;
/// Weight of a new score that is worse.
const FALL: f32 = 0.8;
/// Points lost for each missing layer of a picture: each costs a quality (the reference's `distanceWeight`).
const POINTS_PER_LAYER: f32 = 35.0;
/// A score sinks no lower, so that it climbs out of a bad moment in a few rounds (the reference's `minScore`).
const LOWEST: f32 = 20.0;
/// Over this: excellent.
const EXCELLENT_OVER: f32 = 80.0;
/// Over this: good; under it: poor.
const GOOD_OVER: f32 = 40.0;

/// 0..=100, smoothed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Score(f32);

/// What a shard saw of a peer in one interval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Observed {
    /// Fractions 0..=1, from the peer and to it; the worse direction counts.
    pub(super) losses: [Option<f32>; 2],
    pub(super) rtt_ms: Option<f32>,
    /// Layers, the mean of the interval.
    pub(super) missed_layers: f32,
}

impl Observed {
    fn packet_points(&self) -> f32 {
        let losses = self.losses.into_iter().flatten().filter(|loss| loss.is_finite());
        let loss = losses.fold(0.0_f32, f32::max).min(1.0);
        let delay = self.rtt_ms.filter(|rtt| rtt.is_finite()).unwrap_or(0.0).max(0.0) / 2.0;
        delay_points(delay) + loss * 100.0 * POINTS_PER_LOSS_PERCENT
    }

    fn layer_points(&self) -> f32 {
        if self.missed_layers.is_finite() { self.missed_layers.max(0.0) * POINTS_PER_LAYER } else { 0.0 }
    }
}

impl Score {
    fn of(observed: &Observed) -> Self {
        Self((100.0 - observed.packet_points().max(observed.layer_points())).clamp(LOWEST, 100.0))
    }

    fn smoothed(self, before: Option<Self>) -> Self {
        let Some(Self(before)) = before else { return self };
        let weight = if self.0 > before { RISE } else { FALL };
        Self(before + (self.0 - before) * weight)
    }

    fn quality(self) -> Quality {
        match self.0 {
            score if score > EXCELLENT_OVER => Quality::Excellent,
            score if score > GOOD_OVER => Quality::Good,
            _ => Quality::Poor,
        }
    }

    /// Mean opinion score, 1 to 4.5 (ITU-T G.107, annex B).
    fn mos(self) -> f32 {
        let r = self.0;
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
    }
}

/// Points lost for a one-way delay in ms: little up to the knee, then a point for each 10 ms.
fn delay_points(delay_ms: f32) -> f32 {
    if delay_ms < DELAY_KNEE_MS { delay_ms / 40.0 } else { (delay_ms - 120.0) / 10.0 }
}

/// When the next round is due. No reports, no rounds: an idle room sleeps.
#[derive(Debug, Default)]
pub(super) struct QualityRounds {
    last: Option<Instant>,
    due: Option<Instant>,
}

impl QualityRounds {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    fn reported(&mut self, now: Instant) {
        let earliest = self.last.map_or(now + QUALITY_INTERVAL, |last| (last + QUALITY_INTERVAL).max(now));
        self.due.get_or_insert(earliest);
    }

    fn take_due(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            (self.last, self.due) = (Some(now), None);
        }
        due
    }
}

impl Room {
    pub(super) fn on_quality(&mut self, now: Now, session: SessionId, observed: &Observed) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        member.score = Some(Score::of(observed).smoothed(member.score));
        self.quality.reported(now.at);
    }

    pub(super) fn tell_quality(&mut self, now: Instant) {
        if !self.quality.take_due(now) {
            return;
        }
        let sessions: Vec<_> = self.members.keys().copied().collect();
        for session in sessions {
            let list = self.quality_for(session);
            if !list.is_empty() {
                self.tell(session, RoomEvent::ConnectionQuality(list));
            }
        }
    }

    fn quality_for(&self, session: SessionId) -> Vec<ParticipantQuality> {
        let known = self.members.iter().filter_map(|(other, member)| Some((*other, member, member.score?)));
        let told = known.filter(|(other, ..)| self.hears(session, *other));
        told.map(|(_, member, score)| ParticipantQuality {
            sid: member.info.sid.clone(),
            quality: score.quality(),
            score: score.mos(),
        })
        .collect()
    }
}
