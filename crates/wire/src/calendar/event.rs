//! One event: what, and when.

use super::options::Options;
use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use std::sync::Arc;

/// What a calendar may hold. Whoever writes more is cut short, not refused: a calendar is other people's.
pub mod limits {
    /// Bytes of one calendar that is read: some thousand events with their texts.
    pub const MAX_CALENDAR_BYTES: usize = 4 * 1024 * 1024;

    /// Events and series of one calendar: ten a day for a year, and more than a page can show.
    pub const MAX_SERIES: usize = 5_000;

    /// Occurrences of one series in one window: two a day for a year.
    pub const MAX_OCCURRENCES: usize = 800;

    /// Occurrences that are stepped over to get to the window: fifty years of every day.
    pub const MAX_STEPS: usize = 20_000;

    /// Bytes of an id: iCalendar's and Google's have fewer than a hundred.
    pub const MAX_ID_BYTES: usize = 256;

    /// Bytes of a title, and of a place.
    pub const MAX_TITLE_BYTES: usize = 1024;

    /// Bytes of a description: Google takes 8,192 characters.
    pub const MAX_TEXT_BYTES: usize = 32 * 1024;
}

/// The years that dates are taken from: far enough for any programme, near enough for any arithmetic.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// What is on. Texts are plain text (or Markdown), never HTML.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Details {
    /// Its name.
    pub title: String,
    /// What there is to say about it, without the options.
    pub text: String,
    /// Where it is, besides here.
    pub place: String,
    /// How its page is to look.
    pub options: Options,
    /// When this was last changed.
    pub changed: Option<DateTime<Utc>>,
}

/// An event: something that is on once. Of a series it is one occurrence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its name among all events of its calendar.
    pub id: String,
    /// The series that it is an occurrence of.
    pub series: Option<Arc<str>>,
    /// What.
    pub details: Arc<Details>,
    /// When.
    pub span: Span,
}

/// When something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// From an instant to another.
    Times {
        /// It begins.
        start: DateTime<Utc>,
        /// It is over; not before `start`.
        end: DateTime<Utc>,
    },
    /// Whole days, wherever one is.
    Days {
        /// The first of them.
        first: NaiveDate,
        /// The day after the last.
        after: NaiveDate,
    },
}

impl Span {
    /// Between two instants; `None` if one is out of reach. An end before the start is the start.
    pub fn times(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        let fits = YEARS.contains(&start.year()) && YEARS.contains(&end.year());
        fits.then(|| Self::Times { start, end: end.max(start) })
    }

    /// Whole days, one at least; `None` if one is out of reach.
    pub fn days(first: NaiveDate, after: NaiveDate) -> Option<Self> {
        let after = after.max(first.succ_opt()?);
        (YEARS.contains(&first.year()) && YEARS.contains(&after.year())).then_some(Self::Days { first, after })
    }

    /// When it begins for those who live in `zone`.
    pub fn start(&self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Times { start, .. } => *start,
            Self::Days { first, .. } => midnight(*first, zone),
        }
    }

    /// When it is over for those who live in `zone`.
    pub fn end(&self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Times { end, .. } => *end,
            Self::Days { after, .. } => midnight(*after, zone),
        }
    }

    /// Whole days?
    pub fn is_days(&self) -> bool {
        matches!(self, Self::Days { .. })
    }

    /// The same, from another start. Of whole days the start is counted as if everybody lived in UTC.
    pub(super) fn moved_to(&self, to: DateTime<Utc>) -> Option<Self> {
        match self {
            Self::Times { start, end } => Self::times(to, to.checked_add_signed(*end - *start)?),
            Self::Days { first, after } => {
                let day = to.date_naive();
                Self::days(day, day.checked_add_signed(*after - *first)?)
            }
        }
    }
}

fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    super::zone::instant(day.and_time(chrono::NaiveTime::MIN), zone)
}

/// A stretch of time that one looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// What ended before is not looked at.
    pub from: DateTime<Utc>,
    /// What begins then or later is not looked at.
    pub to: DateTime<Utc>,
}

impl Window {
    /// So much before and after an instant.
    pub fn around(now: DateTime<Utc>, before: TimeDelta, after: TimeDelta) -> Self {
        let from = now.checked_sub_signed(before).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let to = now.checked_add_signed(after).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { from, to }
    }

    /// Is any of it in here?
    pub fn shows(&self, span: &Span, zone: Tz) -> bool {
        span.end(zone) >= self.from && span.start(zone) < self.to
    }
}

/// A text of somebody else's as we keep it: no control characters but line ends, those as `\n`, and not longer than `max`
/// bytes.
pub fn clean(text: &str, max: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(max));
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let character = match character {
            '\r' if characters.peek() == Some(&'\n') => continue,
            '\r' => '\n',
            '\n' | '\t' => character,
            other if other.is_control() => continue,
            other => other,
        };
        if kept.len() + character.len_utf8() > max {
            break;
        }
        kept.push(character);
    }
    kept.truncate(kept.trim_end().len());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_what_no_screen_shows_and_what_is_too_long() {
        assert_eq!(clean("a\r\nb\rc\u{0}\u{1b}[31m\n\n", 100), "a\nb\nc[31m");
        assert_eq!(clean("õõõ", 5), "õõ");
    }

    #[test]
    fn a_span_never_ends_before_it_begins_and_stays_within_reach() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let span = Span::times(at("2026-11-20T19:00:00Z"), at("2026-11-20T18:00:00Z")).unwrap();
        assert_eq!(span.end(Tz::UTC), at("2026-11-20T19:00:00Z"));
        assert!(Span::times(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).is_none());
        assert!(Span::days(NaiveDate::MAX, NaiveDate::MAX).is_none());
    }
}
