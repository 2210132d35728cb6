//! CHANNELS_UPDATED (E-03): to those who see the same rooms the same bytes, when something has changed, and not too often.

use super::Bus;
use super::presence::Room;
use crate::effect::{Effect, Lane};
use crate::input::View;
use crate::limits::{CHANNELS_BYTES_PER_S, CHANNELS_INTERVAL, MAX_CHANNELS_INTERVAL};
use crate::world::{Channels, Piece, Visit, World};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl<W: World> Bus<W> {
    pub(super) fn publish_due(&mut self, now: Instant) {
        while let Some((id, view)) = self.views.take_due(now) {
            let frame = self.channels_updated(&view);
            let to = self.views.published(id, now + interval(frame.len()));
            self.effects.push_back(Effect::Send { to, frame, lane: Lane::Channels });
        }
    }

    fn channels_updated(&mut self, view: &View) -> Bytes {
        let world = &self.world;
        let sees = |room: &str| view.wants(room) && view.may_see(room, world.is_open(room));
        let rooms: Vec<(&Arc<str>, &Room)> = self.presence.rooms().filter(|(name, _)| sees(name)).collect();
        let size = rooms.iter().map(|(name, room)| name.len() + room.size() + 20).sum();
        let walk = |visit: &mut Visit<'_>| {
            for (name, room) in &rooms {
                visit(Piece::Room(name));
                room.walk(visit);
            }
        };
        self.world.channels_updated(&Channels { size, walk: &walk })
    }
}

/// Until the next, after one of this length.
fn interval(bytes: usize) -> Duration {
    let by_bytes = Duration::from_secs_f64(bytes as f64 / CHANNELS_BYTES_PER_S as f64);
    by_bytes.clamp(CHANNELS_INTERVAL, MAX_CHANNELS_INTERVAL)
}
