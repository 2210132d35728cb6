//! Rooms, the users in them, and what is known of each. What the limits don't allow changes nothing.

use super::visits::VisitId;
use crate::effect::Complaint;
use crate::input::Attribute;
use crate::limits::{MAX_KEYS_OF_USER, MAX_PRESENCE_BYTES, MAX_ROOMS, MAX_USER_BYTES};
use crate::world::{Piece, Visit};
use indexmap::IndexMap;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// The key of a user's name.
pub(super) const NAME: &str = "userName";

/// Quotes, colon, comma and braces around a key or a user, bytes: about.
const PUNCTUATION: usize = 6;

/// Whether a room's other clients are shown somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    No,
    Yes,
    /// The room did not take them.
    Refused,
}

/// What is known of somebody.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(IndexMap<Box<str>, Box<str>>);

/// A user of the bus in a room.
#[derive(Debug)]
pub(super) struct User {
    pub(super) known: Known,
    /// By CHANNEL_JOIN.
    pub(super) joined: bool,
    pub(super) shown: Shown,
    /// Nobody speaks for them any more; they may come back.
    pub(super) lost: Option<VisitId>,
}

/// A room in which somebody is.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) users: IndexMap<Arc<str>, User>,
    /// Of other gateways.
    others: IndexMap<Arc<str>, Known>,
    /// Users that are shown to them.
    pub(super) visible: usize,
}

/// All rooms.
#[derive(Debug, Default)]
pub(super) struct Presence {
    rooms: IndexMap<Arc<str>, Room>,
    /// In which rooms a user is.
    places: HashMap<Arc<str>, SmallVec<[Arc<str>; 1]>>,
    bytes: usize,
}

impl Presence {
    pub(super) fn rooms(&self) -> impl Iterator<Item = (&Arc<str>, &Room)> {
        self.rooms.iter()
    }

    pub(super) fn room_mut(&mut self, room: &str) -> Option<&mut Room> {
        self.rooms.get_mut(room)
    }

    pub(super) fn room(&self, room: &str) -> Option<&Room> {
        self.rooms.get(room)
    }

    pub(super) fn user(&self, room: &str, user: &str) -> Option<&User> {
        self.rooms.get(room)?.users.get(user)
    }

    pub(super) fn user_mut(&mut self, room: &str, user: &str) -> Option<&mut User> {
        self.rooms.get_mut(room)?.users.get_mut(user)
    }

    /// In which rooms a user is.
    pub(super) fn places(&self, user: &str) -> SmallVec<[Arc<str>; 1]> {
        self.places.get(user).cloned().unwrap_or_default()
    }

    /// Puts a user into a room; false if they are there already.
    pub(super) fn insert(&mut self, room: &Arc<str>, user: &Arc<str>, limit: usize) -> Result<bool, Complaint> {
        if self.user(room, user).is_some() {
            return Ok(false);
        }
        if !self.rooms.contains_key(room) && self.rooms.len() >= MAX_ROOMS {
            return Err(Complaint::TooManyRooms);
        }
        if self.rooms.get(room).is_some_and(|room| room.users.len() >= limit) {
            return Err(Complaint::RoomFull);
        }
        let cost = user.len() + PUNCTUATION;
        if self.bytes + cost > MAX_PRESENCE_BYTES {
            return Err(Complaint::PresenceFull);
        }
        self.bytes += cost;
        let fresh = User { known: Known::default(), joined: false, shown: Shown::No, lost: None };
        self.rooms.entry(room.clone()).or_default().users.insert(user.clone(), fresh);
        self.places.entry(user.clone()).or_default().push(room.clone());
        Ok(true)
    }

    /// Merges what a client says of a user who is there; true if it says anything new.
    pub(super) fn merge(&mut self, room: &str, user: &str, news: &[Attribute]) -> Result<bool, Complaint> {
        let Some(user) = self.rooms.get_mut(room).and_then(|room| room.users.get_mut(user)) else { return Ok(false) };
        let (before, after) = (user.known.bytes(), user.known.bytes_with(news));
        if after > MAX_USER_BYTES || user.known.keys_with(news) > MAX_KEYS_OF_USER {
            return Err(Complaint::UserTooLarge);
        }
        if self.bytes + after - before > MAX_PRESENCE_BYTES && after > before {
            return Err(Complaint::PresenceFull);
        }
        self.bytes = self.bytes + after - before;
        Ok(user.known.merge(news))
    }

