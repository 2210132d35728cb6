//! The schedule of the whole program: its settings, somebody's calendar on loopback, and who reads it (E-32, Q-22).

mod common;

use common::{PATIENCE, Scratch, Server};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The calendar, with one whole day that is far enough away for any test.
const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:w\r\nRRULE:FREQ=DAILY\r\n\
    DTSTART;VALUE=DATE:20260101\r\nSUMMARY:Wolves\r\nDESCRIPTION:Live.\\n---\\nid: residence\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// Serves the calendar to whoever connects, until the test ends; says where.
fn calendar() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{CALENDAR}", CALENDAR.len());
        }
    });
    address
}

#[test]
fn e_32_a_calendar_that_the_settings_name_is_served_as_google_calendar_does() {
    // E-32
    let (scratch, house) = (Scratch::new("schedule"), calendar());
    let line = format!(
        "--schedule.sources=http://{house}/a.ics --schedule.allow_private={house} --schedule.time_zone=Europe/Tallinn"
    );
    let server = Server::start(&scratch, &line);
    let path = "/calendar/v3/calendars/a@b/events?singleEvents=true&orderBy=startTime&maxResults=3&timeMin=2026-01-01T00:00:00Z";
    let body = eventually(|| Some(server.get(path, "").1).filter(|body| body.contains("Wolves")));
    assert!(body.contains("id: residence") && body.contains("Europe/Tallinn"), "{body}");
    assert!(server.get("/schedule.ics", "").1.contains("SUMMARY:Wolves"));
    assert!(server.get("/api/schedule", "").1.contains(r#""room":"residence""#));
}

#[test]
fn q_22_a_calendar_inside_is_not_asked_for_unless_the_settings_allow_it() {
    // Q-22: webhooks' peers are not the schedule's
    let (scratch, house) = (Scratch::new("schedule-inside"), calendar());
    let server =
        Server::start(&scratch, &format!("--schedule.sources=http://{house}/a.ics --webhook.allow_private={house}"));
    let line = server.log_line("schedule.sources");
    assert!(line.contains("not on the open internet"), "{line}");
    assert!(!server.get("/schedule.ics", "").1.contains("Wolves"));
}

#[allow(clippy::disallowed_methods, reason = "a test that waits for a server serves nobody else")]
fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not in time");
        std::thread::sleep(Duration::from_millis(500)); // within the budget of one address
    }
}
