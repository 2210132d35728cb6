//! Those outside who want to know what happens in rooms: backends by webhook, agents.

use room::Notice;
use room::effect::RoomInfo;
use std::fmt::Debug;
use std::sync::Arc;

/// Is told by the rooms' tasks, in each room's order.
pub trait Watcher: Send + Sync + Debug {
    /// Something happened. Must not wait, and must not panic: the room's task does nothing else meanwhile.
    ///
    /// `room` is as it is now where the notice is of its life ([`Notice::is_of_life`]); else its counts are those of the
    /// last such notice: people move and talk too often to count everybody each time.
    fn on_notice(&self, room: &RoomInfo, notice: &Notice);
}

/// All of them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Watchers(Arc<[Arc<dyn Watcher>]>);

impl Watchers {
    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn tell(&self, room: &RoomInfo, notice: &Notice) {
        self.0.iter().for_each(|watcher| watcher.on_notice(room, notice));
    }
}

impl FromIterator<Arc<dyn Watcher>> for Watchers {
    fn from_iter<I: IntoIterator<Item = Arc<dyn Watcher>>>(watchers: I) -> Self {
        Self(watchers.into_iter().collect())
    }
}
