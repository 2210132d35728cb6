//! What the bus asks of those around it.

use bytes::Bytes;

/// Answers at once, and knows the present.
pub trait World {
    /// Is this room for everybody now, existing or not?
    fn is_open(&self, room: &str) -> bool;

    /// CHANNELS_UPDATED, as every socket gets it.
    fn channels_updated(&mut self, channels: &Channels<'_>) -> Bytes;
}

/// A part of CHANNELS_UPDATED.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// A room; its users follow.
    Room(&'a str),
    /// A user; what is known of them follows.
    User(&'a str),
    /// Key, and value as JSON text.
    Attribute(&'a str, &'a str),
}

/// Takes one piece after the other.
pub(crate) type Visit<'a> = dyn FnMut(Piece<'_>) + 'a;

/// Rooms and the users in them.
pub struct Channels<'a> {
    /// About so many bytes of text.
    pub size: usize,
    pub(crate) walk: &'a dyn Fn(&mut Visit<'_>),
}

impl Channels<'_> {
    /// Visits all pieces, in their order.
    pub fn each(&self, mut visit: impl FnMut(Piece<'_>)) {
        (self.walk)(&mut visit);
    }
}

impl std::fmt::Debug for Channels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channels").field("size", &self.size).finish_non_exhaustive()
    }
}
