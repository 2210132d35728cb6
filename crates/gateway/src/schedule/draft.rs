//! An event as operators write it. It becomes one as other calendars' events do: written as Google Calendar v3 has it, and
//! read by the reader that reads those, so that both mean the same.

use room::limits::MAX_NAME_BYTES;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wire::calendar::{Moment, Options, SecondsFormat, Series, Tz, join, limits, parse_page, split};

/// Why an event was not taken. For people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum BadDraft {
    #[error(
        r#"the body must be JSON: {{"title","start","end","text","place","room","recurrence":["RRULE:…"],"options":{{…}}}}"#
    )]
    NoJson,
    #[error("the event needs a title, of {} bytes at most", limits::MAX_TITLE_BYTES)]
    Title,
    #[error("the text is longer than {} bytes", limits::MAX_TEXT_BYTES / 2)]
    Text,
    #[error("a line of dashes in the text would begin the options: write *** for a line across the page")]
    Dashes,
    #[error("the place is longer than {} bytes", limits::MAX_TITLE_BYTES)]
    Place,
    #[error(
        "start and end must be like 2026-11-20T19:00 (the venue's time), 2026-11-20T17:00:00Z or 2026-11-20 (a whole day), both of one kind"
    )]
    Time,
    #[error("the end is before the start")]
    Backwards,
    #[error("the room's name must have 1 to {MAX_NAME_BYTES} bytes, none of them a control character")]
    Room,
    #[error("an option is a word and one line of text; the room is not one of them: it has its own field")]
    Option,
    #[error("the option access is open (everybody) or token (whoever has one)")]
    Access,
    #[error("recurrence can't be read: RFC 5545's lines are needed, such as RRULE:FREQ=WEEKLY, daily or rarer")]
    Recurrence,
}

/// What operators write.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Draft {
    pub(super) title: String,
    /// `2026-11-20T19:00`, with or without an offset, or a day.
    start: String,
    /// Likewise; left out: an hour, or a day. A day is the one after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    /// For people, Markdown.
    #[serde(default)]
    text: String,
    #[serde(default)]
    place: String,
    /// Where it is; left out: nowhere in the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    /// `RRULE:…`, `RDATE:…`, `EXDATE:…`
    #[serde(default)]
    recurrence: Vec<String>,
    /// `audience`, `chat`, `hidden`, `color`, `image`… (E-32)
    #[serde(default)]
    options: BTreeMap<String, String>,
}

impl Draft {
    /// Reads and checks one; `zone` is for times that say none.
    pub(super) fn parse(body: &[u8], zone: Tz) -> Result<Self, BadDraft> {
        let draft: Self = serde_json::from_slice(body).map_err(|_| BadDraft::NoJson)?;
        draft.check(zone)?;
        Ok(draft)
    }

    fn check(&self, zone: Tz) -> Result<(), BadDraft> {
        let title = self.title.trim();
        if title.is_empty() || title.len() > limits::MAX_TITLE_BYTES {
            return Err(BadDraft::Title);
        }
        // With its options it must still fit.
        if self.text.len() > limits::MAX_TEXT_BYTES / 2 {
            return Err(BadDraft::Text);
        }
        if !split(&self.text).1.is_empty() || split(&self.text).0 != self.text.trim_end() {
            return Err(BadDraft::Dashes);
        }
        if self.place.len() > limits::MAX_TITLE_BYTES {
            return Err(BadDraft::Place);
        }
        let fits = |room: &String| (1..=MAX_NAME_BYTES).contains(&room.len()) && !room.chars().any(char::is_control);
        if !self.room.as_ref().is_none_or(fits) {
            return Err(BadDraft::Room);
        }
        self.check_times(zone)?;
        self.check_options()?;
        let series = self.series("draft", 0, zone).ok_or(BadDraft::Time)?;
        if self.recurrence.is_empty() || series.repeats.is_some() { Ok(()) } else { Err(BadDraft::Recurrence) }
    }

    fn check_times(&self, zone: Tz) -> Result<(), BadDraft> {
        let start = Moment::parse(&self.start, zone).ok_or(BadDraft::Time)?;
        let Some(end) = &self.end else { return Ok(()) };
        let end = Moment::parse(end, zone).ok_or(BadDraft::Time)?;
        if matches!(start, Moment::Day(_)) != matches!(end, Moment::Day(_)) {
            return Err(BadDraft::Time);
        }
        if end.instant(zone) < start.instant(zone) { Err(BadDraft::Backwards) } else { Ok(()) }
    }

