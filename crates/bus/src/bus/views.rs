//! Sockets by what they see: those that see the same rooms get the same bytes.

use crate::effect::Audience;
use crate::input::{SocketId, View};
use indexmap::IndexSet;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Sockets that see the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct ViewId(u64);

#[derive(Debug)]
struct Group {
    view: View,
    members: IndexSet<SocketId>,
    /// `members`, shared with effects until somebody comes or goes.
    shared: Option<Arc<[SocketId]>>,
    /// Before this they get no CHANNELS_UPDATED.
    next_at: Instant,
    /// They are to get one.
    dirty: bool,
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Views {
    groups: HashMap<ViewId, Group>,
    by_view: HashMap<View, ViewId>,
    /// Those who see all open rooms.
    wide: BTreeSet<ViewId>,
    /// Those who see certain rooms only.
    narrow: HashMap<Arc<str>, BTreeSet<ViewId>>,
    /// The dirty ones, by when they may get CHANNELS_UPDATED.
    due: BTreeSet<(Instant, ViewId)>,
    next: u64,
}

impl Views {
    pub(super) fn add(&mut self, socket: SocketId, view: &View, now: Instant) {
        let id = self.by_view.get(view).copied().unwrap_or_else(|| self.found(view, now));
        if let Some(group) = self.groups.get_mut(&id) {
            group.members.insert(socket);
            group.shared = None;
        }
    }

    fn found(&mut self, view: &View, now: Instant) -> ViewId {
        self.next += 1;
        let id = ViewId(self.next);
        if view.narrowed.is_none() {
            self.wide.insert(id);
        }
        for room in view.narrowed.iter().flat_map(|rooms| rooms.iter()) {
            self.narrow.entry(room.clone()).or_default().insert(id);
        }
        let group = Group { view: view.clone(), members: IndexSet::new(), shared: None, next_at: now, dirty: false };
        self.groups.insert(id, group);
        self.by_view.insert(view.clone(), id);
        id
    }

    pub(super) fn remove(&mut self, socket: SocketId, view: &View) {
        let Some(id) = self.by_view.get(view).copied() else { return };
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.members.swap_remove(&socket);
        group.shared = None;
        if group.members.is_empty() {
            self.dissolve(id);
        }
    }

    fn dissolve(&mut self, id: ViewId) {
        let Some(group) = self.groups.remove(&id) else { return };
        self.by_view.remove(&group.view);
        self.due.remove(&(group.next_at, id));
        self.wide.remove(&id);
        for room in group.view.narrowed.iter().flat_map(|rooms| rooms.iter()) {
            if let Some(views) = self.narrow.get_mut(room) {
                views.remove(&id);
                if views.is_empty() {
                    self.narrow.remove(room);
                }
            }
        }
    }

    /// Those who hear what is said in a room; without a room: those who hear everything.
    pub(super) fn audience(&mut self, room: Option<&str>, open: bool) -> Audience {
        let mut audience = Audience::new();
        for id in self.candidates(room) {
            if let Some(group) = self.groups.get_mut(&id)
                && room.is_none_or(|room| group.view.may_see(room, open))
            {
                audience.push(group.share());
            }
        }
        audience
    }

    /// Every socket.
    pub(super) fn everybody(&mut self) -> Audience {
        self.groups.values_mut().map(Group::share).collect()
    }

    /// Groups that want to hear of a room.
    fn candidates(&self, room: Option<&str>) -> impl Iterator<Item = ViewId> + use<> {
        let narrow = room.and_then(|room| self.narrow.get(room)).into_iter().flatten();
        let ids: smallvec::SmallVec<[ViewId; 8]> = self.wide.iter().chain(narrow).copied().collect();
        ids.into_iter()
    }

    /// Something has changed in a room: those who see it are to get CHANNELS_UPDATED.
    pub(super) fn touch(&mut self, room: &str, open: bool) {
        for id in self.candidates(Some(room)) {
            if self.groups.get(&id).is_some_and(|group| group.view.may_see(room, open)) {
                self.mark(id);
            }
        }
    }

    /// All are to get CHANNELS_UPDATED.
    pub(super) fn touch_all(&mut self) {
        let ids: Vec<_> = self.groups.keys().copied().collect();
        ids.into_iter().for_each(|id| self.mark(id));
    }

    fn mark(&mut self, id: ViewId) {
        if let Some(group) = self.groups.get_mut(&id)
            && !std::mem::replace(&mut group.dirty, true)
        {
            self.due.insert((group.next_at, id));
        }
    }

    /// The next group that may get CHANNELS_UPDATED by now; it is clean after that.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(ViewId, View)> {
        let (at, id) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, id));
        let group = self.groups.get_mut(&id)?;
        group.dirty = false;
        Some((id, group.view.clone()))
    }

    /// It has got one; the next may follow then.
    pub(super) fn published(&mut self, id: ViewId, next_at: Instant) -> Audience {
        let Some(group) = self.groups.get_mut(&id) else { return Audience::new() };
        group.next_at = next_at;
        Audience::from_iter([group.share()])
    }

    /// When the next may get one.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }
}

impl Group {
    fn share(&mut self) -> Arc<[SocketId]> {
        self.shared.get_or_insert_with(|| self.members.iter().copied().collect()).clone()
    }
}
