//! Those outside who want to know what happens in rooms: backends by webhook, agents.

use room::Notice;
use room::effect::RoomInfo;
use std::fmt::Debug;
use std::sync::Arc;

/// Is told by the rooms' tasks, in each room's order.
pub trait Watcher: Send + Sync + Debug {
    /// Something happened. Must not wait, and must not panic: the room's task does nothing else meanwhile.
    fn on_notice(&self, room: &RoomInfo, notice: &Notice);
}

/// All of them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Watchers(Arc<[Arc<dyn Watcher>]>);

impl Watchers {
    pub(super) fn tell(&self, room: impl FnOnce() -> RoomInfo, notice: &Notice) {
        if self.0.is_empty() {
            return;
        }
        let room = room();
        self.0.iter().for_each(|watcher| watcher.on_notice(&room, notice));
    }
}

impl FromIterator<Arc<dyn Watcher>> for Watchers {
    fn from_iter<I: IntoIterator<Item = Arc<dyn Watcher>>>(watchers: I) -> Self {
        Self(watchers.into_iter().collect())
    }
}
