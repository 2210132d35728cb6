//! Google Calendar v3's JSON, in and out (E-32), as elektron's pages fetch it.

use serde_json::{Value, json};
use wire::calendar::{DateTime, Event, PageError, Question, Tz, Utc, Window, parse_page};

const ZONE: Tz = Tz::Europe__Tallinn;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn page(items: Value) -> Vec<u8> {
    json!({ "kind": "calendar#events", "timeZone": "Europe/Tallinn", "items": items }).to_string().into_bytes()
}

fn read(items: Value) -> Vec<Event> {
    let window = Window { from: at("2026-01-01T00:00:00Z"), to: at("2027-01-01T00:00:00Z") };
    let series = parse_page(&page(items), Tz::UTC).unwrap().series;
    series.iter().flat_map(|series| series.occurrences(&window, ZONE)).collect()
}

/// As Google writes an event that was typed into its page.
fn wolves() -> Value {
    json!({
        "kind": "calendar#event", "etag": "\"3181159875584000\"", "id": "0b8g4b1l3m", "status": "confirmed",
        "htmlLink": "https://www.google.com/calendar/event?eid=x", "created": "2026-05-01T10:00:00.000Z",
        "updated": "2026-05-27T11:12:17.792Z", "summary": "Wolves &amp; sheep",
        "description": "Two acts.<br><br>---<br>id: residence<br>id2: stage2<br>hidden: no",
        "creator": { "email": "x@y.example" }, "start": { "dateTime": "2026-11-20T19:00:00+02:00" },
        "end": { "dateTime": "2026-11-20T21:00:00+02:00" }, "iCalUID": "0b8g4b1l3m@google.com", "sequence": 1
    })
}

#[test]
fn e_32_an_event_as_google_writes_it() {
    // E-32
    let [event] = &read(json!([wolves()]))[..] else { panic!("one event") };
    assert_eq!(event.id, "0b8g4b1l3m");
    assert_eq!(event.details.title, "Wolves &amp; sheep", "a title is no HTML");
    assert_eq!(event.details.text, "Two acts.");
    assert_eq!(event.details.options.cameras().collect::<Vec<_>>(), ["residence", "stage2"]);
    assert_eq!(event.span.start(ZONE), at("2026-11-20T17:00:00Z"));
    assert_eq!(event.details.changed, Some(at("2026-05-27T11:12:17.792Z")));
}

#[test]
fn e_32_series_their_exceptions_and_whole_days() {
    // E-32
    let events = read(json!([
        { "id": "r", "status": "confirmed", "summary": "Rehearsal",
          "start": { "dateTime": "2026-03-20T19:00:00+02:00", "timeZone": "Europe/Tallinn" },
          "end": { "dateTime": "2026-03-20T20:00:00+02:00", "timeZone": "Europe/Tallinn" },
          "recurrence": ["EXDATE;TZID=Europe/Tallinn:20260327T190000", "RRULE:FREQ=WEEKLY;COUNT=4"] },
        { "id": "r_x", "status": "cancelled", "recurringEventId": "r",
          "originalStartTime": { "dateTime": "2026-04-03T19:00:00+03:00" } },
        { "id": "d", "status": "confirmed", "start": { "date": "2026-06-01" }, "end": { "date": "2026-06-03" } },
    ]));
    let starts: Vec<_> = events.iter().map(|event| event.span.start(ZONE)).collect();
    let wanted = ["2026-03-20T17:00:00Z", "2026-04-10T16:00:00Z", "2026-05-31T21:00:00Z"].map(at);
    assert_eq!(starts, wanted);
    assert!(events[2].span.is_days());
}

#[test]
fn e_32_a_broken_item_costs_no_other_and_no_page_is_read_that_is_none() {
    // E-32
    let bytes = page(json!([wolves(), 5, { "id": "x" }, { "id": "y", "start": { "date": "soon" } }]));
    let read = parse_page(&bytes, ZONE).unwrap();
    assert_eq!((read.series.len(), read.left_out), (1, 3));
    for text in ["", "[]", "{\"error\":{\"code\":403}}", "<html>"] {
        assert_eq!(parse_page(text.as_bytes(), ZONE).unwrap_err(), PageError::NotEvents, "{text}");
    }
    let next = json!({ "items": [], "nextPageToken": "abc" }).to_string();
    assert_eq!(parse_page(next.as_bytes(), ZONE).unwrap().next.as_deref(), Some("abc"));
}