    /// Takes a user out of a room.
    pub(super) fn remove(&mut self, room: &str, id: &str) -> Option<User> {
        let user = self.rooms.get_mut(room)?.users.shift_remove(id)?;
        self.bytes -= user.known.bytes() + id.len() + PUNCTUATION;
        if let Some(places) = self.places.get_mut(id) {
            places.retain(|place| **place != *room);
            if places.is_empty() {
                self.places.remove(id);
            }
        }
        self.forget_empty(room);
        Some(user)
    }

    /// Somebody of another gateway. Whom there is no place for is not shown.
    pub(super) fn put_other(&mut self, room: &Arc<str>, id: &Arc<str>, attributes: &[Attribute]) {
        self.remove_other(room, id);
        let mut known = Known::default();
        for attribute in attributes.iter().take(MAX_KEYS_OF_USER) {
            let news = std::slice::from_ref(attribute);
            if known.bytes_with(news) <= MAX_USER_BYTES {
                known.merge(news);
            }
        }
        let cost = known.bytes() + id.len() + PUNCTUATION;
        let place = self.rooms.contains_key(room) || self.rooms.len() < MAX_ROOMS;
        if place && self.bytes + cost <= MAX_PRESENCE_BYTES {
            self.bytes += cost;
            self.rooms.entry(room.clone()).or_default().others.insert(id.clone(), known);
        }
    }

    pub(super) fn remove_other(&mut self, room: &str, id: &str) {
        let removed = self.rooms.get_mut(room).and_then(|room| room.others.shift_remove(id));
        if let Some(known) = removed {
            self.bytes -= known.bytes() + id.len() + PUNCTUATION;
            self.forget_empty(room);
        }
    }

    pub(super) fn remove_others(&mut self, room: &str) {
        let others = self.rooms.get(room).map(|room| room.others.keys().cloned().collect::<Vec<_>>());
        others.into_iter().flatten().for_each(|id| self.remove_other(room, &id));
    }

    fn forget_empty(&mut self, room: &str) {
        if self.rooms.get(room).is_some_and(|room| room.users.is_empty() && room.others.is_empty()) {
            self.rooms.swap_remove(room);
        }
    }
}

impl Room {
    /// Its users, then those of other gateways.
    pub(super) fn walk(&self, visit: &mut Visit<'_>) {
        let users = self.users.iter().map(|(id, user)| (id, &user.known));
        for (id, known) in users.chain(&self.others) {
            visit(Piece::User(id));
            known.0.iter().for_each(|(key, json)| visit(Piece::Attribute(key, json)));
        }
    }

    /// About so many bytes of text.
    pub(super) fn size(&self) -> usize {
        let users = self.users.iter().map(|(id, user)| (id, &user.known));
        users.chain(&self.others).map(|(id, known)| id.len() + PUNCTUATION + known.bytes()).sum()
    }
}

impl Known {
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        self.0.iter().map(|(key, json)| (key.to_string(), json.clone())).collect()
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|(key, json)| key.len() + json.len() + PUNCTUATION).sum()
    }

    fn bytes_with(&self, news: &[Attribute]) -> usize {
        let replaced: usize = self.new_keys(news, true).map(|(key, _)| self.cost_of(key)).sum();
        let added: usize = last_of_each(news).map(|(key, json)| key.len() + json.len() + PUNCTUATION).sum();
        self.bytes() - replaced + added
    }

    fn keys_with(&self, news: &[Attribute]) -> usize {
        self.0.len() + self.new_keys(news, false).count()
    }

    /// Of what is said, what is known already, or isn't.
    fn new_keys<'a>(&'a self, news: &'a [Attribute], known: bool) -> impl Iterator<Item = &'a Attribute> {
        last_of_each(news).filter(move |(key, _)| self.0.contains_key(key.as_str()) == known)
    }

    fn cost_of(&self, key: &str) -> usize {
        self.0.get(key).map_or(0, |json| key.len() + json.len() + PUNCTUATION)
    }

    fn merge(&mut self, news: &[Attribute]) -> bool {
        let mut changed = false;
        for (key, json) in last_of_each(news) {
            changed |= self.0.get(key.as_str()) != Some(json);
            self.0.insert(key.as_str().into(), json.clone());
        }
        changed
    }
}

/// Of a key that is said twice the last counts.
fn last_of_each(news: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    let is_last = move |at: usize| !news[at + 1..].iter().any(|(key, _)| *key == news[at].0);
    news.iter().enumerate().filter(move |(at, _)| is_last(*at)).map(|(_, attribute)| attribute)
}
