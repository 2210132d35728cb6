//! Who gets into a room at all (product.md, «Access»): everybody, or those with a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Access of a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// Those with a token. To others there is no such room.
    Token,
}

/// What somebody has to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Credential {
    /// Nothing, or what anybody can get: a page token, an account of a dialect without tokens.
    Public,
    /// A page token that was given for an invitation, or an agent's: gets into a token room, but makes none.
    Invitation,
    /// A token by one of our keys.
    Token,
}

/// A room's access as it stands: the room's task decides, everybody may look.
#[derive(Clone, Debug)]
pub(super) struct AccessCell {
    current: Arc<AtomicU8>,
    /// Somebody declared it (config, API): it does not change by who joins.
    declared: bool,
}

impl AccessCell {
    pub(super) fn new(access: Access, declared: bool) -> Self {
        Self { current: Arc::new(AtomicU8::new(access as u8)), declared }
    }

    pub(super) fn get(&self) -> Access {
        if self.current.load(Ordering::Acquire) == Access::Token as u8 { Access::Token } else { Access::Open }
    }

    /// Does whoever shows this get in?
    pub(super) fn admits(&self, credential: Credential) -> bool {
        self.get() == Access::Open || credential != Credential::Public
    }

    /// Somebody with a token is about to join: an undeclared open room becomes theirs. True if it just did, so that
    /// those who are there without one must go («token wins»).
    pub(super) fn claimed_by(&self, credential: Credential) -> bool {
        credential == Credential::Token && self.close()
    }

    /// Makes it a token room, unless it was declared open; true if it was open until now.
    pub(super) fn close(&self) -> bool {
        !self.declared && self.current.swap(Access::Token as u8, Ordering::AcqRel) == Access::Open as u8
    }
}