fn programme() -> Vec<Event> {
    let item = |id: &str, start: &str, title: &str| json!({ "id": id, "summary": title, "start": { "dateTime": start }, "end": { "dateTime": start } });
    read(json!([
        item("old", "2026-02-01T19:00:00Z", "Sheep"),
        item("late", "2026-11-22T19:00:00Z", "Wolves"),
        item("next", "2026-11-21T19:00:00Z", "Wolves and sheep"),
        item("older", "2026-01-02T19:00:00Z", "Nothing"),
    ]))
}

fn ask(query: &str) -> Vec<String> {
    let events = programme();
    let question = Question::parse(query, ZONE).unwrap();
    let answer = question.answer(events.iter(), at("2026-11-20T12:00:00Z"), ZONE);
    let json = answer.to_json("Odeon");
    json["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn e_32_a_question_as_elektrons_page_and_others_ask_it() {
    // E-32: the page sends its key and nothing else
    assert_eq!(ask("key=AIzaSyAkeDHwQgc22"), ["next", "late", "old", "older"]);
    assert_eq!(ask("singleEvents=true&orderBy=startTime"), ["older", "old", "next", "late"]);
    assert_eq!(ask("timeMin=2026-11-21T00%3A00%3A00%2B02:00&timeMax=2026-11-22T00:00:00Z"), ["next"]);
    assert_eq!(
        ask("timeMin=2026-11-21T00:00:00+02:00&orderBy=startTime"),
        ["next", "late"],
        "a plus that nobody encoded"
    );
    assert_eq!(ask("q=wolves+SHEEP"), ["next"]);
    assert_eq!(ask("maxResults=2"), ["next", "late"]);
    assert_eq!(ask("maxResults=2&pageToken=2"), ["old", "older"]);
    for (query, name) in [("timeMin=soon", "timeMin"), ("maxResults=many", "maxResults"), ("orderBy=mood", "orderBy")] {
        assert_eq!(Question::parse(query, ZONE).unwrap_err().0, name);
    }
}

#[test]
fn e_32_what_is_answered_is_what_google_would_answer() {
    // E-32
    let events =
        read(json!([wolves(), { "id": "d", "start": { "date": "2026-06-01" }, "end": { "date": "2026-06-03" } }]));
    let answer = Question::default().answer(events.iter(), at("2026-11-20T12:00:00Z"), ZONE).to_json("Odeon");
    assert_eq!((&answer["kind"], &answer["timeZone"]), (&json!("calendar#events"), &json!("Europe/Tallinn")));
    let item = &answer["items"][0];
    assert_eq!(item["start"], json!({ "dateTime": "2026-11-20T19:00:00+02:00", "timeZone": "Europe/Tallinn" }));
    assert_eq!(item["description"], "Two acts.\n---\nid: residence\nid2: stage2\nhidden: no");
    assert_eq!(answer["items"][1]["end"], json!({ "date": "2026-06-03" }));
    let again = parse_page(answer.to_string().as_bytes(), Tz::UTC).unwrap().series;
    let again: Vec<_> = again.into_iter().map(|series| series.event).collect();
    assert_eq!(again, events, "and read again it is the same");
}

#[test]
fn q_23_a_text_that_looks_like_a_tag_is_none_in_a_field_that_is_html() {
    // Q-23: elektron's page puts the description into its document
    let events = read(json!([{ "id": "x", "description": "&lt;script&gt;alert(1)&lt;/script&gt; & <i>so</i>",
        "start": { "date": "2026-06-01" }, "end": { "date": "2026-06-02" } }]));
    assert_eq!(events[0].details.text, "<script>alert(1)</script> & so");
    let answer = Question::default().answer(events.iter(), at("2026-11-20T12:00:00Z"), ZONE).to_json("Odeon");
    assert_eq!(answer["items"][0]["description"], "&lt;script>alert(1)&lt;/script> &amp; so");
}
