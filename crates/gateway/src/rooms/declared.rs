//! What the schedule declares of rooms (product.md, «Room», «Access»): for as long as an event is on there, or soon to be.

use super::access::Access;
use room::Staging;
use std::collections::HashMap;
use std::sync::Arc;

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

/// The names of which two schedules say different things.
pub(super) fn differences(before: &Declarations, after: &Declarations) -> Vec<Arc<str>> {
    let changed = after.iter().filter(|(name, declared)| before.get(*name) != Some(declared));
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    changed.map(|(name, _)| name).chain(gone).cloned().collect()
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
        let before = all(&[("same", closed), ("changed", closed), ("over", closed)]);
        let after = all(&[("same", closed), ("changed", Declaration::default()), ("new", closed)]);
        let mut changed = differences(&before, &after);
        changed.sort();
        assert_eq!(changed, ["changed".into(), "new".into(), "over".into()] as [Arc<str>; 3]);
    }
}
