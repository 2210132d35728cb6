//! What this gateway must be told.

use super::ears::Ears;
use auth::Secret;
use bus::BusLimits;
use store::Retention;
use wire::elektron::MAX_FRAME_BYTES;

/// Settings of the bus.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// Of presence.
    pub limits: BusLimits,
    /// Opens `/messages` and `/webhooks/video`; `None`: nothing does.
    pub secret: Option<Secret>,
    /// Longest message in bytes, ≤ [`MAX_FRAME_BYTES`].
    pub frame_bytes: usize,
    /// Messages of a socket in a second, sustained.
    pub messages_per_s: u32,
    /// Stored messages of a room, and of all rooms.
    pub kept: Retention,
    /// Rooms that may begin on the bus.
    pub max_rooms: usize,
    /// What the registry's watchers have told: give the same to the registry as a watcher.
    pub ears: Ears,
}

impl Default for BusConfig {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            limits: BusLimits::default(),
            secret: None,
            frame_bytes: MAX_FRAME_BYTES,
            messages_per_s: 60,
            kept: Retention { entries: 10_000, bytes: 4 * MIB, family_bytes: 64 * MIB },
            max_rooms: crate::rooms::limits::DEFAULT_MAX_ROOMS,
            ears: Ears::default(),
        }
    }
}
