//! Rooms that begin by being used, on the bus or by a picture: so many for each address, so many in all (E-14).

use crate::client::household;
use crate::rooms::Registry;
use bus::founding::{Foundings, NotFounded};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Who begins rooms.
#[derive(Debug)]
pub(crate) struct Founders {
    registry: Registry,
    // Touched once for a message that makes something last, never held across an await.
    foundings: Mutex<Foundings<IpAddr>>,
}

impl Founders {
    /// Nobody yet.
    pub(crate) fn new(registry: Registry, max_rooms: usize) -> Arc<Self> {
        Arc::new(Self { registry, foundings: Mutex::new(Foundings::new(max_rooms)) })
    }

    /// A room is used by somebody at this address: it begins, if it may.
    pub(crate) fn begin(&self, room: &Arc<str>, address: IpAddr, now: Instant) -> Result<(), NotFounded> {
        // Somebody else's room costs nothing.
        if self.registry.find(room).is_some() {
            return Ok(());
        }
        let mut foundings = self.foundings.lock().unwrap_or_else(PoisonError::into_inner);
        foundings.admit(now, room, household(address))
    }
}
