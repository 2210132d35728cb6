//! What the bus asks: the registry knows which rooms are open, the dialect how CHANNELS_UPDATED is written.

use super::frames;
use crate::rooms::Registry;
use bus::{Channels, Piece, World};
use bytes::Bytes;
use wire::elektron::message::ChannelsUpdated;

/// The rooms around the bus.
#[derive(Clone, Debug)]
pub(super) struct Rooms(pub(super) Registry);

impl World for Rooms {
    fn is_open(&self, room: &str) -> bool {
        self.0.is_open(room)
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
