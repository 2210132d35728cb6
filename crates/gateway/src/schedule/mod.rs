//! What is on (E-31, E-32): the operators' own events and other people's calendars, for our page, for pages that read Google
//! Calendar, and for calendar programs.
//!
//! | file | what |
//! |---|---|
//! | `draft` | an event as operators write it |
//! | `own` | their events, in the store |
//! | `source` | somebody else's calendar: fetched, read |
//! | `copies` | the last good copy of each source, in the store |
//! | `programme` | all of it together, as it is shown |
//! | `stage` | what events want of their rooms |
//! | `listing` | the page's JSON |
//! | `http` | for everybody |
//! | `operators` | for operators |

mod copies;
mod draft;
mod http;
mod limits;
mod listing;
mod operators;
mod own;
mod programme;
mod source;
mod stage;

use crate::budget::{Budgets, Rate};
use crate::cors::any_origin;
use crate::outbound::{Outbound, Target};
use crate::rooms::Registry;
use crate::{Gateway, clock};
use ::http::StatusCode;
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use copies::Copies;
use limits::{MAX_ADDRESSES, READING_BURST, READING_PER_S, REBUILD, START_WAIT};
use own::Own;
use programme::Programme;
use source::Source;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::{Store, StoreError};
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::time::{Instant, sleep};
use wire::calendar::{DateTime, Event, Series, Status, Utc};

pub use wire::calendar::{Tz, parse_zone};

/// What the schedule must be told.
#[derive(Clone, Debug)]
pub struct ScheduleConfig {
    /// The zone whose clocks count: for times that say none, and for whole days.
    pub zone: Tz,
    /// Other people's calendars: iCalendar, or JSON as Google Calendar v3 writes it.
    pub sources: Vec<Target>,
    /// They are asked so often.
    pub refresh: Duration,
    /// How they are reached; `None`: not at all.
    pub outbound: Option<Outbound>,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self { zone: Tz::UTC, sources: Vec::new(), refresh: Duration::from_secs(300), outbound: None }
    }
}

pub(crate) fn routes() -> Router<Gateway> {
    let shown = Router::new()
        .route("/api/schedule", get(http::schedule))
        .route("/calendar/v3/calendars/{calendar}/events", get(http::google))
        .route("/schedule.ics", get(http::ics))
        .layer(from_fn(any_origin));
    let events = get(operators::list).post(operators::create);
    let event = get(operators::read).put(operators::update).delete(operators::delete);
    shown.route("/api/schedule/events", events).route("/api/schedule/events/{id}", event)
}

/// The schedule.
#[derive(Debug)]
pub(crate) struct Schedule {
    zone: Tz,
    own: Own,
    copies: Copies,
    programme: Programme,
    /// Rooms are told what their events want.
    registry: Registry,
    declaring: tokio::sync::Mutex<()>,
    /// They have been told.
    declared: Arc<Notify>,
    /// Everything that the store has was read.
    loaded: OnceCell<()>,
    readers: Budgets<IpAddr>,
    /// Answers that are being made.
    seats: Semaphore,
}

impl Schedule {
    /// Reads what the store has, and asks the sources from now on.
    pub(crate) fn start(config: ScheduleConfig, registry: Registry, store: Arc<dyn Store>) -> Arc<Self> {
        let reading = Rate { burst: READING_BURST, per_s: READING_PER_S };
        let schedule = Arc::new(Self {
            zone: config.zone,
            own: Own::new(Arc::clone(&store)),
            copies: Copies::new(store),
            programme: Programme::new(config.zone),
            registry,
            declaring: tokio::sync::Mutex::default(),
            declared: Arc::default(),
            loaded: OnceCell::new(),
            readers: Budgets::new(reading, MAX_ADDRESSES),
            seats: Semaphore::new(limits::MAX_ANSWERS),
        });
        tokio::spawn(keep_current(Arc::downgrade(&schedule)));
        tokio::spawn(stage::keep_time(Arc::downgrade(&schedule), Arc::clone(&schedule.declared)));
        for (number, target) in config.sources.into_iter().take(limits::MAX_SOURCES).enumerate() {
            let Some(outbound) = config.outbound.clone() else { break };
            let source = Source::new(number + 1, target, outbound, config.zone);
            tokio::spawn(follow(Arc::downgrade(&schedule), source, config.refresh));
        }
        schedule
    }

    /// Whoever needs what the store has waits here for it.
    async fn load(&self) -> Result<(), StoreError> {
        let load = || async {
            let own = self.own.load(self.zone).await?;
            self.put(programme::OWN, own).await;
            Ok(())
        };
        self.loaded.get_or_try_init(load).await.copied()
    }

    /// Does what is on in a room now want a live audience? What is not announced does.
    pub(crate) fn has_audience(&self, room: &str) -> bool {
        let now = now();
        let is_on = |event: &&Event| {
            event.details.options.room() == Some(room) && Status::of(event, now, self.zone) == Status::Now
        };
        self.programme.events().iter().filter(is_on).all(|event| event.details.options.flag("audience", true))
    }

    /// One part of the programme is this now: it is shown, and the rooms know it, when this returns.
    async fn put(&self, part: usize, series: Vec<Series>) {
        self.programme.put(part, series).await;
        self.declare().await;
    }

    /// The operators' events have changed.
    async fn own_changed(&self) {
        self.put(programme::OWN, self.own.series(self.zone)).await;
    }
}

/// The window moves on with time.
async fn keep_current(schedule: Weak<Schedule>) {
    loop {
        let Some(schedule) = schedule.upgrade() else { return };
        if let Err(error) = schedule.load().await {
            tracing::warn!(%error, "the schedule could not be read from the store");
        }
        schedule.programme.rebuild().await;
        schedule.declare().await;
        drop(schedule);
        sleep(REBUILD).await;
    }
}

/// A source's task: the last good copy first, then what is there now, again and again.
async fn follow(schedule: Weak<Schedule>, mut source: Source, refresh: Duration) {
    if let Some(schedule) = schedule.upgrade() {
        restore(&schedule, &source).await;
    }
    sleep(START_WAIT).await;
    loop {
        let begun = Instant::now();
        let fetched = source.fetch().await;
        let Some(schedule) = schedule.upgrade() else { return };
        match fetched {
            Ok(Some((pages, series))) => {
                schedule.put(source.number, series).await;
                if let Err(error) = schedule.copies.keep(&source.target, &pages).await {
                    tracing::warn!(source = source.number, %error, "a calendar's copy could not be kept");
                }
            }
            Ok(None) => {}
            Err(error) => {
                metrics::counter!("odeon_schedule_failures_total").increment(1);
                tracing::warn!(source = source.number, %error, "this one of schedule.sources could not be read; the last good copy stays");
            }
        }
        drop(schedule);
        sleep(refresh.saturating_sub(begun.elapsed()).max(limits::MIN_PAUSE)).await;
    }
}

async fn restore(schedule: &Schedule, source: &Source) {
    match schedule.copies.get(&source.target).await {
        Ok(pages) if pages.is_empty() => {}
        Ok(pages) => match source.read(pages).await {
            Ok(series) => schedule.put(source.number, series).await,
            Err(error) => tracing::warn!(source = source.number, %error, "a calendar's kept copy could not be read"),
        },
        Err(error) => tracing::warn!(source = source.number, %error, "a calendar's copy could not be got"),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(clock::unix_ms()).unwrap_or_default()
}

/// A refusal of the store's, for whoever asked.
fn status_of(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Conflict => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
