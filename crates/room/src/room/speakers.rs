//! Who speaks (L-03, livekit.md 2.8): windows of 400 ms from the shards, smoothed, quantised, and only what changed is
//! told, only to those who receive the speaker, and to the speaker.

use super::Room;
use crate::effect::{Recipients, RoomEvent, Speaker};
use crate::id::{ParticipantSid, SessionId, TrackSid};
use crate::input::Now;
use crate::limits::LEVEL_EXPIRY;
use crate::media::AudioLevel;
use indexmap::IndexMap;
use smallvec::SmallVec;
use std::time::Instant;

/// Weight of a new window in the exponential mean: 2/(N+1) over N = 2 windows, the reference's `smooth_intervals`.
const SMOOTHING: f32 = 2.0 / 3.0;
/// A window counts as speech if this share of it was loud enough (the reference's `min_percentile` 40).
const MIN_ACTIVE_SHARE: f32 = 0.4;
/// Speech is at or over -35 dBov (the reference's `active_level`).
const ACTIVE_LEVEL_DBOV: f32 = 35.0;
/// Levels go out in eighths, so that small changes make no messages.
const LEVEL_STEPS: f32 = 8.0;

/// One audio track's mean.
#[derive(Debug)]
struct Voice {
    session: SessionId,
    smoothed: f32,
    heard_at: Instant,
}

/// The voices heard of late, and what was told of them.
#[derive(Debug, Default)]
pub(super) struct SpeakerBoard {
    voices: IndexMap<TrackSid, Voice>,
    /// Active speakers as last told, quantised.
    told: IndexMap<SessionId, f32>,
    /// Something may have changed since.
    stale: bool,
}

impl SpeakerBoard {
    fn hear(&mut self, now: Instant, level: &AudioLevel) {
        let (track, session) = (level.track.clone(), level.session);
        let voice = self.voices.entry(track).or_insert(Voice { session, smoothed: 0.0, heard_at: now });
        voice.smoothed += (window_level(level) - voice.smoothed) * SMOOTHING;
        voice.heard_at = now;
        self.stale = true;
    }

    /// A track that is muted or gone speaks no more.
    pub(super) fn forget_track(&mut self, track: &TrackSid) {
        self.stale |= self.voices.shift_remove(track).is_some();
    }

    /// Who left needs no "inactive" either.
    pub(super) fn forget_session(&mut self, session: SessionId) {
        self.voices.retain(|_, voice| voice.session != session);
        self.told.shift_remove(&session);
    }

    /// When a voice of which nothing more is heard falls silent. Only active ones matter.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.voices.values().map(|voice| voice.heard_at + LEVEL_EXPIRY).min()
    }

    pub(super) fn expire(&mut self, now: Instant) {
        let before = self.voices.len();
        self.voices.retain(|_, voice| voice.heard_at + LEVEL_EXPIRY > now);
        self.stale |= self.voices.len() != before;
    }

    /// Those who speak now, each by their loudest track.
    fn active(&self) -> IndexMap<SessionId, f32> {
        let threshold = linear(ACTIVE_LEVEL_DBOV);
        let mut active = IndexMap::new();
        for voice in self.voices.values().filter(|voice| voice.smoothed >= threshold) {
            let level = active.entry(voice.session).or_insert(0.0_f32);
            *level = level.max(quantised(voice.smoothed));
        }
        active
    }

    /// What has changed since it was last asked: (who, level, active).
    fn changes(&mut self) -> Vec<(SessionId, f32, bool)> {
        if !std::mem::take(&mut self.stale) {
            return Vec::new();
        }
        let active = self.active();
        let louder = active.iter().filter(|(who, level)| self.told.get(*who) != Some(*level));
        let mut changes: Vec<_> = louder.map(|(who, level)| (*who, *level, true)).collect();
        changes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let silent = self.told.keys().filter(|who| !active.contains_key(*who));
        changes.extend(silent.map(|who| (*who, 0.0, false)));
        self.told = active;
        changes
    }
}

impl Room {
    pub(super) fn on_levels(&mut self, now: Now, levels: &[AudioLevel]) {
        for level in levels {
            if self.is_heard(level) {
                self.speakers.hear(now.at, level);
            }
        }
    }

    /// Only live tracks that are not muted have a voice.
    fn is_heard(&self, level: &AudioLevel) -> bool {
        let member = self.members.get(&level.session);
        let publication = member.and_then(|member| member.publications.get(&level.track));
        publication.is_some_and(|publication| publication.live && !publication.track.muted)
    }

    /// Tells what changed. Most rooms have one answer for nearly everybody, so equal lists are sent as one event.
    pub(super) fn tell_speakers(&mut self) {
        let changes = self.speakers.changes();
        if changes.is_empty() {
            return;
        }
        let speakers: Vec<_> = changes.into_iter().filter_map(|change| self.speaker(change)).collect();
        let mut audiences: IndexMap<SmallVec<[usize; 8]>, Recipients> = IndexMap::new();
        for (&session, _) in self.members.iter().filter(|(_, member)| member.listens()) {
            let audible = (0..speakers.len()).filter(|&at| self.hears(session, speakers[at].0)).collect();
            audiences.entry(audible).or_default().push(session);
        }
        for (audible, to) in audiences.into_iter().filter(|(audible, _)| !audible.is_empty()) {
            let list = audible.iter().map(|&at| speakers[at].1.clone()).collect();
            self.send(to, RoomEvent::SpeakersChanged(list));
        }
    }

    fn speaker(&self, (who, level, active): (SessionId, f32, bool)) -> Option<(SessionId, Speaker)> {
        let sid: ParticipantSid = self.members.get(&who)?.info.sid.clone();
        Some((who, Speaker { sid, level, active }))
    }

    /// Themselves, and whose tracks they receive.
    pub(super) fn hears(&self, session: SessionId, other: SessionId) -> bool {
        session == other || self.members.get(&other).is_some_and(|member| member.is_received_by(session))
    }
}

/// The linear level of one window: quieter by as much as it was not active; 0 where too little of it was.
fn window_level(level: &AudioLevel) -> f32 {
    let share = level.active_share.clamp(0.0, 1.0);
    if share.is_nan() || share < MIN_ACTIVE_SHARE {
        return 0.0;
    }
    linear(f32::from(level.level_dbov.min(127)) - 20.0 * share.log10())
}

/// dBov below full scale → 0..=1.
fn linear(dbov: f32) -> f32 {
    10_f32.powf(-dbov / 20.0)
}

/// A level in eighths, rounded up so that somebody who speaks is never at 0.
pub fn quantised(level: f32) -> f32 {
    ((level * LEVEL_STEPS).ceil() / LEVEL_STEPS).clamp(0.0, 1.0)
}
