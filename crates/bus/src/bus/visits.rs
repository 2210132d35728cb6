//! Sockets that are gone and may come back (E-04), as a table: which wait, and which sockets may have been meant.

use crate::input::{Attribute, Returning, SocketId, View, Visitor};
use crate::limits::MAX_FORGOTTEN;
use smallvec::SmallVec;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// A socket that is gone; later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct VisitId(u64);

/// By what a socket is known again. One with a token is never taken for one without it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    by: Returning,
    token_for: Option<Arc<str>>,
}

/// A user in a room.
pub(super) type Seat = (Arc<str>, Arc<str>);

/// What a socket left behind.
#[derive(Debug)]
pub(super) struct Visit {
    visitor: Visitor,
    token_for: Option<Arc<str>>,
    /// It was there until then at least.
    pub(super) heard_at: Instant,
    /// Then its users leave, unless somebody stands in.
    deadline: Instant,
    pub(super) users: Vec<Seat>,
    /// A socket that says nothing and is taken for its return.
    pub(super) stand_in: Option<SocketId>,
}

/// What left because fewer sockets came back than were lost. If the wrong ones left, a message says so.
#[derive(Debug)]
pub(super) struct Forgotten {
    keys: SmallVec<[Key; 2]>,
    heard_at: Instant,
    left_at: Instant,
    pub(super) users: Vec<(Seat, Vec<Attribute>, bool)>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Visits {
    visits: HashMap<VisitId, Visit>,
    deadlines: BTreeSet<(Instant, VisitId)>,
    /// Visits for which nobody stands in.
    waiting: HashMap<Key, BTreeSet<VisitId>>,
    /// Sockets that have said nothing and stand for nobody, by when they were opened.
    idle: HashMap<Key, BTreeSet<(Instant, SocketId)>>,
    forgotten: VecDeque<Forgotten>,
    next: u64,
}

impl Visits {
    pub(super) fn get(&self, id: VisitId) -> Option<&Visit> {
        self.visits.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: VisitId) -> Option<&mut Visit> {
        self.visits.get_mut(&id)
    }

    /// A socket is gone. Its users leave at `deadline`.
    pub(super) fn begin(
        &mut self,
        visitor: Visitor,
        view: &View,
        heard_at: Instant,
        deadline: Instant,
        users: Vec<Seat>,
    ) -> VisitId {
        self.next += 1;
        let id = VisitId(self.next);
        let token_for = view.grant.as_ref().map(|grant| grant.room.clone());
        self.visits.insert(id, Visit { visitor, token_for, heard_at, deadline, users, stand_in: None });
        self.wait(id, deadline);
        id
    }

    /// Nobody stands in for it: it ends at `deadline`.
    pub(super) fn wait(&mut self, id: VisitId, deadline: Instant) {
        let Some(visit) = self.visits.get_mut(&id) else { return };
        visit.stand_in = None;
        visit.deadline = deadline;
        self.deadlines.insert((deadline, id));
        for key in visit.keys() {
            self.waiting.entry(key).or_default().insert(id);
        }
    }

    /// A socket stands in for it: it goes on.
    pub(super) fn stand_in(&mut self, id: VisitId, socket: SocketId) {
        self.stop_waiting(id);
        if let Some(visit) = self.visits.get_mut(&id) {
            visit.stand_in = Some(socket);
        }
    }

    fn stop_waiting(&mut self, id: VisitId) {
        let Some(visit) = self.visits.get(&id) else { return };
        self.deadlines.remove(&(visit.deadline, id));
        for key in visit.keys() {
            remove(&mut self.waiting, &key, &id);
        }
    }

    /// Nobody has to come back any more.
    pub(super) fn end(&mut self, id: VisitId) -> Option<Visit> {
        self.stop_waiting(id);
        self.visits.remove(&id)
    }

    /// When it ends, or would end.
    pub(super) fn deadline(&self, id: VisitId) -> Option<Instant> {
        self.visits.get(&id).map(|visit| visit.deadline)
    }