    fn check_options(&self) -> Result<(), BadDraft> {
        let mut taken = Options::default();
        self.options.iter().for_each(|(key, value)| taken.push(key, value));
        if taken.get("access").is_some_and(|word| super::stage::access_named(word).is_none()) {
            return Err(BadDraft::Access);
        }
        // What is not kept as it was written is refused, not changed.
        let kept = taken.iter().eq(self.options.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let no_room = !self.options.keys().any(|key| key.eq_ignore_ascii_case("id"));
        let bytes: usize = self.options.iter().map(|(key, value)| key.len() + value.len() + 4).sum();
        let fits = bytes <= limits::MAX_TEXT_BYTES / 4;
        if kept && no_room && fits { Ok(()) } else { Err(BadDraft::Option) }
    }

    /// As what it is shown; `changed` in Unix milliseconds. `None` for what no [`Draft::parse`] let through.
    pub(super) fn series(&self, id: &str, changed: i64, zone: Tz) -> Option<Series> {
        let page = json!({ "timeZone": zone.name(), "items": [self.as_google(id, changed, zone)?] });
        let page = parse_page(page.to_string().as_bytes(), zone).ok()?;
        page.series.into_iter().next()
    }

    fn as_google(&self, id: &str, changed: i64, zone: Tz) -> Option<Value> {
        let mut options = Options::default();
        self.room.iter().for_each(|room| options.push("id", room));
        self.options.iter().for_each(|(key, value)| options.push(key, value));
        let moment = |text: &str| match Moment::parse(text, zone)? {
            Moment::Day(day) => Some(json!({ "date": day.to_string() })),
            Moment::Instant(at) => {
                let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
                Some(json!({ "dateTime": at, "timeZone": zone.name() }))
            }
        };
        let end = match &self.end {
            Some(end) => moment(end)?,
            None => Value::Null,
        };
        let text = join(self.text.trim_end(), &options);
        Some(json!({
            "id": id,
            "summary": self.title.trim(),
            "description": text.replace('&', "&amp;").replace('<', "&lt;"),
            "location": self.place,
            "start": moment(&self.start)?,
            "end": end,
            "recurrence": self.recurrence,
            "updated": wire::calendar::DateTime::from_timestamp_millis(changed)?.to_rfc3339(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(body: Value) -> Result<Draft, BadDraft> {
        Draft::parse(body.to_string().as_bytes(), Tz::Europe__Tallinn)
    }

    #[test]
    fn e_32_an_operators_event_means_what_anybodys_means() {
        // E-32
        let draft = draft(json!({
            "title": " Wolves & <b>friends</b> ", "start": "2026-11-20T19:00", "end": "2026-11-20T21:00",
            "text": "Two acts.\n\n1 < 2 & 3", "room": "residence",
            "options": { "color": "#ff0000", "hidden": "no", "tickets": "at the door" },
        }))
        .unwrap();
        let event = draft.series("ev_1", 1_000, Tz::Europe__Tallinn).unwrap().event;
        assert_eq!(event.details.title, "Wolves & <b>friends</b>");
        assert_eq!(event.details.text, "Two acts.\n\n1 < 2 & 3");
        assert_eq!(event.details.options.room(), Some("residence"));
        assert_eq!(event.details.options.color(), Some("#ff0000"));
        assert_eq!(event.details.options.unknown().collect::<Vec<_>>(), [("tickets", "at the door")]);
        assert_eq!(event.span.start(Tz::UTC).to_rfc3339(), "2026-11-20T17:00:00+00:00");
    }

    #[test]
    fn e_32_each_fault_of_an_event_is_named() {
        // E-32
        let with = |key: &str, value: Value| {
            let mut body = json!({ "title": "a", "start": "2026-11-20T19:00", "end": "2026-11-20T20:00" });
            body[key] = value;
            draft(body).map(|_| ())
        };
        assert_eq!(with("text", json!("fine")), Ok(()));
        assert_eq!(with("titel", json!("a")), Err(BadDraft::NoJson));
        assert_eq!(with("title", json!("  ")), Err(BadDraft::Title));
        assert_eq!(with("start", json!("tonight")), Err(BadDraft::Time));
        assert_eq!(with("end", json!("2026-11-21")), Err(BadDraft::Time));
        assert_eq!(with("end", json!("2026-11-20T18:59")), Err(BadDraft::Backwards));
        assert_eq!(with("start", json!("9999-11-20T19:00")), Err(BadDraft::Backwards));
        assert_eq!(with("room", json!("")), Err(BadDraft::Room));
        assert_eq!(with("text", json!("x".repeat(40_000))), Err(BadDraft::Text));
        assert_eq!(with("text", json!("a\n---\nid: other")), Err(BadDraft::Dashes));
        assert_eq!(with("options", json!({ "a b": "c" })), Err(BadDraft::Option));
        assert_eq!(with("options", json!({ "access": "friends" })), Err(BadDraft::Access));
        assert_eq!(with("options", json!({ "access": "token" })), Ok(()));
        assert_eq!(with("options", json!({ "id": "c" })), Err(BadDraft::Option));
        assert_eq!(with("options", json!({ "color": "red\nhidden: yes" })), Err(BadDraft::Option));
        assert_eq!(with("recurrence", json!(["RRULE:FREQ=SECONDLY"])), Err(BadDraft::Recurrence));
        assert_eq!(with("recurrence", json!(["RRULE:FREQ=WEEKLY;COUNT=3"])), Ok(()));
    }
}
