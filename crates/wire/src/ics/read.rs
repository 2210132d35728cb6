//! iCalendar, read.

use super::MAX_SEPARATORS;
use crate::calendar::{Details, Event, Moment, Repeats, Rule, Series, Span, clean, limits, parse_zone};
use crate::calendar::{looks_like_html, split, to_text};
use calcard::common::{PartialDateTime, timezone};
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry, ICalendarPeriod,
    ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::sync::Arc;

/// Why a calendar could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IcsError {
    /// Over [`limits::MAX_CALENDAR_BYTES`].
    #[error("it is longer than {} bytes", limits::MAX_CALENDAR_BYTES)]
    TooLong,
    /// Over [`MAX_SEPARATORS`].
    #[error("it has more than {MAX_SEPARATORS} lines and values")]
    TooMany,
    /// It does not begin with `BEGIN:VCALENDAR`.
    #[error("it is not an iCalendar")]
    NotCalendar,
}

/// A calendar.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    /// Its events; what could not be read is left out.
    pub series: Vec<Series>,
    /// How many were left out.
    pub left_out: usize,
}

/// Reads a calendar. `zone` is for times that say none.
///
/// # Errors
/// See [`IcsError`].
pub fn parse(bytes: &[u8], zone: Tz) -> Result<Calendar, IcsError> {
    check_size(bytes)?;
    let text = String::from_utf8_lossy(bytes);
    let parsed = match Parser::new(&text).entry() {
        Entry::ICalendar(parsed) => parsed,
        _ => return Err(IcsError::NotCalendar),
    };
    let root = parsed.components.first().ok_or(IcsError::NotCalendar)?;
    if root.component_type != ICalendarComponentType::VCalendar {
        return Err(IcsError::NotCalendar);
    }
    let zone = default_zone(root).unwrap_or(zone);
    let reader = Reader { zones: parsed.build_tz_resolver(), zone };
    Ok(reader.calendar(&parsed))
}

fn check_size(bytes: &[u8]) -> Result<(), IcsError> {
    if bytes.len() > limits::MAX_CALENDAR_BYTES {
        return Err(IcsError::TooLong);
    }
    let separators = bytes.iter().filter(|byte| matches!(byte, b'\n' | b';' | b',')).count();
    if separators > MAX_SEPARATORS { Err(IcsError::TooMany) } else { Ok(()) }
}

/// `X-WR-TIMEZONE`, which Google and Apple write.
fn default_zone(root: &ICalendarComponent) -> Option<Tz> {
    let named = root.entries.iter().find(|entry| entry.name.as_str().eq_ignore_ascii_case("X-WR-TIMEZONE"))?;
    parse_zone(named.values.first()?.as_text()?)
}

struct Reader<'a> {
    zones: TzResolver<&'a str>,
    zone: Tz,
}

/// What one component is.
enum Read {
    /// An event, or a series.
    Series(Series),
    /// An occurrence of a series that was changed, or called off (`None`).
    Changed { series: String, original: DateTime<Utc>, event: Option<Event> },
    /// Called off.
    Nothing,
}

impl Reader<'_> {
    fn calendar(&self, parsed: &ICalendar) -> Calendar {
        let mut calendar = Calendar::default();
        let mut changes: HashMap<String, Vec<DateTime<Utc>>> = HashMap::new();
        let events = parsed.components.iter().filter(|component| component.component_type.is_event());
        for component in events {
            let read = self.event(component).filter(|_| calendar.series.len() < limits::MAX_SERIES);
            match read {
                Some(Read::Series(series)) => calendar.series.push(series),
                Some(Read::Changed { series, original, event }) => {
                    changes.entry(series).or_default().push(original);
                    calendar.series.extend(event.map(Series::once));
                }
                Some(Read::Nothing) => {}
                None => calendar.left_out += 1,
            }
        }
        for series in &mut calendar.series {
            let changes = changes.get(&series.event.id).into_iter().flatten();
            series.repeats.iter_mut().for_each(|repeats| changes.clone().for_each(|at| repeats.push_exception(*at)));
        }
        calendar
    }

    fn event(&self, component: &ICalendarComponent) -> Option<Read> {
        let span = self.span(component)?;
        let zone =
            if span.is_days() { Tz::UTC } else { self.zone_of(component.property(&ICalendarProperty::Dtstart)?) };
        let cancelled = component.status() == Some(&ICalendarStatus::Cancelled);
        let uid = uid(component, &span);
        let original = component.property(&ICalendarProperty::RecurrenceId).and_then(|entry| self.moment(entry));
        if let Some(original) = original {
            let original = original.instant(Tz::UTC);
            let id = clean(&changed_id(&uid, original, span.is_days()), limits::MAX_ID_BYTES);
            let details = Arc::new(details(component));
            let event = Event { id, series: Some(uid.as_str().into()), details, span };
            return Some(Read::Changed { series: uid, original, event: (!cancelled).then_some(event) });
        }
        if cancelled {
            return Some(Read::Nothing);
        }
        let repeats = self.repeats(component, &span, zone);
        let event = Event { id: uid, series: None, details: Arc::new(details(component)), span };
        Some(Read::Series(Series { event, repeats }))
    }

    fn span(&self, component: &ICalendarComponent) -> Option<Span> {
        let start = self.moment(component.property(&ICalendarProperty::Dtstart)?)?;
        let end = component.property(&ICalendarProperty::Dtend).and_then(|entry| self.moment(entry));
        match (start, end) {
            (Moment::Day(first), Some(Moment::Day(after))) => Span::days(first, after),
            (Moment::Day(first), _) => {
                let length = duration(component).unwrap_or(TimeDelta::days(1));
                Span::days(first, first.checked_add_signed(length)?)
            }
            (Moment::Instant(start), Some(end)) => Span::times(start, end.instant(self.zone)),
            (Moment::Instant(start), None) => {
                Span::times(start, start.checked_add_signed(duration(component).unwrap_or_default())?)
            }
        }
    }

    fn zone_of(&self, entry: &ICalendarEntry) -> Tz {
        match entry.tz_id().and_then(|name| self.zones.resolve(name)) {
            Some(timezone::Tz::Tz(zone)) => zone,
            _ => self.zone,
        }
    }

    fn moment(&self, entry: &ICalendarEntry) -> Option<Moment> {
        match entry.values.first()? {
            ICalendarValue::PartialDateTime(read) => self.read_moment(read, self.zone_of(entry)),
            _ => None,
        }
    }

    fn read_moment(&self, read: &PartialDateTime, zone: Tz) -> Option<Moment> {
        let at = read.to_date_time()?;
        if !read.has_time() {
            return Some(Moment::Day(at.date_time.date()));
        }
        Some(Moment::Instant(match at.offset {
            Some(offset) => at.date_time.checked_sub_offset(offset)?.and_utc(),
            None => crate::calendar::instant(at.date_time, zone),
        }))
    }

    fn repeats(&self, component: &ICalendarComponent, span: &Span, zone: Tz) -> Option<Repeats> {
        let mut repeats = Repeats::new(zone);
        let start = span.start(Tz::UTC).with_timezone(&zone);
        for entry in &component.entries {
            for value in &entry.values {
                let zone = if span.is_days() { Tz::UTC } else { self.zone_of(entry) };
                let at = || self.date(value, zone).map(|moment| moment.instant(zone));
                match (&entry.name, value) {
                    (ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(rule)) => {
                        Rule::new(rule, start).into_iter().for_each(|rule| repeats.push_rule(rule));
                    }
                    (ICalendarProperty::Rdate, _) => at().into_iter().for_each(|at| repeats.push_date(at)),
                    (ICalendarProperty::Exdate, _) => at().into_iter().for_each(|at| repeats.push_exception(at)),
                    _ => {}
                }
            }
        }
        (!repeats.is_empty()).then_some(repeats)
    }

    fn date(&self, value: &ICalendarValue, zone: Tz) -> Option<Moment> {
        match value {
            ICalendarValue::PartialDateTime(read) => self.read_moment(read, zone),
            ICalendarValue::Period(ICalendarPeriod::Range { start, .. } | ICalendarPeriod::Duration { start, .. }) => {
                self.read_moment(start, zone)
            }
            _ => None,
        }
    }
}

