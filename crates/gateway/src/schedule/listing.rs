//! The schedule as our page reads it (E-31).

use super::limits::{MAX_COMING, MAX_PAST};
use serde_json::{Map, Value, json};
use wire::calendar::{DateTime, Event, SecondsFormat, Status, Tz, Utc, on_stage_first};

/// `{"now","timeZone","events":[…]}`: now and coming first, ascending; past below, the last first; hidden ones left out.
pub(super) fn listing(events: &[Event], now: DateTime<Utc>, zone: Tz) -> Value {
    let mut shown: Vec<_> = events.iter().filter(|event| !event.details.options.hidden()).collect();
    on_stage_first(&mut shown, now, zone);
    let (past, coming): (Vec<_>, Vec<_>) =
        shown.into_iter().partition(|event| Status::of(event, now, zone) == Status::Past);
    let events = coming.into_iter().take(MAX_COMING).chain(past.into_iter().take(MAX_PAST));
    json!({
        "now": instant(now),
        "timeZone": zone.name(),
        "events": events.map(|event| one(event, now, zone)).collect::<Vec<_>>(),
    })
}

fn one(event: &Event, now: DateTime<Utc>, zone: Tz) -> Value {
    let (details, options) = (&event.details, &event.details.options);
    let more: Map<_, _> = options.unknown().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
    json!({
        "id": event.id,
        "series": event.series.as_deref(),
        "title": details.title,
        "text": details.text,
        "place": details.place,
        "start": instant(event.span.start(zone)),
        "end": instant(event.span.end(zone)),
        "allDay": event.span.is_days(),
        "status": Status::of(event, now, zone).name(),
        "room": options.room(),
        "cameras": options.cameras().collect::<Vec<_>>(),
        "color": options.color(),
        "image": options.image(),
        "youtube": options.get("youtube"),
        "access": options.get("access"),
        "audience": options.flag("audience", true),
        "chat": options.flag("chat", true),
        "experimental": options.flag("experimental", false),
        "options": more,
    })
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
