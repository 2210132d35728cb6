//! What the schedule declares of rooms (product.md, «Room», «Access»): for as long as an event is on there, or soon to be.

use super::access::Access;
use room::Staging;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the schedule says of one room now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Declaration {
    /// Who gets in; `None`: as it would be without the event.
    pub access: Option<Access>,
    /// The event that is on has no chat.
    pub chat_closed: bool,
}

/// What it says of all of them, by name. A room that is named here can be joined, and stays when it is empty.
pub type Declarations = HashMap<Arc<str>, Declaration>;

/// What this means to a room.
pub(super) fn staging(declaration: Option<Declaration>) -> Staging {
    Staging { stays: declaration.is_some(), chat_closed: declaration.is_some_and(|declared| declared.chat_closed) }
}

/// What the schedule says now. Where the registry's rooms are locked too, they are locked first.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Held for a look or an exchange only.
    now: Mutex<Declarations>,
}

impl Declared {
    /// Of one room.
    pub(super) fn of(&self, name: &str) -> Option<Declaration> {
        self.now().get(name).copied()
    }

    /// It says this from now on; returns the rooms of which it said something else, and what it says of them.
    pub(super) fn replace(&self, after: Declarations) -> Vec<(Arc<str>, Option<Declaration>)> {
        let mut now = self.now();
        let other = after.iter().filter(|(name, declared)| now.get(*name) != Some(declared));
        let gone = now.keys().filter(|name| !after.contains_key(*name));
        let mut changed: Vec<_> = other.map(|(name, declared)| (name.clone(), Some(*declared))).collect();
        changed.extend(gone.map(|name| (name.clone(), None)));
        *now = after;
        changed
    }

    fn now(&self) -> MutexGuard<'_, Declarations> {
        // A panic while it was held left it whole: it is exchanged in one step.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_32_only_rooms_of_which_something_else_is_said_hear_of_it() {
        // E-32
        let closed = Declaration { access: None, chat_closed: true };
        let all = |rooms: &[(&str, Declaration)]| -> Declarations {
            rooms.iter().map(|(name, declared)| ((*name).into(), *declared)).collect()
        };
        let schedule = Declared::default();
        schedule.replace(all(&[("same", closed), ("changed", closed), ("over", closed)]));
        let open = Declaration::default();
        let mut changed = schedule.replace(all(&[("same", closed), ("changed", open), ("new", closed)]));
        changed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let expected = [("changed", Some(open)), ("new", Some(closed)), ("over", None)];
        assert_eq!(changed, expected.map(|(name, declared)| (name.into(), declared)));
        assert_eq!((schedule.of("new"), schedule.of("over")), (Some(closed), None));
    }
}