/// `RRULE:…`, `RDATE:…`, `EXDATE:…` by themselves, as Google's JSON has them.
pub(crate) fn read_repeats(lines: &str, span: &Span, zone: Tz) -> Option<Repeats> {
    let component = format!("BEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\n");
    check_size(component.as_bytes()).ok()?;
    let Entry::ICalendar(parsed) = Parser::new(&component).entry() else { return None };
    let reader = Reader { zones: parsed.build_tz_resolver(), zone };
    reader.repeats(parsed.components.first()?, span, zone)
}

fn duration(component: &ICalendarComponent) -> Option<TimeDelta> {
    match component.property(&ICalendarProperty::Duration)?.values.first()? {
        ICalendarValue::Duration(duration) => length(duration),
        _ => None,
    }
}

fn length(duration: &ICalendarDuration) -> Option<TimeDelta> {
    let days = i64::from(duration.weeks).checked_mul(7)?.checked_add(i64::from(duration.days))?;
    let hours = days.checked_mul(24)?.checked_add(i64::from(duration.hours))?;
    let minutes = hours.checked_mul(60)?.checked_add(i64::from(duration.minutes))?;
    let seconds = minutes.checked_mul(60)?.checked_add(i64::from(duration.seconds))?;
    TimeDelta::try_seconds(seconds).filter(|_| !duration.neg)
}

/// Some calendars leave it out; then what and when names it well enough.
fn uid(component: &ICalendarComponent, span: &Span) -> String {
    let uid = component.uid().map(|uid| clean(uid, limits::MAX_ID_BYTES)).filter(|uid| !uid.is_empty());
    let start = span.start(Tz::UTC).timestamp();
    uid.unwrap_or_else(|| {
        clean(&format!("{start}-{}", text(component, &ICalendarProperty::Summary)), limits::MAX_ID_BYTES)
    })
}

fn details(component: &ICalendarComponent) -> Details {
    let description = text(component, &ICalendarProperty::Description);
    let description = if looks_like_html(description) { to_text(description) } else { description.to_owned() };
    let (text_above, options) = split(&clean(&description, limits::MAX_TEXT_BYTES));
    let changed = component.property(&ICalendarProperty::LastModified);
    let changed = changed.or_else(|| component.property(&ICalendarProperty::Dtstamp));
    let changed = changed.and_then(|entry| entry.values.first()?.as_partial_date_time()?.to_date_time());
    Details {
        title: clean(text(component, &ICalendarProperty::Summary), limits::MAX_TITLE_BYTES),
        text: text_above,
        place: clean(text(component, &ICalendarProperty::Location), limits::MAX_TITLE_BYTES),
        options,
        changed: changed.map(|at| at.date_time.and_utc()),
    }
}

fn text<'a>(component: &'a ICalendarComponent, property: &ICalendarProperty) -> &'a str {
    let value = component.property(property).and_then(|entry| entry.values.first());
    value.and_then(ICalendarValue::as_text).unwrap_or_default()
}

fn changed_id(series: &str, original: DateTime<Utc>, days: bool) -> String {
    crate::calendar::occurrence_id(series, original, days)
}
