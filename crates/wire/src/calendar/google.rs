//! A page of Google Calendar v3 events (`calendar#events`), read. Others write it too.

use super::event::{Details, Event, Span, clean, limits};
use super::series::{Repeats, Series};
use super::zone::{Moment, parse_zone};
use super::{html, options};
use crate::ics;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a page's token. Google's have some dozens.
const MAX_TOKEN_BYTES: usize = 1_024;

/// Lines of an event's `recurrence`.
const MAX_RECURRENCE_LINES: usize = 64;

/// Bytes of one of them: a list of exceptions.
const MAX_RECURRENCE_BYTES: usize = 32 * 1024;

/// Why a page could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PageError {
    /// Over [`limits::MAX_CALENDAR_BYTES`].
    #[error("it is longer than {} bytes", limits::MAX_CALENDAR_BYTES)]
    TooLong,
    /// No JSON, or none with `items`.
    #[error("it is not a list of events as Google Calendar v3 writes it")]
    NotEvents,
}

/// One page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its events; what could not be read is left out.
    pub series: Vec<Series>,
    /// How many were left out.
    pub left_out: usize,
    /// What to ask for the next page with.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct RawPage {
    items: Vec<Value>,
    #[serde(rename = "timeZone")]
    time_zone: Option<String>,
    #[serde(rename = "nextPageToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    location: String,
    start: Option<RawMoment>,
    end: Option<RawMoment>,
    #[serde(default)]
    recurrence: Vec<String>,
    recurring_event_id: Option<String>,
    original_start_time: Option<RawMoment>,
    updated: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMoment {
    date: Option<String>,
    date_time: Option<String>,
    time_zone: Option<String>,
}

impl RawMoment {
    fn zone(&self, default: Tz) -> Tz {
        self.time_zone.as_deref().and_then(parse_zone).unwrap_or(default)
    }

    fn moment(&self, default: Tz) -> Option<Moment> {
        let text = self.date_time.as_ref().or(self.date.as_ref())?;
        Moment::parse(text, self.zone(default))
    }
}

/// Reads a page. `zone` is for times that say none.
///
/// # Errors
/// See [`PageError`].
pub fn parse(bytes: &[u8], zone: Tz) -> Result<Page, PageError> {
    if bytes.len() > limits::MAX_CALENDAR_BYTES {
        return Err(PageError::TooLong);
    }
    let raw: RawPage = serde_json::from_slice(bytes).map_err(|_| PageError::NotEvents)?;
    let zone = raw.time_zone.as_deref().and_then(parse_zone).unwrap_or(zone);
    let next = raw.next.filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN_BYTES);
    let mut reader = Reader { zone, page: Page { next, ..Page::default() }, exceptions: HashMap::new() };
    raw.items.into_iter().for_each(|item| reader.item(item));
    Ok(reader.finish())
}

struct Reader {
    zone: Tz,
    page: Page,
    /// Starts that a series does not have any more: they were moved, changed or called off.
    exceptions: HashMap<String, Vec<DateTime<Utc>>>,
}

impl Reader {
    fn item(&mut self, item: Value) {
        let fits = self.page.series.len() < limits::MAX_SERIES;
        let event = serde_json::from_value(item).ok().filter(|event: &RawEvent| fits && is_id(&event.id));
        let Some(event) = event else {
            self.page.left_out += 1;
            return;
        };
        self.note_exception(&event);
        if event.status == "cancelled" {
            return;
        }
        match self.read(event) {
            Some(series) => self.page.series.push(series),
            None => self.page.left_out += 1,
        }
    }

    fn note_exception(&mut self, event: &RawEvent) {
        let original = event.original_start_time.as_ref().and_then(|start| start.moment(self.zone));
        if let (Some(series), Some(original)) = (&event.recurring_event_id, original) {
            self.exceptions.entry(series.clone()).or_default().push(original.instant(Tz::UTC));
        }
    }

    fn read(&self, raw: RawEvent) -> Option<Series> {
        let span = self.span(&raw)?;
        let zone = if span.is_days() { Tz::UTC } else { raw.start.as_ref()?.zone(self.zone) };
        let (text, options) = options::split(&clean(&html::to_text(&raw.description), limits::MAX_TEXT_BYTES));
        let details = Details {
            title: clean(&raw.summary, limits::MAX_TITLE_BYTES),
            text,
            place: clean(&raw.location, limits::MAX_TITLE_BYTES),
            options,
            changed: raw.updated.and_then(|updated| updated.parse().ok()),
        };
        let repeats = repeats(&raw.recurrence, &span, zone);
        let series = raw.recurring_event_id.filter(|id| is_id(id)).map(Into::into);
        Some(Series { event: Event { id: raw.id, series, details: Arc::new(details), span }, repeats })
    }

    fn span(&self, raw: &RawEvent) -> Option<Span> {
        let start = raw.start.as_ref()?.moment(self.zone)?;
        let end = raw.end.as_ref().and_then(|end| end.moment(self.zone));
        span(start, end, self.zone)
    }

    fn finish(mut self) -> Page {
        for series in &mut self.page.series {
            let Some(repeats) = &mut series.repeats else { continue };
            let exceptions = self.exceptions.remove(&series.event.id).unwrap_or_default();
            exceptions.into_iter().for_each(|at| repeats.push_exception(at));
        }
        self.page
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= limits::MAX_ID_BYTES && !id.chars().any(char::is_control)
}

/// From a start and perhaps an end. Without an end a day is that day, and an hour is as long as anything.
pub(crate) fn span(start: Moment, end: Option<Moment>, zone: Tz) -> Option<Span> {
    match (start, end) {
        (Moment::Day(first), Some(Moment::Day(after))) => Span::days(first, after),
        (Moment::Day(first), _) => Span::days(first, first),
        (Moment::Instant(start), Some(end)) => Span::times(start, end.instant(zone)),
        (Moment::Instant(start), None) => Span::times(start, start.checked_add_signed(TimeDelta::hours(1))?),
    }
}

/// `RRULE:`, `RDATE:`, `EXDATE:`: iCalendar's lines.
pub(crate) fn repeats(lines: &[String], span: &Span, zone: Tz) -> Option<Repeats> {
    let usable = |line: &&String| line.len() <= MAX_RECURRENCE_BYTES && !line.contains(['\r', '\n']);
    let lines: Vec<_> = lines.iter().take(MAX_RECURRENCE_LINES).filter(usable).map(String::as_str).collect();
    if lines.is_empty() { None } else { ics::read_repeats(&lines.join("\r\n"), span, zone) }
}
