//! How many tracks somebody receives at a time, against what the operator allows (`limits.subscriptions_audio` and
//! `limits.subscriptions_video`). Whoever has as many as they may gets the next one when a place is free.

use super::Room;
use crate::id::SessionId;
use crate::limits::RoomLimits;
use crate::track::TrackKind;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    audio: u32,
    video: u32,
}

impl Received {
    pub(super) fn is_full(&self, kind: TrackKind, limits: &RoomLimits) -> bool {
        let (count, limit) = match kind {
            TrackKind::Audio => (self.audio, limits.audio_subscriptions),
            TrackKind::Video => (self.video, limits.video_subscriptions),
        };
        limit > 0 && count >= limit
    }

    pub(super) fn add(&mut self, kind: TrackKind) {
        let count = self.count(kind);
        *count = count.saturating_add(1);
    }

    fn remove(&mut self, kind: TrackKind) {
        let count = self.count(kind);
        *count = count.saturating_sub(1);
    }

    fn count(&mut self, kind: TrackKind) -> &mut u32 {
        match kind {
            TrackKind::Audio => &mut self.audio,
            TrackKind::Video => &mut self.video,
        }
    }
}

impl Room {
    /// One of their subscriptions has ended.
    pub(super) fn received_ended(&mut self, session: SessionId, kind: TrackKind) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        if member.received.is_full(kind, &self.config.limits) {
            self.freed.insert(session);
        }
        member.received.remove(kind);
    }

    /// Those who had as many as they may, and now have a place free.
    pub(super) fn fill_places(&mut self) {
        while let Some(session) = self.freed.pop_first() {
            self.reconsider_receiver(session);
        }
    }
}