    /// A visit that is over by now.
    pub(super) fn overdue(&self, now: Instant) -> Option<VisitId> {
        self.deadlines.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// This socket says nothing, and might be anybody's return.
    pub(super) fn add_idle(&mut self, socket: SocketId, visitor: Visitor, view: &View, opened_at: Instant) {
        self.idle.entry(key(visitor, view)).or_default().insert((opened_at, socket));
    }

    pub(super) fn remove_idle(&mut self, socket: SocketId, visitor: Visitor, view: &View, opened_at: Instant) {
        remove(&mut self.idle, &key(visitor, view), &(opened_at, socket));
    }

    /// Whose return a socket may be: the last who left.
    pub(super) fn missing_for(&self, visitor: Visitor, view: &View) -> Option<VisitId> {
        self.waiting.get(&key(visitor, view))?.last().copied()
    }

    /// Which socket may be the return of a visit: one that opened since that was heard last.
    pub(super) fn return_of(&self, id: VisitId) -> Option<SocketId> {
        let visit = self.visits.get(&id)?;
        let from = (visit.heard_at, SocketId(0));
        visit.keys().iter().find_map(|key| self.idle.get(key)?.range(from..).next().map(|(_, socket)| *socket))
    }

    /// Would a socket be taken for the return of this visit?
    pub(super) fn matches(&self, id: VisitId, visitor: Visitor, view: &View) -> bool {
        self.visits.get(&id).is_some_and(|visit| visit.keys().contains(&key(visitor, view)))
    }

    pub(super) fn forget(&mut self, visit: &Visit, left_at: Instant, users: Vec<(Seat, Vec<Attribute>, bool)>) {
        if self.forgotten.len() >= MAX_FORGOTTEN {
            self.forgotten.pop_front();
        }
        let (keys, heard_at) = (visit.keys(), visit.heard_at);
        self.forgotten.push_back(Forgotten { keys, heard_at, left_at, users });
    }

    /// What a socket that was back in time had left behind, if this user was among it.
    pub(super) fn recall(
        &mut self,
        user: &str,
        visitor: Visitor,
        view: &View,
        opened_at: Instant,
    ) -> Option<Forgotten> {
        let key = key(visitor, view);
        let meant = |gone: &Forgotten| {
            let in_time = (gone.heard_at..=gone.left_at).contains(&opened_at);
            in_time && gone.keys.contains(&key) && gone.users.iter().any(|((_, id), ..)| **id == *user)
        };
        let at = self.forgotten.iter().position(meant)?;
        self.forgotten.remove(at)
    }

    /// Forgets everybody who is missing; says who stood in for them.
    pub(super) fn clear(&mut self) -> Vec<SocketId> {
        let stand_ins = self.visits.values().filter_map(|visit| visit.stand_in).collect();
        self.visits.clear();
        self.deadlines.clear();
        self.waiting.clear();
        self.forgotten.clear();
        stand_ins
    }
}

impl Visit {
    /// A browser that has sent a cookie sends it again; whoever has not may come with the one that it was given, or
    /// without any.
    fn keys(&self) -> SmallVec<[Key; 2]> {
        let key = |by| Key { by, token_for: self.token_for.clone() };
        let mut keys = SmallVec::from_iter([key(Returning::Cookie(self.visitor.cookie))]);
        if !self.visitor.sent_cookie {
            keys.push(key(Returning::Address(self.visitor.address)));
        }
        keys
    }
}

fn key(visitor: Visitor, view: &View) -> Key {
    let by = match visitor.sent_cookie {
        true => Returning::Cookie(visitor.cookie),
        false => Returning::Address(visitor.address),
    };
    Key { by, token_for: view.grant.as_ref().map(|grant| grant.room.clone()) }
}

fn remove<T: Ord>(sets: &mut HashMap<Key, BTreeSet<T>>, key: &Key, item: &T) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(item);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
