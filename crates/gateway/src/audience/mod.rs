//! The live audience in numbers (E-36, E-37): pictures come by HTTP or on the bus, are looked at on a thread of their own, and
//! become a series of each room.
//!
//! | file | what |
//! |---|---|
//! | `series` | points of time, made of what was seen |
//! | `upload` | `POST /area51/_upload.php`, `GET /api/rooms/:room/audience` |
//! | `statistics` | `GET /api/rooms/:room/statistics` |

mod series;
mod statistics;
mod upload;

use crate::budget::{Budgets, Rate};
use crate::cors::any_origin;
use crate::{Gateway, clock};
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use bus::gallery::Galleries;
use bytes::Bytes;
use series::{Point, Series};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use store::{Entry, Log, Retention, Store};
use worker::{Analyst, Picture, Seen, Source};

/// The series of a room in the store: a day of points, each of some hundred bytes; and of all rooms.
pub(crate) const KEPT: Retention =
    Retention { entries: 8_640, bytes: 2 * 1024 * 1024, family_bytes: 128 * 1024 * 1024 };

/// Their family in the store.
const STATISTICS: &str = "statistics";

/// How often points are looked for that are over.
const TICK: Duration = Duration::from_secs(1);

/// Pictures at once from one address, and then a second: a room full of people behind one router.
const UPLOADS: Rate = Rate { burst: 120.0, per_s: 20.0 };

/// Readings of statistics likewise.
const READINGS: Rate = Rate { burst: 30.0, per_s: 2.0 };

/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 65_536;

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/area51/_upload.php", post(upload::upload))
        .route("/api/rooms/{room}/audience", get(upload::look))
        .route("/api/rooms/{room}/statistics", get(statistics::read))
        .layer(from_fn(any_origin))
}

/// The live audience: the newest picture of each camera, and what was seen in them.
#[derive(Debug)]
pub(crate) struct Audience {
    /// `None`: there is no thread for it; pictures pass and are not looked at.
    analyst: Option<Analyst>,
    series: Arc<Mutex<Series>>,
    // Touched once for a picture, never held across an await.
    galleries: Mutex<Galleries>,
    store: Arc<dyn Store>,
    uploaders: Budgets<IpAddr>,
    readers: Budgets<IpAddr>,
}

impl Audience {
    /// Starts the thread that looks, and the task that stores.
    pub(crate) fn start(store: Arc<dyn Store>) -> Arc<Self> {
        let series = Arc::new(Mutex::new(Series::default()));
        let seen_by = Arc::clone(&series);
        let analyst = Analyst::start(move |seen| note(&seen_by, seen));
        let audience = Arc::new(Self {
            analyst: analyst.inspect_err(|error| tracing::error!(%error, "pictures are not looked at")).ok(),
            series,
            galleries: Mutex::default(),
            store,
            uploaders: Budgets::new(UPLOADS, MAX_ADDRESSES),
            readers: Budgets::new(READINGS, MAX_ADDRESSES),
        });
        tokio::spawn(keep(Arc::downgrade(&audience)));
        audience
    }

    /// A camera is on, and shows this if it isn't empty; false: there is no place for it.
    pub(crate) fn show(&self, room: &Arc<str>, camera: &Arc<str>, image: Bytes) -> bool {
        self.galleries().put(Instant::now(), room, camera, image)
    }

    /// A camera is off.
    pub(crate) fn hide(&self, room: &str, camera: &str) {
        self.galleries().leave(room, camera);
    }

    /// The newest picture of each camera in a room, in the order in which they came.
    fn mosaic(&self, room: &str) -> Vec<Bytes> {
        self.galleries().pictures(Instant::now(), room).into_iter().map(|picture| picture.image).collect()
    }

    fn galleries(&self) -> MutexGuard<'_, Galleries> {
        // A panic under it loses the count of a few bytes.
        self.galleries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody's picture, which is looked at if there is time.
    pub(crate) fn look_at(&self, room: &Arc<str>, camera: &str, picture: Picture) {
        let Some(analyst) = &self.analyst else { return };
        let source = Source { room: Arc::clone(room), camera: camera.into() };
        if !analyst.look_at(source, picture) {
            metrics::counter!("odeon_pictures_not_seen_total").increment(1);
        }
    }

    fn series(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn store(&self, room: &str, point: &Point) {
        let entry = Entry { at_ms: point.at_ms, kind: String::new(), value: Bytes::from(point.json().to_string()) };
        if let Err(error) = self.store.append(&Log::new(STATISTICS, room), entry, KEPT).await {
            tracing::warn!(%error, "a point of a room's statistics was not stored");
        }
    }
}

/// On the thread that looks: a lock for a few sums.
fn note(series: &Mutex<Series>, seen: Seen) {
    metrics::counter!("odeon_pictures_seen_total").increment(1);
    let Ok(measures) = seen.measures else { return };
    series.lock().unwrap_or_else(PoisonError::into_inner).put(clock::unix_ms(), seen.source, &measures);
}

/// Stores points when they are over.
async fn keep(audience: Weak<Audience>) {
    loop {
        tokio::time::sleep(TICK).await;
        let Some(audience) = audience.upgrade() else { return };
        let over = audience.series().take_over(clock::unix_ms());
        for (room, point) in over {
            audience.store(&room, &point).await;
        }
    }
}
