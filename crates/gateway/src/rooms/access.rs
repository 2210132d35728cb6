//! Who gets into a room at all (product.md, «Access»): everybody, or those with a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

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
    /// The configuration or the API declared it: it does not change by who joins.
    declared: bool,
    /// An event of the schedule declares it for as long as it is on.
    scheduled: Arc<AtomicBool>,
}

impl AccessCell {
    pub(super) fn new(access: Access, declared: bool) -> Self {
        Self { current: Arc::new(AtomicU8::new(access as u8)), declared, scheduled: Arc::default() }
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

    /// An event declares its access, or none does any more; true if it was open until now and is so no more. A room that
    /// somebody with a token has made theirs is not opened by an event, and one that an event closed stays so to its end.
    pub(super) fn schedule(&self, wanted: Option<Access>) -> bool {
        if self.declared {
            return false;
        }
        let theirs = self.get() == Access::Token && !self.scheduled.load(Ordering::Acquire);
        let wanted = wanted.filter(|access| *access == Access::Token || !theirs);
        self.scheduled.store(wanted.is_some(), Ordering::Release);
        let access = wanted.unwrap_or_else(|| self.get());
        let was = self.current.swap(access as u8, Ordering::AcqRel);
        was == Access::Open as u8 && access == Access::Token
    }

    /// Makes it a token room, unless it was declared open; true if it was open until now.
    pub(super) fn close(&self) -> bool {
        let declared = self.declared || self.scheduled.load(Ordering::Acquire);
        !declared && self.current.swap(Access::Token as u8, Ordering::AcqRel) == Access::Open as u8
    }
}
