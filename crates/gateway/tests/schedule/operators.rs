//! What operators write.

use crate::harness::{Server, in_hours, store, tallinn};
use serde_json::{Value, json};

const EVENTS: &str = "/api/schedule/events";

fn show(title: &str, from: i64, to: i64) -> Value {
    json!({ "title": title, "start": in_hours(from), "end": in_hours(to) })
}

#[tokio::test]
async fn e_31_now_and_coming_come_first_and_the_past_is_below_and_hidden_events_are_left_out() {
    // E-31
    let server = Server::start(tallinn(), &store()).await;
    let mut hidden = show("secret", 1, 2);
    hidden["options"] = json!({ "hidden": "yes" });
    let events = [
        show("long ago", -50, -49),
        show("tomorrow", 24, 25),
        show("now", -1, 1),
        hidden,
        show("yesterday", -24, -23),
        show("soon", 2, 3),
    ];
    for event in &events {
        assert_eq!(server.operator("POST", EVENTS, event).await.status, 201);
    }
    assert_eq!(server.titles().await, ["now", "soon", "tomorrow", "yesterday", "long ago"]);
    let shown = server.get("/api/schedule").await.json();
    let statuses: Vec<_> = shown["events"].as_array().unwrap().iter().map(|event| &event["status"]).collect();
    assert_eq!(statuses, ["now", "soon", "future", "past", "past"]);
    assert_eq!(shown["timeZone"], "Europe/Tallinn");
    let ics = server.get("/schedule.ics").await;
    assert!(ics.header("content-type").is_some_and(|kind| kind.starts_with("text/calendar")), "{ics:?}");
    assert!(ics.body.contains("SUMMARY:tomorrow") && !ics.body.contains("secret"), "{ics:?}");
}

#[tokio::test]
async fn e_32_an_event_is_written_changed_deleted_and_outlives_the_server() {
    // E-32
    let store = store();
    let server = Server::start(tallinn(), &store).await;
    let mut event = show("Wolves", 1, 2);
    event["room"] = json!("residence");
    event["options"] = json!({ "chat": "off", "tickets": "at the door" });
    let made = server.operator("POST", EVENTS, &event).await.json();
    let path = format!("{EVENTS}/{}", made["id"].as_str().unwrap());
    let shown = server.get("/api/schedule").await.json()["events"][0].clone();
    assert_eq!(
        (&shown["room"], &shown["chat"], &shown["audience"]),
        (&json!("residence"), &json!(false), &json!(true))
    );
    assert_eq!(shown["options"], json!({ "tickets": "at the door" }));
    event["title"] = json!("Wolves, again");
    assert_eq!(server.operator("PUT", &path, &event).await.status, 200);
    assert_eq!(server.titles().await, ["Wolves, again"]);
    let second = Server::start(tallinn(), &store).await;
    assert_eq!(second.titles().await, ["Wolves, again"]);
    assert_eq!(second.operator("GET", &path, &Value::Null).await.json()["options"]["tickets"], "at the door");
    assert_eq!(second.operator("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(second.titles().await, [""; 0]);
    for verb in ["GET", "PUT", "DELETE"] {
        assert_eq!(second.operator(verb, &path, &event).await.status, 404, "{verb}");
    }
    assert_eq!(second.operator("GET", EVENTS, &Value::Null).await.json(), json!({ "events": [] }));
}

#[tokio::test]
async fn e_32_a_weekly_event_comes_every_week() {
    // E-32
    let server = Server::start(tallinn(), &store()).await;
    let mut event = show("class", 1, 2);
    event["recurrence"] = json!(["RRULE:FREQ=WEEKLY;COUNT=3"]);
    assert_eq!(server.operator("POST", EVENTS, &event).await.status, 201);
    assert_eq!(server.titles().await, ["class"; 3]);
}

#[tokio::test]
async fn only_operators_write_and_what_is_wrong_is_named() {
    let server = Server::start(tallinn(), &store()).await;
    let event = show("a", 1, 2).to_string();
    for (verb, path) in
        [("GET", EVENTS), ("POST", EVENTS), ("PUT", "/api/schedule/events/x"), ("DELETE", "/api/schedule/events/x")]
    {
        assert_eq!(server.request(verb, path, &[], &event).await.status, 401, "{verb} {path}");
    }
    let refused = server.operator("POST", EVENTS, &json!({ "title": "a", "start": "tonight" })).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"].as_str().unwrap().starts_with("start and end must be like"), "{refused:?}");
    let long = server.operator("POST", EVENTS, &json!({ "title": "a", "text": "x".repeat(200_000) })).await;
    assert_eq!(long.status, 413);
    assert_eq!(server.titles().await, [""; 0]);
}

#[tokio::test]
async fn e_32_a_reader_of_google_calendar_reads_it() {
    // E-32: the questions that elektron's pages ask
    let server = Server::start(tallinn(), &store()).await;
    for event in [show("past", -5, -4), show("later", 5, 6), show("sooner", 1, 2)] {
        assert_eq!(server.operator("POST", EVENTS, &event).await.status, 201);
    }
    let path = "/calendar/v3/calendars/some%40group.calendar.google.com/events";
    let query = format!("?key=x&timeMin={}&orderBy=startTime&singleEvents=true&maxResults=1", in_hours(-1));
    let answer = server.get(&format!("{path}{query}")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
    let page = answer.json();
    assert_eq!((&page["kind"], &page["items"][0]["summary"]), (&json!("calendar#events"), &json!("sooner")));
    let token = page["nextPageToken"].as_str().unwrap();
    let next = server.get(&format!("{path}{query}&pageToken={token}")).await.json();
    assert_eq!(next["items"][0]["summary"], "later");
    assert_eq!(next["nextPageToken"], Value::Null);
    let bad = server.get(&format!("{path}?orderBy=colour")).await;
    assert_eq!((bad.status, &bad.json()["error"]["message"]), (400, &json!("Invalid value for orderBy")));
}
