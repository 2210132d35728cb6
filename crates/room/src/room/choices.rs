//! What somebody chose to receive or not to receive, against or with `auto_subscribe` (L-22, L-35, L-36). A wish for a
//! track that is not there yet is kept for a while.

use super::Room;
use crate::effect::SubscriptionFailure;
use crate::id::{SessionId, TrackSid};
use crate::limits::{MAX_SUBSCRIPTION_CHOICES, TRACK_NOT_FOUND_TIMEOUT};
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// One participant's choices.
#[derive(Debug, Default)]
pub(super) struct Choices(HashMap<TrackSid, Choice>);

#[derive(Debug)]
struct Choice {
    wanted: bool,
    /// Set while the track is not there: then the wish is given up.
    expires: Option<Instant>,
}

impl Choices {
    /// By own choice, or by default.
    pub(super) fn wants(&self, track: &TrackSid, by_default: bool) -> bool {
        self.0.get(track).map_or(by_default, |choice| choice.wanted)
    }

    fn has_place_for(&self, track: &TrackSid) -> bool {
        self.0.len() < MAX_SUBSCRIPTION_CHOICES || self.0.contains_key(track)
    }
}

/// Wishes for tracks that are not there, by the time when they are given up.
#[derive(Debug, Default)]
pub(super) struct Wishes(BTreeSet<(Instant, SessionId, TrackSid)>);

impl Wishes {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.first().map(|(at, ..)| *at)
    }
}

impl Room {
    /// A client chose, or the server API for it.
    pub(super) fn on_update_subscription(&mut self, session: SessionId, tracks: Vec<TrackSid>, subscribe: bool) {
        // A longer list is no client's; what it names beyond is left as it is.
        for track in tracks.into_iter().take(MAX_SUBSCRIPTION_CHOICES) {
            if subscribe {
                self.choose(session, track);
            } else {
                self.refuse(session, &track);
            }
        }
    }

    fn choose(&mut self, session: SessionId, track: TrackSid) {
        if self.owners.get(&track) == Some(&session) {
            return self.tell_failure(session, track, SubscriptionFailure::NotFound);
        }
        let publisher = self.visible_publisher(session, &track);
        let expires = publisher.is_none().then_some(self.at + TRACK_NOT_FOUND_TIMEOUT);
        if !self.remember(session, &track, Choice { wanted: true, expires }) {
            return self.tell_failure(session, track, SubscriptionFailure::Refused);
        }
        let Some(publisher) = publisher else { return };
        if self.members.get(&session).is_some_and(|member| !member.info.permission.can_subscribe) {
            return self.tell_permission(session, publisher, track, false);
        }
        self.reconsider_choice(session, publisher, &track);
    }

    /// What is not there needs no refusal; a wish for it ends.
    fn refuse(&mut self, session: SessionId, track: &TrackSid) {
        match self.visible_publisher(session, track) {
            Some(publisher) => {
                if self.remember(session, track, Choice { wanted: false, expires: None }) {
                    self.reconsider(session, publisher, track);
                }
            }
            None => self.forget_choice(session, track),
        }
    }

    /// False if they chose too much already.
    fn remember(&mut self, session: SessionId, track: &TrackSid, mut choice: Choice) -> bool {
        let Some(member) = self.members.get_mut(&session) else {
            return false;
        };
        if !member.choices.has_place_for(track) {
            return false;
        }
        let before = member.choices.0.get(track).and_then(|before| before.expires);
        // Asking again does not prolong a wish.
        choice.expires = choice.expires.map(|at| before.unwrap_or(at));
        if let Some(at) = before.filter(|_| choice.expires.is_none()) {
            self.wishes.0.remove(&(at, session, track.clone()));
        }
        self.wishes.0.extend(choice.expires.map(|at| (at, session, track.clone())));
        member.choices.0.insert(track.clone(), choice);
        true
    }

    fn forget_choice(&mut self, session: SessionId, track: &TrackSid) {
        let choice = self.members.get_mut(&session).and_then(|member| member.choices.0.remove(track));
        if let Some(at) = choice.and_then(|choice| choice.expires) {
            self.wishes.0.remove(&(at, session, track.clone()));
        }
    }

    /// A track is there: wishes for it are wishes no more.
    pub(super) fn fulfil_wishes(&mut self, track: &TrackSid) {
        for (session, member) in &mut self.members {
            if let Some(at) = member.choices.0.get_mut(track).and_then(|choice| choice.expires.take()) {
                self.wishes.0.remove(&(at, *session, track.clone()));
            }
        }
    }

    /// Wishes whose track never came (livekit.md 2.7). It may have come into sight with its publisher.
    pub(super) fn give_up_wishes(&mut self, now: Instant) {
        while self.wishes.deadline().is_some_and(|at| at <= now) {
            let Some((_, session, track)) = self.wishes.0.pop_first() else { return };
            if self.visible_publisher(session, &track).is_some() {
                self.remember(session, &track, Choice { wanted: true, expires: None });
            } else {
                self.forget_choice(session, &track);
                self.tell_failure(session, track, SubscriptionFailure::NotFound);
            }
        }
    }

    /// Nobody needs a choice, or settings, for a track that is gone.
    pub(super) fn forget_choices(&mut self, track: &TrackSid) {
        for member in self.members.values_mut() {
            member.choices.0.remove(track);
            member.settings.remove(track);
        }
    }

    /// Nobody waits for what somebody wished who has left.
    pub(super) fn forget_wishes(&mut self, session: SessionId, choices: &Choices) {
        for (track, at) in choices.0.iter().filter_map(|(track, choice)| Some((track, choice.expires?))) {
            self.wishes.0.remove(&(at, session, track.clone()));
        }
    }
}
