//! Rooms that begin by being used (E-14): so many for each address and minute, so many in all.

use crate::pace::{Bucket, Rate};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rooms that one address may begin at once, and in each minute after that: a class behind one router opens a sketch each.
pub const ROOMS_A_MINUTE: f64 = 60.0;

/// A room in which nothing happened for so long may be forgotten for a new one.
pub const IDLE: Duration = Duration::from_secs(600);

/// Addresses that are remembered: 65,536 of them are about 4 MiB.
pub const MAX_FOUNDERS: usize = 65_536;

const RATE: Rate = Rate { burst: ROOMS_A_MINUTE, per_s: ROOMS_A_MINUTE / 60.0 };

/// Why a room does not begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotFounded {
    /// As many as may be, and something happens in each.
    #[error("the server has as many rooms as it takes")]
    TooManyRooms,
    /// Too many by one address.
    #[error("too many new rooms from your address: try again in a minute")]
    TooOften,
}

/// The rooms that are in use. `F`: by what whoever begins them is counted.
#[derive(Debug)]
pub struct Foundings<F> {
    rooms: HashMap<Arc<str>, Instant>,
    founders: HashMap<F, Bucket>,
    max_rooms: usize,
}

impl<F: Hash + Eq> Foundings<F> {
    /// None yet.
    pub fn new(max_rooms: usize) -> Self {
        Self { rooms: HashMap::new(), founders: HashMap::new(), max_rooms }
    }

    /// A room is used, by its founder if it is new.
    ///
    /// # Errors
    /// It may not begin now.
    pub fn admit(&mut self, now: Instant, room: &Arc<str>, founder: F) -> Result<(), NotFounded> {
        if let Some(used) = self.rooms.get_mut(room) {
            *used = now;
            return Ok(());
        }
        self.make_place(now)?;
        self.spend(now, founder)?;
        self.rooms.insert(room.clone(), now);
        Ok(())
    }

    fn make_place(&mut self, now: Instant) -> Result<(), NotFounded> {
        if self.rooms.len() >= self.max_rooms {
            self.rooms.retain(|_, used| now.saturating_duration_since(*used) < IDLE);
        }
        if self.rooms.len() >= self.max_rooms { Err(NotFounded::TooManyRooms) } else { Ok(()) }
    }

    fn spend(&mut self, now: Instant, founder: F) -> Result<(), NotFounded> {
        if self.founders.len() >= MAX_FOUNDERS && !self.founders.contains_key(&founder) {
            self.founders.retain(|_, bucket| !bucket.is_full(RATE, now));
            if self.founders.len() >= MAX_FOUNDERS {
                return Err(NotFounded::TooOften);
            }
        }
        let bucket = self.founders.entry(founder).or_insert_with(|| Bucket::full(RATE, now));
        if bucket.spend(RATE, 1.0, now) { Ok(()) } else { Err(NotFounded::TooOften) }
    }
}
