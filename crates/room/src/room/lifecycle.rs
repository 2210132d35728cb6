//! Time: the room's own end (L-14), updates of its counts, and everything else that waits for a moment.

use super::member::Member;
use super::{Room, RoomConfig};
use crate::effect::{RoomEffect, RoomEvent};
use crate::input::Now;
use crate::limits::ROOM_UPDATE_INTERVAL;
use crate::notice::{EndReason, Notice};
use std::time::{Duration, Instant};

/// When the room ends, and when it tells its counts.
#[derive(Debug)]
pub(super) struct Lifecycle {
    /// Set while nobody is there.
    ends_at: Option<Instant>,
    ended: bool,
    /// Somebody has been there since `ends_at` was set last.
    occupied: bool,
    /// The counts are not what they were when the last input came.
    counts_stale: bool,
    last_update: Instant,
    update_due: Option<Instant>,
}

impl Lifecycle {
    pub(super) fn new(config: &RoomConfig, now: Instant) -> Self {
        let ends_at = Some(now + Duration::from_secs(config.empty_timeout_s.into()));
        Self { ends_at, ended: false, occupied: false, counts_stale: false, last_update: now, update_due: None }
    }

    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Somebody is there.
    pub(super) fn occupied(&mut self) {
        self.occupied = true;
        self.ends_at = None;
    }
}

impl Room {
    /// When [`Room::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.lifecycle.ended {
            return None;
        }
        let departure = self.departures.first().map(|(at, _)| *at);
        let own = [self.lifecycle.ends_at, self.lifecycle.update_due];
        let demand = self.demands.first().map(|(at, _)| *at);
        let periodic = [self.speakers.deadline(), self.quality.deadline()];
        own.into_iter().chain(periodic).chain([departure, demand]).flatten().min()
    }

    /// Time has passed. Calling it early or often does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.lifecycle.ended {
            return;
        }
        self.at = now.at;
        self.depart_due(now.at);
        self.speakers.expire(now.at);
        self.lower_demands(now.at);
        self.settle(now);
        self.tell_quality(now.at);
        self.tell_counts(now.at);
        self.end_if_due(now.at);
    }

    /// What follows from an input, whatever it was.
    pub(super) fn settle(&mut self, now: Now) {
        self.tell_speakers();
        if std::mem::take(&mut self.lifecycle.counts_stale) {
            let due = (self.lifecycle.last_update + ROOM_UPDATE_INTERVAL).max(now.at);
            self.lifecycle.update_due.get_or_insert(due);
        }
        if self.lifecycle.occupied && !self.members.values().any(Member::keeps_the_room) && !self.lifecycle.ended {
            let delay = Duration::from_secs(self.config.departure_timeout_s.into());
            self.lifecycle.occupied = false;
            self.lifecycle.ends_at = Some(now.at + delay);
        }
    }

    /// Somebody came, went, or began or stopped publishing: a room update follows, at most one in an interval.
    pub(super) fn counts_changed(&mut self) {
        self.lifecycle.counts_stale = true;
    }

    fn tell_counts(&mut self, now: Instant) {
        if self.lifecycle.update_due.is_some_and(|due| due <= now) {
            self.lifecycle.update_due = None;
            self.lifecycle.last_update = now;
            self.tell_all(RoomEvent::RoomUpdated(self.info()));
        }
    }

    fn end_if_due(&mut self, now: Instant) {
        if self.lifecycle.ends_at.is_some_and(|at| at <= now) {
            self.end(EndReason::Idle);
        }
    }

    /// Nothing comes after this.
    pub(super) fn end_now(&mut self, why: EndReason) {
        if !std::mem::replace(&mut self.lifecycle.ended, true) {
            self.notice(Notice::RoomFinished(why));
            self.effects.push_back(RoomEffect::Ended);
        }
    }
}
