//! Q-6: truncations and bit flips of calendars, through the bodies of the fuzz targets.

mod sweep;

use sweep::sweep;
use wire::fuzz;

#[test]
fn q_6_icalendars() {
    // Q-6
    let seed = "BEGIN:VCALENDAR\r\nX-WR-TIMEZONE:Europe/Tallinn\r\nBEGIN:VTIMEZONE\r\nTZID:Stage\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Stage:20261102T190000\r\nDURATION:P1DT2H\r\nSUMMARY:a\\,b\r\n\
        DESCRIPTION:x<br>---<br>id: r\r\nRRULE:FREQ=WEEKLY;UNTIL=20261201T000000Z;BYDAY=1MO,WE;BYSETPOS=-1\r\n\
        EXDATE;TZID=Europe/Tallinn:20261103T190000,20261104T190000\r\nRDATE;VALUE=PERIOD:20261201T120000Z/PT1H\r\n\
        END:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID;VALUE=DATE:20261104\r\nDTSTART;VALUE=DATE:20261104\r\n\
        STATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    sweep(seed.as_bytes(), b"\0\n:;,=-09\\\"Z\xff", fuzz::ics_calendar);
}

#[test]
fn q_6_pages_of_google_calendar() {
    // Q-6
    let seed = r#"{"items":[{"id":"r","summary":"s","description":"<a href=\"https://x\">y</a><br>---<br>id: r",
        "start":{"dateTime":"2026-11-20T19:00:00+02:00","timeZone":"Europe/Tallinn"},"end":{"date":"2026-11-21"},
        "recurrence":["RRULE:FREQ=DAILY;COUNT=3","EXDATE:20261121T170000Z"],"updated":"2026-05-27T11:12:17.792Z"},
        {"id":"x","status":"cancelled","recurringEventId":"r","originalStartTime":{"date":"2026-11-22"}}],
        "timeZone":"UTC","nextPageToken":"t"}"#;
    sweep(seed.as_bytes(), b"\0\"\\{}[],:0-9TZ\xff", fuzz::calendar_page);
}

#[test]
fn q_6_questions_and_descriptions() {
    // Q-6
    let query =
        b"timeMin=2026-11-20T19:00:00%2B02:00&timeMax=2026-11-21&q=a+b&orderBy=startTime&maxResults=2&pageToken=3";
    sweep(query, b"\0%+&=-09\xff", fuzz::calendar_question);
    let description = "<p>a &amp; b</p><a href='http://x'>y</a><hr>id: r\nid2:\nk: //v\n---\nz: 1";
    sweep(description.as_bytes(), b"\0<>&;:-\n\r \xc3\xff", fuzz::calendar_description);
}
