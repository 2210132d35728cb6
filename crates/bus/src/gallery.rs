//! The live audience (E-11): whose cameras are on in a room, and the newest picture of each.

use bytes::Bytes;
use indexmap::IndexMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rooms with a live audience at a time.
pub const MAX_GALLERIES: usize = 1_000;

/// Pictures in one room: more than a screen shows.
pub const MAX_PICTURES: usize = 256;

/// Largest picture that is kept, in bytes of text: 150×120 takes a tenth of it.
pub const MAX_PICTURE_BYTES: usize = 64 * 1024;

/// Pictures of all rooms together, in bytes.
pub const MAX_GALLERY_BYTES: usize = 64 * 1024 * 1024;

/// Without a new picture a camera is off after this long, and as much longer as [`A_CAMERA`] says: the more there are, the
/// seldomer each sends.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// See [`PATIENCE`]. Each sends about once in as many seconds as there are cameras; two may be lost.
pub const A_CAMERA: Duration = Duration::from_secs(3);

/// A camera that is on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// Whose.
    pub user: Arc<str>,
    /// `data:image/…`; empty before the first.
    pub image: Bytes,
    /// When it came.
    pub at: Instant,
}

type Cameras = IndexMap<Arc<str>, Picture>;

/// All rooms' live audiences.
#[derive(Debug, Default)]
pub struct Galleries {
    rooms: IndexMap<Arc<str>, Cameras>,
    bytes: usize,
}

impl Galleries {
    /// A camera is on, and shows this if it isn't empty. False: there is no place for it.
    pub fn put(&mut self, now: Instant, room: &Arc<str>, user: &Arc<str>, image: Bytes) -> bool {
        self.expire(now, room);
        let image = if image.is_empty() { self.image(room, user) } else { image };
        let cameras = self.rooms.get(room);
        let others = cameras.map_or(0, |cameras| cameras.len() - usize::from(cameras.contains_key(user)));
        let place = others < MAX_PICTURES && (cameras.is_some() || self.rooms.len() < MAX_GALLERIES);
        let bytes = self.bytes - self.image(room, user).len() + image.len();
        if !place || image.len() > MAX_PICTURE_BYTES || bytes > MAX_GALLERY_BYTES {
            return false;
        }
        self.bytes = bytes;
        let picture = Picture { user: user.clone(), image, at: now };
        self.rooms.entry(room.clone()).or_default().insert(user.clone(), picture);
        true
    }

    /// A camera is off.
    pub fn leave(&mut self, room: &str, user: &str) {
        let Some(cameras) = self.rooms.get_mut(room) else { return };
        if let Some(picture) = cameras.shift_remove(user) {
            self.bytes -= picture.image.len();
        }
        if cameras.is_empty() {
            self.rooms.swap_remove(room);
        }
    }

    /// Is any camera on in a room?
    pub fn is_on(&mut self, now: Instant, room: &str) -> bool {
        self.expire(now, room);
        self.rooms.contains_key(room)
    }

    /// The newest picture of each camera, in the order in which they came.
    pub fn pictures(&mut self, now: Instant, room: &str) -> Vec<Picture> {
        self.expire(now, room);
        let cameras = self.rooms.get(room).into_iter().flat_map(|cameras| cameras.values());
        cameras.filter(|picture| !picture.image.is_empty()).cloned().collect()
    }

    /// A room's cameras are all off.
    pub fn clear(&mut self, room: &str) {
        if let Some(cameras) = self.rooms.swap_remove(room) {
            self.bytes -= cameras.values().map(|picture| picture.image.len()).sum::<usize>();
        }
    }

    fn image(&self, room: &str, user: &str) -> Bytes {
        self.rooms
            .get(room)
            .and_then(|cameras| cameras.get(user))
            .map(|picture| picture.image.clone())
            .unwrap_or_default()
    }

    fn expire(&mut self, now: Instant, room: &str) {
        let Some(cameras) = self.rooms.get_mut(room) else { return };
        let patience = PATIENCE + A_CAMERA * u32::try_from(cameras.len()).unwrap_or(u32::MAX);
        let old = |picture: &Picture| now.saturating_duration_since(picture.at) > patience;
        let gone: Vec<_> =
            cameras.values().filter(|picture| old(picture)).map(|picture| picture.user.clone()).collect();
        gone.into_iter().for_each(|user| self.leave(room, &user));
    }
}
