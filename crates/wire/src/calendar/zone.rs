//! Local times: what a clock on the wall shows, and when that is.

use chrono::{
    DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;

/// A zone by its IANA name, or by the names of Windows and Outlook.
pub fn parse_zone(name: &str) -> Option<Tz> {
    match name.trim().parse().ok()? {
        calcard::common::timezone::Tz::Tz(zone) => Some(zone),
        _ => None,
    }
}

/// When a clock in `zone` shows this. Where it shows it twice (autumn), the first time; where it skips it (spring), as much
/// later as the clock was put forward (RFC 5545, 3.3.5).
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.with_timezone(&Utc),
        MappedLocalTime::None => {
            // The offset that was in force before: no zone changes it twice in a day.
            let before = local.checked_sub_signed(TimeDelta::days(1)).unwrap_or(local);
            let offset = zone.offset_from_utc_datetime(&before).fix();
            local.checked_sub_offset(offset).unwrap_or(local).and_utc()
        }
    }
}

/// A point of time as calendars write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// A day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
}

impl Moment {
    /// Reads `2026-11-20`, `2026-11-20T19:00[:00]` (by the clocks of `zone`) or the same with an offset or `Z`.
    pub fn parse(text: &str, zone: Tz) -> Option<Self> {
        let text = text.trim();
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Some(Self::Day(day));
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Instant(at.with_timezone(&Utc)));
        }
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"].iter();
        let local = local.into_iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
        Some(Self::Instant(instant(local, zone)))
    }

    /// As an instant: a day by its midnight in `zone`.
    pub fn instant(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Day(day) => instant(day.and_time(NaiveTime::MIN), zone),
            Self::Instant(at) => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn tallinn(local: &str) -> DateTime<Utc> {
        instant(local.parse().unwrap(), Tz::Europe__Tallinn)
    }

    #[test]
    fn e_32_clocks_that_are_put_forward_and_back() {
        // E-32: the nights of 29 March and 25 October 2026
        assert_eq!(tallinn("2026-03-29T02:59:59"), at("2026-03-29T00:59:59Z"));
        assert_eq!(tallinn("2026-03-29T03:30:00"), at("2026-03-29T01:30:00Z"), "skipped: shown as 04:30");
        assert_eq!(tallinn("2026-03-29T04:00:00"), at("2026-03-29T01:00:00Z"));
        assert_eq!(tallinn("2026-10-25T03:30:00"), at("2026-10-25T00:30:00Z"), "twice: the first time");
        assert_eq!(tallinn("2026-10-25T04:00:00"), at("2026-10-25T02:00:00Z"));
    }

    #[test]
    fn moments_are_read_as_people_and_calendars_write_them() {
        let read = |text| Moment::parse(text, Tz::Europe__Tallinn);
        let seven = Some(Moment::Instant(at("2026-11-20T17:00:00Z")));
        assert_eq!(read("2026-11-20T19:00"), seven);
        assert_eq!(read(" 2026-11-20T19:00:00 "), seven);
        assert_eq!(read("2026-11-20T17:00:00Z"), seven);
        assert_eq!(read("2026-11-20T18:00:00+01:00"), seven);
        assert_eq!(read("2026-11-20"), NaiveDate::from_ymd_opt(2026, 11, 20).map(Moment::Day));
        assert_eq!(read("tonight"), None);
    }

    #[test]
    fn zones_have_the_names_that_calendars_give_them() {
        assert_eq!(parse_zone("Europe/Tallinn"), Some(Tz::Europe__Tallinn));
        assert_eq!(parse_zone("W. Europe Standard Time"), Some(Tz::Europe__Berlin));
        assert_eq!(parse_zone("Nowhere/Atlantis"), None);
    }
}
