//! Time: the room's own end (L-14), updates of its counts, and everything else that waits for a moment.

use super::member::Member;
use super::{Room, RoomConfig};
use crate::effect::{RoomEffect, RoomEvent};
use crate::input::Now;
use crate::limits::ROOM_UPDATE_INTERVAL;
use crate::notice::{EndReason, Notice};
use std::time::{Duration, Instant};

/// What an event that is on in a room, or soon to be, wants of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Staging {
    /// The room does not end for being empty.
    pub stays: bool,
    /// Nobody may write, whatever the chat's own rules say.
    pub chat_closed: bool,
}

/// When the room ends, and when it tells its counts.
#[derive(Debug)]
pub(super) struct Lifecycle {
    /// Set while nobody is there.
    ends_at: Option<Instant>,
    /// It does not end for being empty: an event is on, or soon to be, here.
    stays: bool,
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
        Self {
            ends_at,
            stays: false,
            ended: false,
            occupied: false,
            counts_stale: false,
            last_update: now,
            update_due: None,
        }
    }

    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// When it ends, as things stand.
    fn end(&self) -> Option<Instant> {
        self.ends_at.filter(|_| !self.stays)
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
        let own = [self.lifecycle.end(), self.lifecycle.update_due];
        let demand = self.demands.first().map(|(at, _)| *at);
        let periodic = [self.speakers.deadline(), self.quality.deadline(), self.wishes.deadline()];
        own.into_iter().chain(periodic).chain([departure, demand]).flatten().min()
    }

    /// Time has passed. Calling it early or often does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.lifecycle.ended {
            return;
        }
        self.at = now.at;
        self.depart_due(now.at);
        self.give_up_wishes(now.at);
        self.speakers.expire(now.at);
        self.lower_demands(now.at);
        self.settle(now);
        self.tell_quality(now.at);
        self.tell_counts(now.at);
        self.end_if_due(now.at);
    }

    /// What follows from an input, whatever it was.
    pub(super) fn settle(&mut self, now: Now) {
        self.fill_places();
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

    /// What an event wants of the room changes; drain the effects after it.
    pub fn stage(&mut self, now: Now, staging: Staging) {
        if self.lifecycle.ended {
            return;
        }
        self.at = now.at;
        self.stay(now.at, staging.stays);
        self.close_chat_for_event(staging.chat_closed);
        self.settle(now);
    }

    /// What waited for the event's end ends no sooner than if somebody had just left.
    fn stay(&mut self, now: Instant, stays: bool) {
        let stayed = std::mem::replace(&mut self.lifecycle.stays, stays);
        if let Some(ends_at) = self.lifecycle.ends_at.as_mut().filter(|_| stayed && !stays) {
            *ends_at = (*ends_at).max(now + Duration::from_secs(self.config.departure_timeout_s.into()));
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
        if self.lifecycle.end().is_some_and(|at| at <= now) {
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
