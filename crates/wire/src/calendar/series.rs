//! Events that come again (RFC 5545, 3.8.5).
//!
//! The rules' arithmetic is the crate `rrule`'s. What is bounded here is its work: no rule is finer than a day, none
//! writes more than a day's worth of hours, and only so many occurrences are stepped over.

use super::event::{Event, Window, limits};
use calcard::icalendar::{ICalendarFrequency, ICalendarRecurrenceRule};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rrule::{RRule, RRuleSet, Unvalidated, Validated};
use std::collections::BTreeSet;

/// Times of day that one rule may name.
const MAX_TIMES_A_DAY: usize = 24;

/// Values of one part of a rule: days of a year.
const MAX_VALUES: usize = 366;

/// Rules of one series. RFC 5545 wants one.
const MAX_RULES: usize = 4;

/// Dates that are added to a series or taken out of it.
const MAX_DATES: usize = 2_000;

/// An event that may come again.
#[derive(Clone, Debug)]
pub struct Series {
    /// The first of them, and what all others are like.
    pub event: Event,
    /// When it comes again; `None`: it doesn't.
    pub repeats: Option<Repeats>,
}

/// A rule by which something comes again, checked.
#[derive(Clone, Debug)]
pub struct Rule(RRule<Validated>);

impl Rule {
    /// From what calendars write behind `RRULE:`; `start` is the first occurrence in the time zone of the series. `None`:
    /// it is none, or one that costs too much.
    pub fn new(rule: &ICalendarRecurrenceRule, start: DateTime<Tz>) -> Option<Self> {
        if !is_cheap(rule) {
            return None;
        }
        let mut rule = rule.clone();
        let until = rule.until.take();
        let parsed: RRule<Unvalidated> = rule.to_string().parse().ok()?;
        let parsed = match until {
            Some(until) => parsed.until(until_instant(&until, start.timezone())?.with_timezone(&rrule::Tz::UTC)),
            None => parsed,
        };
        parsed.validate(in_rrule(start)).ok().map(Self)
    }
}

/// `UNTIL` may be a day, a local time or an instant, whatever RFC 5545 says of the start. A day counts whole.
fn until_instant(until: &calcard::common::PartialDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let read = until.to_date_time()?;
    if let Some(offset) = read.offset {
        return Some(read.date_time.checked_sub_offset(offset)?.and_utc());
    }
    let whole_day = if until.has_time() { TimeDelta::zero() } else { TimeDelta::seconds(24 * 60 * 60 - 1) };
    Some(super::zone::instant(read.date_time.checked_add_signed(whole_day)?, zone))
}

fn is_cheap(rule: &ICalendarRecurrenceRule) -> bool {
    let times = [&rule.byhour, &rule.byminute, &rule.bysecond].map(|values| values.len().max(1));
    let times_a_day = times.iter().fold(1_usize, |product, count| product.saturating_mul(*count));
    let values = [
        rule.byday.len(),
        rule.bymonthday.len(),
        rule.byyearday.len(),
        rule.byweekno.len(),
        rule.bymonth.len(),
        rule.bysetpos.len(),
    ];
    let coarse = rule.freq <= ICalendarFrequency::Daily;
    coarse && times_a_day <= MAX_TIMES_A_DAY && values.iter().all(|count| *count <= MAX_VALUES)
}

fn in_rrule(at: DateTime<Tz>) -> DateTime<rrule::Tz> {
    at.with_timezone(&rrule::Tz::Tz(at.timezone()))
}

/// When a series comes again. Instants of whole days are midnights in UTC, whatever the venue's zone.
#[derive(Clone, Debug)]
pub struct Repeats {
    /// The zone whose clocks the rules are about.
    zone: Tz,
    rules: Vec<Rule>,
    more: Vec<DateTime<Utc>>,
    except: BTreeSet<DateTime<Utc>>,
}

impl Repeats {
    /// Never yet.
    pub fn new(zone: Tz) -> Self {
        Self { zone, rules: Vec::new(), more: Vec::new(), except: BTreeSet::new() }
    }

    /// The zone whose clocks the rules are about.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// By this rule. Too many are left out.
    pub fn push_rule(&mut self, rule: Rule) {
        if self.rules.len() < MAX_RULES {
            self.rules.push(rule);
        }
    }

    /// Also then. Too many are left out.
    pub fn push_date(&mut self, at: DateTime<Utc>) {
        if self.more.len() < MAX_DATES {
            self.more.push(at);
        }
    }

    /// Not then. Too many are left out.
    pub fn push_exception(&mut self, at: DateTime<Utc>) {
        if self.except.len() < MAX_DATES {
            self.except.insert(at);
        }
    }

    /// Does it come again at all?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.more.is_empty()
    }

    /// Starts within the window, the first one's among them; `length` of an occurrence.
    fn starts(&self, first: DateTime<Utc>, window: &Window, length: TimeDelta) -> BTreeSet<DateTime<Utc>> {
        // Whole days begin up to half a day away from UTC's midnight.
        let from = window.from - length - TimeDelta::days(1);
        let to = window.to + TimeDelta::days(1);
        let wanted = |at: &DateTime<Utc>| *at >= from && *at < to && !self.except.contains(at);
        let rules = self.rules.iter().map(|rule| rule.0.clone()).collect();
        let set = RRuleSet::new(in_rrule(first.with_timezone(&self.zone))).set_rrules(rules).limit();
        let by_rule = set.into_iter().map(|at| at.with_timezone(&Utc));
        let by_rule = by_rule.take(limits::MAX_STEPS).take_while(|at| *at < to);
        let named = self.more.iter().copied().chain([first]);
        by_rule.chain(named).filter(wanted).take(limits::MAX_OCCURRENCES).collect()
    }
}

impl Series {
    /// It is once.
    pub fn once(event: Event) -> Self {
        Self { event, repeats: None }
    }

    /// All of it that is in the window, for those who live in `zone`, by their starts.
    pub fn occurrences(&self, window: &Window, zone: Tz) -> Vec<Event> {
        let Some(repeats) = self.repeats.as_ref().filter(|repeats| !repeats.is_empty()) else {
            return [&self.event].into_iter().filter(|event| window.shows(&event.span, zone)).cloned().collect();
        };
        let first = self.event.span.start(Tz::UTC);
        let length = self.event.span.end(Tz::UTC) - first;
        let starts = repeats.starts(first, window, length);
        let all = starts.into_iter().filter_map(|start| self.occurrence(start));
        all.filter(|event| window.shows(&event.span, zone)).collect()
    }

    fn occurrence(&self, start: DateTime<Utc>) -> Option<Event> {
        let span = self.event.span.moved_to(start)?;
        let id = occurrence_id(&self.event.id, start, span.is_days());
        let series = Some(self.event.id.as_str().into());
        Some(Event { id, series, details: self.event.details.clone(), span })
    }
}

/// As Google names the occurrences of a series, by their original starts.
pub(crate) fn occurrence_id(series: &str, start: DateTime<Utc>, days: bool) -> String {
    let format = if days { "%Y%m%d" } else { "%Y%m%dT%H%M%SZ" };
    format!("{series}_{}", start.format(format))
}
