//! Is it on?

use super::event::Event;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::cmp::Reverse;

/// What begins within this is soon (E-32).
pub const SOON: TimeDelta = TimeDelta::hours(3);

/// Where an event stands at a moment (E-31, E-32).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    /// It is on.
    Now,
    /// It begins within three hours.
    Soon,
    /// It begins later.
    Future,
    /// It is over.
    Past,
}

impl Status {
    /// Of an event, at `now`, for those who live in `zone`.
    pub fn of(event: &Event, now: DateTime<Utc>, zone: Tz) -> Self {
        let (start, end) = (event.span.start(zone), event.span.end(zone));
        if end <= now {
            Self::Past
        } else if start <= now {
            Self::Now
        } else if start - now <= SOON {
            Self::Soon
        } else {
            Self::Future
        }
    }

    /// As pages know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Soon => "soon",
            Self::Future => "future",
            Self::Past => "past",
        }
    }
}

/// The order of the home page: now and coming first, ascending, past below, the last first (E-31).
pub fn on_stage_first(events: &mut [&Event], now: DateTime<Utc>, zone: Tz) {
    events.sort_by_cached_key(|event| {
        let start = event.span.start(zone);
        match Status::of(event, now, zone) {
            Status::Past => (true, None, Some(Reverse(start)), event.id.clone()),
            _ => (false, Some(start), None, event.id.clone()),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Span;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn event(id: &str, span: Span) -> Event {
        Event { id: id.to_owned(), series: None, details: Default::default(), span }
    }

    fn show(id: &str, start: &str, end: &str) -> Event {
        event(id, Span::times(at(start), at(end)).unwrap())
    }

    #[test]
    fn e_32_now_soon_future_and_past_to_the_second() {
        // E-32
        let show = show("a", "2026-11-20T19:00:00Z", "2026-11-20T21:00:00Z");
        let status = |now: &str| Status::of(&show, at(now), Tz::UTC);
        assert_eq!(status("2026-11-20T15:59:59Z"), Status::Future);
        assert_eq!(status("2026-11-20T16:00:00Z"), Status::Soon);
        assert_eq!(status("2026-11-20T18:59:59Z"), Status::Soon);
        assert_eq!(status("2026-11-20T19:00:00Z"), Status::Now);
        assert_eq!(status("2026-11-20T20:59:59Z"), Status::Now);
        assert_eq!(status("2026-11-20T21:00:00Z"), Status::Past);
    }

    #[test]
    fn e_32_a_whole_day_begins_and_ends_at_midnight_of_the_venue() {
        // E-32
        let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let event = event("a", Span::days(day, day).unwrap());
        let zone = Tz::Europe__Tallinn; // UTC+2 in November
        assert_eq!(Status::of(&event, at("2026-11-19T21:59:59Z"), zone), Status::Soon);
        assert_eq!(Status::of(&event, at("2026-11-19T22:00:00Z"), zone), Status::Now);
        assert_eq!(Status::of(&event, at("2026-11-20T21:59:59Z"), zone), Status::Now);
        assert_eq!(Status::of(&event, at("2026-11-20T22:00:00Z"), zone), Status::Past);
        assert_eq!(Status::of(&event, at("2026-11-19T22:00:00Z"), Tz::UTC), Status::Soon);
    }

    #[test]
    fn e_31_now_and_coming_first_and_ascending_and_the_past_below() {
        // E-31
        let events = [
            show("long ago", "2026-01-01T19:00:00Z", "2026-01-01T21:00:00Z"),
            show("tomorrow", "2026-11-21T19:00:00Z", "2026-11-21T21:00:00Z"),
            show("now", "2026-11-20T19:00:00Z", "2026-11-20T21:00:00Z"),
            show("yesterday", "2026-11-19T19:00:00Z", "2026-11-19T21:00:00Z"),
            show("tonight", "2026-11-20T22:00:00Z", "2026-11-20T23:00:00Z"),
        ];
        let mut ordered: Vec<_> = events.iter().collect();
        on_stage_first(&mut ordered, at("2026-11-20T20:00:00Z"), Tz::UTC);
        let ids: Vec<_> = ordered.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["now", "tonight", "tomorrow", "yesterday", "long ago"]);
    }
}
