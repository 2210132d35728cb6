//! All events together, as they are shown: made when something changes, read by everybody.

use super::limits::{BUILD_TIMEOUT, DAYS_AHEAD, DAYS_BACK, MAX_EVENTS};
use super::now;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use wire::calendar::{DateTime, Event, Series, TimeDelta, Tz, Utc, Window, on_stage_first};

/// The operators' own; sources are counted from 1.
pub(super) const OWN: usize = 0;

#[derive(Debug)]
pub(super) struct Programme {
    zone: Tz,
    /// By where they come from. Held for as long as it takes to make what is shown: the newest wins.
    parts: tokio::sync::Mutex<BTreeMap<usize, Arc<Vec<Series>>>>,
    /// Never held across an await.
    shown: Mutex<Arc<Vec<Event>>>,
}

impl Programme {
    pub(super) fn new(zone: Tz) -> Self {
        Self { zone, parts: tokio::sync::Mutex::default(), shown: Mutex::default() }
    }

    /// What is shown, hidden events among it, in the order of E-31 as of when it was made.
    pub(super) fn events(&self) -> Arc<Vec<Event>> {
        Arc::clone(&self.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One part is this now. It is shown when this returns.
    pub(super) async fn put(&self, part: usize, series: Vec<Series>) {
        let mut parts = self.parts.lock().await;
        parts.insert(part, Arc::new(series));
        self.show(&parts).await;
    }

    /// Time went on.
    pub(super) async fn rebuild(&self) {
        let parts = self.parts.lock().await;
        self.show(&parts).await;
    }

    async fn show(&self, parts: &BTreeMap<usize, Arc<Vec<Series>>>) {
        let parts: Vec<_> = parts.values().cloned().collect();
        let zone = self.zone;
        // Rules may take long to step through.
        match tokio::task::spawn_blocking(move || together(&parts, zone)).await {
            Ok(events) => *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(events),
            Err(_) => tracing::warn!("the schedule could not be put together; what was shown stays"),
        }
    }
}

/// Of events with one id the operators' counts, then the first source's.
fn together(parts: &[Arc<Vec<Series>>], zone: Tz) -> Vec<Event> {
    let now = now();
    let window = Window::around(now, TimeDelta::days(DAYS_BACK), TimeDelta::days(DAYS_AHEAD));
    let (mut seen, mut events) = (HashSet::new(), Vec::new());
    let begun = Instant::now();
    for series in parts.iter().flat_map(|part| part.iter()) {
        if begun.elapsed() > BUILD_TIMEOUT {
            tracing::warn!("the calendars' rules take too long: the rest of their events is left out");
            break;
        }
        events.extend(series.occurrences(&window, zone).into_iter().filter(|event| seen.insert(event.id.clone())));
        // Some rules make many: what is held stays within bounds.
        if events.len() > 4 * MAX_EVENTS {
            events = first_ones(&events, now, zone);
        }
    }
    first_ones(&events, now, zone)
}

fn first_ones(events: &[Event], now: DateTime<Utc>, zone: Tz) -> Vec<Event> {
    let mut ordered: Vec<_> = events.iter().collect();
    on_stage_first(&mut ordered, now, zone);
    ordered.into_iter().take(MAX_EVENTS).cloned().collect()
}
