//! What happens in rooms, as far as the bus wants to know: taken from the rooms' tasks, which never wait, kept in order, and
//! of presence only the newest.

use super::limits::MAX_HEARD;
use super::stats::Live;
use crate::rooms::Watcher;
use indexmap::IndexMap;
use room::effect::RoomInfo;
use room::participant::Participant;
use room::{ChatMessage, Identity, Notice, Origin};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Something that a room has told.
#[derive(Debug)]
pub(super) enum Heard {
    /// Chat, stored.
    Chat(Arc<str>, Arc<ChatMessage>),
    /// A message was deleted.
    Deleted(Arc<str>, Arc<str>),
    /// All messages were.
    Cleared(Arc<str>),
    /// The room is for token holders from now on.
    BecameToken(Arc<str>),
    /// It has ended.
    Finished(Arc<str>),
    /// Somebody of another gateway is there, or has changed.
    Present(Arc<str>, Arc<Participant>),
    /// They are gone.
    Gone(Arc<str>, Identity),
}

/// Give it to the registry as a watcher. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Ears(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    // Touched once a notice, never held across an await.
    queue: Mutex<Queue>,
    came: Notify,
    live: Live,
}

#[derive(Debug, Default)]
struct Queue {
    /// With each: how much had been asked of the hub before.
    events: VecDeque<(u64, Heard)>,
    /// What has been asked of the hub up to now.
    asked: u64,
    /// The newest of everybody; `None`: gone. Bounded by who is, or just was, in rooms.
    people: IndexMap<(Arc<str>, Identity), Option<Arc<Participant>>>,
}

impl Ears {
    /// Waits until something was told.
    pub(super) async fn listen(&self) {
        self.0.came.notified().await;
    }

    /// The next of it that did not happen after what is still asked of the hub, which has taken so many requests: events
    /// first, because a room's doors are shut before people are shown.
    pub(super) fn next(&self, taken: u64) -> Option<Heard> {
        let mut queue = self.queue();
        if let Some((asked_before, _)) = queue.events.front() {
            let due = *asked_before <= taken;
            return due.then(|| queue.events.pop_front()).flatten().map(|(_, event)| event);
        }
        let ((room, identity), person) = queue.people.pop()?;
        Some(match person {
            Some(person) => Heard::Present(room, person),
            None => Heard::Gone(room, identity),
        })
    }

    /// Asks something of the hub, in one order with what rooms tell: `send` puts the request into its queue.
    pub(super) fn in_turn(&self, send: impl FnOnce()) {
        let mut queue = self.queue();
        send();
        queue.asked += 1;
    }

    /// How much of what was asked has been taken, where so much still waits.
    pub(super) fn taken(&self, waiting: impl FnOnce() -> usize) -> u64 {
        let queue = self.queue();
        queue.asked.saturating_sub(waiting() as u64)
    }

    pub(super) fn live(&self) -> &Live {
        &self.0.live
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Inserts and removals are single steps.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Ears {
    fn on_notice(&self, room: &RoomInfo, notice: &Notice) {
        self.0.live.on_notice(room, notice);
        if self.queue().take(&room.name, notice) {
            self.0.came.notify_one();
        }
    }
}

impl Queue {
    fn event(&mut self, event: Heard) {
        self.events.push_back((self.asked, event));
    }

    /// True if it was of any interest.
    fn take(&mut self, room: &str, notice: &Notice) -> bool {
        let name = || Arc::from(room);
        match notice {
            Notice::Present(person) => return self.person(name(), person, Some(person.clone())),
            Notice::Gone(person) => return self.person(name(), person, None),
            Notice::Chat(message) => return self.chat(name(), message),
            Notice::ChatDeleted { id } => self.event(Heard::Deleted(name(), id.clone())),
            Notice::ChatCleared => self.event(Heard::Cleared(name())),
            Notice::BecameToken => self.event(Heard::BecameToken(name())),
            Notice::RoomFinished(_) => self.event(Heard::Finished(name())),
            _ => return false,
        }
        true
    }

    /// The bus knows its own.
    fn person(&mut self, room: Arc<str>, person: &Participant, now: Option<Arc<Participant>>) -> bool {
        let foreign = person.identity.origin != Origin::Bus;
        if foreign {
            self.people.insert((room, person.identity.clone()), now);
        }
        foreign
    }

    fn chat(&mut self, room: Arc<str>, message: &Arc<ChatMessage>) -> bool {
        if self.events.len() >= MAX_HEARD {
            metrics::counter!("odeon_bus_chat_dropped_total").increment(1);
            return false;
        }
        self.event(Heard::Chat(room, message.clone()));
        true
    }
}
