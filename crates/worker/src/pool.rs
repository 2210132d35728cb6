//! Who waits to be looked at. One picture of each source waits, the newest; one thread looks at one after the other, so no
//! source is looked at twice at a time.

use crate::limits::{MAX_REMEMBERED, MAX_WAITING, MAX_WAITING_BYTES};
use crate::measure::{Measures, Memory, measure};
use crate::picture::{Picture, PictureError};
use indexmap::IndexMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Whose picture it is: a room, and somebody in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Source {
    /// The room.
    pub room: Arc<str>,
    /// The camera.
    pub camera: Arc<str>,
}

/// What was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// Where.
    pub source: Source,
    /// Or why nothing was.
    pub measures: Result<Measures, PictureError>,
}

/// Looks at pictures. When the last handle is dropped its thread ends.
#[derive(Clone, Debug)]
pub struct Analyst(Arc<Handle>);

#[derive(Debug)]
struct Handle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    pictures: IndexMap<Source, Picture>,
    bytes: usize,
    over: bool,
}

impl Analyst {
    /// Starts the thread; `tell` is called there with what was seen, and must not wait.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn start(tell: impl Fn(Seen) + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("analyst".into()).spawn(move || work(&theirs, &tell))?;
        Ok(Self(Arc::new(Handle(shared))))
    }

    /// Looks at a picture when its turn comes, if no newer one of its source has come by then. False: too much waits.
    pub fn look_at(&self, source: Source, picture: Picture) -> bool {
        let shared = &self.0.0;
        let taken = shared.waiting().put(source, picture);
        shared.more.notify_one();
        taken
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.waiting().over = true;
        self.0.more.notify_one();
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Only whole steps are taken under it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next picture; `None`: nobody is left who could bring one.
    fn next(&self) -> Option<(Source, Picture)> {
        let mut waiting = self.waiting();
        loop {
            if waiting.over {
                return None;
            }
            if let Some(next) = waiting.take() {
                return Some(next);
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Waiting {
    /// In the place of an older one of its source, so that who sends often waits no longer and no shorter.
    fn put(&mut self, source: Source, picture: Picture) -> bool {
        let before = self.pictures.get(&source).map_or(0, Picture::len);
        let bytes = self.bytes - before + picture.len();
        let is_new = !self.pictures.contains_key(&source);
        if bytes > MAX_WAITING_BYTES || (is_new && self.pictures.len() >= MAX_WAITING) {
            return false;
        }
        self.bytes = bytes;
        self.pictures.insert(source, picture);
        true
    }

    fn take(&mut self) -> Option<(Source, Picture)> {
        let (source, picture) = self.pictures.shift_remove_index(0)?;
        self.bytes -= picture.len();
        Some((source, picture))
    }
}

fn work(shared: &Shared, tell: &impl Fn(Seen)) {
    let mut memories = Memories::default();
    while let Some((source, picture)) = shared.next() {
        // A decoder that panics costs one picture.
        let seen = catch_unwind(AssertUnwindSafe(|| memories.look_at(&source, &picture)));
        let measures = seen.unwrap_or_else(|_| {
            tracing::error!("looking at a picture panicked");
            Err(PictureError::Malformed)
        });
        tell(Seen { source, measures });
    }
}

/// The last picture of each source; of too many, those that were seen longest ago are forgotten.
#[derive(Default)]
struct Memories(IndexMap<Source, Memory>);

impl Memories {
    fn look_at(&mut self, source: &Source, picture: &Picture) -> Result<Measures, PictureError> {
        let decoded = picture.decode()?;
        let last = self.0.shift_remove(source);
        let (measures, memory) = measure(&decoded, last.as_ref());
        if self.0.len() >= MAX_REMEMBERED {
            self.0.shift_remove_index(0);
        }
        self.0.insert(source.clone(), memory);
        Ok(measures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{data_url, tests::plain};
    use image::ImageFormat;
    use std::sync::mpsc;
    use std::time::Duration;

    fn source(camera: &str) -> Source {
        Source { room: "residence".into(), camera: camera.into() }
    }

    fn picture(shade: u8) -> Picture {
        data_url(&plain(ImageFormat::Png, 8, 6, [shade; 3])).unwrap()
    }

    #[test]
    fn e_37_of_each_source_the_newest_waits_in_its_turn() {
        // E-37
        let mut waiting = Waiting::default();
        for (camera, shade) in [("a", 1), ("b", 2), ("a", 3)] {
            assert!(waiting.put(source(camera), picture(shade)));
        }
        assert_eq!(waiting.take(), Some((source("a"), picture(3))));
        assert_eq!(waiting.take(), Some((source("b"), picture(2))));
        assert_eq!((waiting.take(), waiting.bytes), (None, 0));
    }

    #[test]
    fn e_37_what_waits_is_bounded() {
        // E-37
        let mut waiting = Waiting::default();
        let taken = (0..2 * MAX_WAITING).filter(|number| waiting.put(source(&number.to_string()), picture(1))).count();
        assert_eq!(taken, MAX_WAITING);
        assert!(waiting.put(source("0"), picture(2)), "who waits may bring a newer one");
    }

    #[test]
    fn e_37_pictures_are_seen_and_what_is_none_is_told() {
        // E-37
        let (tell, told) = mpsc::channel();
        let analyst = Analyst::start(move |seen| drop(tell.send(seen))).unwrap();
        let wait = || told.recv_timeout(Duration::from_secs(10)).unwrap();
        analyst.look_at(source("a"), picture(100));
        assert_eq!(wait().measures.unwrap().motion, None);
        analyst.look_at(source("a"), picture(200));
        assert_eq!(wait().measures.unwrap().motion, Some(1.0));
        analyst.look_at(source("b"), data_url("data:image/png;base64,AAAA").unwrap());
        assert_eq!(wait().measures, Err(PictureError::Malformed));
        drop(analyst);
        assert!(told.recv_timeout(Duration::from_secs(10)).is_err(), "the thread has ended");
    }
}
