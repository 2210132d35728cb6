//! What the bus asks: the registry knows which rooms are open, the dialect how CHANNELS_UPDATED is written.

use super::frames;
use crate::rooms::{Access, Registry};
use bus::{Channels, Piece, World};
use bytes::Bytes;
use wire::elektron::message::ChannelsUpdated;

/// The rooms around the bus.
#[derive(Clone, Debug)]
pub(super) struct Rooms(pub(super) Registry);

impl World for Rooms {
    /// A room that does not exist, and is not made by using it, is none.
    fn is_open(&self, room: &str) -> bool {
        let open = self.0.access(room) == Access::Open;
        open && (self.0.makes_rooms() || self.0.find(room).is_some())
    }

    fn channels_updated(&mut self, channels: &Channels<'_>) -> Bytes {
        let mut message = ChannelsUpdated::new(&frames::stamp(), channels.size);
        channels.each(|piece| match piece {
            Piece::Room(name) => message.room(name),
            Piece::User(id) => message.user(id),
            Piece::Attribute(key, json) => message.attribute(key, json),
        });
        frames::text(&message.finish())
    }
}
