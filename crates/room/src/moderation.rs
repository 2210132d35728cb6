//! What a moderator asks of a room, and who may not come in.

use crate::chat::ChatRules;
use crate::id::Identity;
use crate::limits::MAX_BANS;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};

/// One request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moderation {
    /// Takes messages of this id out of the chat.
    DeleteMessage {
        /// Which.
        id: String,
    },
    /// Takes every message out of the chat.
    ClearChat,
    /// The chat's rules from now on.
    SetRules(ChatRules),
    /// Somebody may (no longer) write, whether they are here or not.
    Mute {
        /// Who.
        identity: Identity,
        /// False: they may again.
        muted: bool,
    },
    /// Somebody may not come in any more, and is removed.
    Ban(Banned),
    /// They may again.
    Unban(Banned),
}

/// Who may not come in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Banned {
    /// Whoever has this identity.
    Identity(Identity),
    /// Whoever comes from this address.
    Address(IpAddr),
}

/// Why a request was not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModerationError {
    /// No message of that id, nobody muted or banned.
    #[error("there is no such message, mute or ban")]
    NotFound,
    /// As many are muted or banned as may be.
    #[error("as many are muted or banned as may be")]
    Full,
    /// Over [`crate::limits::MAX_SLOW_MODE_S`].
    #[error("slow mode is six hours at most")]
    TooSlow,
    /// It holds, but could not be kept: it is forgotten with the room.
    #[error("it is in force, but could not be stored")]
    NotKept,
}

/// Those who may not come in.
#[derive(Clone, Debug, Default)]
pub struct BanList {
    identities: HashSet<Identity>,
    addresses: HashSet<IpAddr>,
}

impl BanList {
    /// Adds somebody; false if they are on it.
    ///
    /// # Errors
    /// There are [`MAX_BANS`].
    pub fn add(&mut self, banned: Banned) -> Result<bool, ModerationError> {
        if self.identities.len() + self.addresses.len() >= MAX_BANS && !self.has(&banned) {
            return Err(ModerationError::Full);
        }
        Ok(match banned {
            Banned::Identity(identity) => self.identities.insert(identity),
            Banned::Address(address) => self.addresses.insert(household(address)),
        })
    }

    /// Takes somebody off; false if they were not on it.
    pub fn remove(&mut self, banned: &Banned) -> bool {
        match banned {
            Banned::Identity(identity) => self.identities.remove(identity),
            Banned::Address(address) => self.addresses.remove(&household(*address)),
        }
    }

    /// Is this one on it?
    pub fn has(&self, banned: &Banned) -> bool {
        match banned {
            Banned::Identity(identity) => self.identities.contains(identity),
            Banned::Address(address) => self.addresses.contains(&household(*address)),
        }
    }

    /// Is somebody on it, by their identity or by where they come from?
    pub fn bars(&self, identity: Option<&Identity>, address: Option<IpAddr>) -> bool {
        identity.is_some_and(|identity| self.identities.contains(identity))
            || address.is_some_and(|address| self.addresses.contains(&household(address)))
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Banned> {
        let identities = self.identities.iter().cloned().map(Banned::Identity);
        identities.chain(self.addresses.iter().copied().map(Banned::Address))
    }
}

impl Banned {
    /// An address stands for its household: of IPv6 the /64, within which a machine changes its address as it likes.
    pub fn normal(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(household(address)),
            identity => identity,
        }
    }
}

fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}
