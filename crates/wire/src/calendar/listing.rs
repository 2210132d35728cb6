//! The question `GET …/calendars/<any>/events?timeMin=…` and its answer, as Google Calendar v3 has them.

use super::event::Event;
use super::options;
use super::status::on_stage_first;
use super::zone::Moment;
use super::{SecondsFormat, Span};
use crate::livekit::query::Query;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// Events of one answer where nobody says how many, as Google has it.
const DEFAULT_RESULTS: usize = 250;

/// Events of one answer at most, as Google has it.
const MAX_RESULTS: usize = 2_500;

/// Bytes of words that are looked for.
const MAX_SEARCH_BYTES: usize = 256;

/// A parameter that can't be read. Google says its name, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Invalid value for {0}")]
pub struct BadQuestion(pub &'static str);

/// What is asked for. What has no meaning here (`key`, `fields`, `singleEvents`: each occurrence is an event of its own
/// always) is passed over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    words: String,
    by_start: bool,
    limit: Option<usize>,
    skip: usize,
}

impl Question {
    /// Reads a query string; `zone` is for times without an offset.
    ///
    /// # Errors
    /// Names the parameter.
    pub fn parse(query: &str, zone: Tz) -> Result<Self, BadQuestion> {
        let query = Query::parse(query);
        let time =
            |name| query.get(name).map_or(Ok(None), |text| read_time(text, zone).ok_or(BadQuestion(name)).map(Some));
        let number =
            |name| query.get(name).map_or(Ok(None), |text| text.parse().map_err(|_| BadQuestion(name)).map(Some));
        let words = query.get("q").unwrap_or_default();
        let by_start = match query.get("orderBy") {
            None | Some("updated") => false,
            Some("startTime") => true,
            Some(_) => return Err(BadQuestion("orderBy")),
        };
        Ok(Self {
            from: time("timeMin")?,
            to: time("timeMax")?,
            words: words.get(..MAX_SEARCH_BYTES).unwrap_or(words).to_lowercase(),
            by_start,
            limit: number("maxResults")?,
            skip: number("pageToken")?.unwrap_or(0),
        })
    }

    fn wants(&self, event: &Event, zone: Tz) -> bool {
        let after = self.from.is_none_or(|from| event.span.end(zone) > from);
        let before = self.to.is_none_or(|to| event.span.start(zone) < to);
        after && before && self.words.split_whitespace().all(|word| has_word(event, word))
    }

    /// The answer: of these events, of which some are asked for, now, for those who live in `zone`.
    pub fn answer<'a>(&self, events: impl Iterator<Item = &'a Event>, now: DateTime<Utc>, zone: Tz) -> Answer<'a> {
        let mut found: Vec<_> = events.filter(|event| self.wants(event, zone)).collect();
        if self.by_start {
            found.sort_by_cached_key(|event| (event.span.start(zone), event.id.clone()));
        } else {
            on_stage_first(&mut found, now, zone);
        }
        let limit = self.limit.unwrap_or(DEFAULT_RESULTS).clamp(1, MAX_RESULTS);
        let next = self.skip.saturating_add(limit);
        let next = (next < found.len()).then_some(next);
        Answer { events: found.into_iter().skip(self.skip).take(limit).collect(), next, zone }
    }
}

/// A `+` that nobody has encoded arrives as a space.
fn read_time(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    Moment::parse(&text.trim().replace(' ', "+"), zone).map(|moment| moment.instant(zone))
}

fn has_word(event: &Event, word: &str) -> bool {
    let details = &event.details;
    [&details.title, &details.text, &details.place].iter().any(|text| text.to_lowercase().contains(word))
}

/// What was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer<'a> {
    /// In their order.
    pub events: Vec<&'a Event>,
    /// Where there are more: how many to skip.
    pub next: Option<usize>,
    zone: Tz,
}

impl Answer<'_> {
    /// `calendar#events`.
    pub fn to_json(&self, name: &str) -> Value {
        let items: Vec<_> = self.events.iter().map(|event| item(event, self.zone)).collect();
        let updated = self.events.iter().filter_map(|event| event.details.changed).max();
        let mut page = json!({
            "kind": "calendar#events",
            "summary": name,
            "description": "",
            "timeZone": self.zone.name(),
            "accessRole": "reader",
            "defaultReminders": [],
            "items": items,
        });
        put(&mut page, "updated", updated.map(instant));
        put(&mut page, "nextPageToken", self.next.map(|next| next.to_string()));
        page
    }
}

fn item(event: &Event, zone: Tz) -> Value {
    let details = &event.details;
    let (start, end) = moments(&event.span, zone);
    let mut item = json!({
        "kind": "calendar#event",
        "id": event.id,
        "iCalUID": event.series.as_deref().unwrap_or(&event.id),
        "status": "confirmed",
        "eventType": "default",
        "summary": details.title,
        "description": as_html(&options::join(&details.text, &details.options)),
        "start": start,
        "end": end,
    });
    put(&mut item, "location", Some(details.place.clone()).filter(|place| !place.is_empty()));
    put(&mut item, "updated", details.changed.map(instant));
    if let Some(series) = &event.series {
        put(&mut item, "recurringEventId", Some(series.to_string()));
    }
    item
}

/// Readers take a description as HTML: what would be a tag there is written as text.
fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn moments(span: &Span, zone: Tz) -> (Value, Value) {
    let time = |at: &DateTime<Utc>| {
        let local = at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({ "dateTime": local, "timeZone": zone.name() })
    };
    match span {
        Span::Times { start, end } => (time(start), time(end)),
        Span::Days { first, after } => (json!({ "date": first.to_string() }), json!({ "date": after.to_string() })),
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn put(object: &mut Value, key: &str, value: Option<String>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.to_owned(), Value::String(value));
    }
}
