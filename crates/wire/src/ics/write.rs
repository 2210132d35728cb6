//! iCalendar, written.

use crate::calendar::{Event, Span, join};
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarParameter, ICalendarParameterName,
    ICalendarProperty, ICalendarValue, ICalendarValueType,
};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use chrono_tz::Tz;

/// Whose calendar it is.
const PRODUCT: &str = "-//Odeon//schedule//EN";

/// Writes a calendar of this name: times as instants, so that no reader needs our idea of a time zone. `now` is the stamp
/// of what says not when it was changed.
pub fn write<'a>(name: &str, events: impl Iterator<Item = &'a Event>, now: DateTime<Utc>, zone: Tz) -> String {
    let mut root = ICalendarComponent::new(ICalendarComponentType::VCalendar);
    root.add_property(ICalendarProperty::Version, text("2.0"));
    root.add_property(ICalendarProperty::Prodid, text(PRODUCT));
    root.add_property(ICalendarProperty::Other("X-WR-CALNAME".to_owned()), text(name));
    root.add_property(ICalendarProperty::Other("X-WR-TIMEZONE".to_owned()), text(zone.name()));
    let mut calendar = ICalendar { components: vec![root] };
    for event in events {
        calendar.components.push(component(event, now));
    }
    let count = u32::try_from(calendar.components.len()).unwrap_or(u32::MAX);
    if let Some(root) = calendar.components.first_mut() {
        root.component_ids = (1..count).collect();
    }
    calendar.to_string()
}

fn component(event: &Event, now: DateTime<Utc>) -> ICalendarComponent {
    let details = &event.details;
    let mut component = ICalendarComponent::new(ICalendarComponentType::VEvent);
    component.add_uid(&event.id);
    component.add_dtstamp(instant(details.changed.unwrap_or(now)));
    match &event.span {
        Span::Times { start, end } => {
            component.add_property(ICalendarProperty::Dtstart, time(*start));
            component.add_property(ICalendarProperty::Dtend, time(*end));
        }
        Span::Days { first, after } => {
            component.add_property_with_params(ICalendarProperty::Dtstart, [is_day()], day(*first));
            component.add_property_with_params(ICalendarProperty::Dtend, [is_day()], day(*after));
        }
    }
    let description = join(&details.text, &details.options);
    let texts = [
        (ICalendarProperty::Summary, details.title.clone()),
        (ICalendarProperty::Description, description),
        (ICalendarProperty::Location, details.place.clone()),
    ];
    for (property, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
        component.add_property(property, ICalendarValue::Text(value));
    }
    component
}

fn text(value: &str) -> ICalendarValue {
    ICalendarValue::Text(value.to_owned())
}

fn time(at: DateTime<Utc>) -> ICalendarValue {
    ICalendarValue::PartialDateTime(Box::new(instant(at)))
}

fn instant(at: DateTime<Utc>) -> PartialDateTime {
    PartialDateTime::from_utc_timestamp(at.timestamp())
}

fn is_day() -> ICalendarParameter {
    ICalendarParameter::new(ICalendarParameterName::Value, ICalendarValueType::Date)
}

fn day(day: NaiveDate) -> ICalendarValue {
    let small = |number: u32| u8::try_from(number).ok();
    ICalendarValue::PartialDateTime(Box::new(PartialDateTime {
        year: u16::try_from(day.year()).ok(),
        month: small(day.month()),
        day: small(day.day()),
        ..PartialDateTime::default()
    }))
}
