//! iCalendar in and out (E-32): what Google, Outlook and Apple write is the programme that people see.

use wire::calendar::{DateTime, Event, Moment, Span, Tz, Utc, Window};
use wire::ics;

const ZONE: Tz = Tz::Europe__Tallinn;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// All of 2026 and what borders on it.
fn year() -> Window {
    Window { from: at("2026-01-01T00:00:00Z"), to: at("2027-01-01T00:00:00Z") }
}

fn calendar(events: &str) -> String {
    let head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\n";
    format!("{head}{events}END:VCALENDAR\r\n").replace("\r\n", "\n").replace('\n', "\r\n")
}

fn read(text: &str) -> Vec<Event> {
    let series = ics::parse(text.as_bytes(), ZONE).unwrap().series;
    let mut events: Vec<_> = series.iter().flat_map(|series| series.occurrences(&year(), ZONE)).collect();
    events.sort_by_key(|event| (event.span.start(ZONE), event.id.clone()));
    events
}

fn starts(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.span.start(ZONE).with_timezone(&ZONE).format("%m-%d %H:%M").to_string()).collect()
}

fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT\nUID:a\n{lines}\nEND:VEVENT\n"))
}

#[test]
fn e_32_one_event_with_its_texts_and_options() {
    // E-32: as Google writes it: folded, escaped, HTML in the description
    let text = event(
        "DTSTART:20261120T170000Z\nDTEND:20261120T190000Z\nSUMMARY:Wolves\\, live\nLOCATION:Tallinn\n\
         DESCRIPTION:Two acts.<br>One break\\; a bar.<br>---<br>id: resi\n dence<br>color: #f00\nSTATUS:CONFIRMED",
    );
    let [event] = &read(&text)[..] else { panic!("one event") };
    assert_eq!(event.details.title, "Wolves, live");
    assert_eq!(event.details.place, "Tallinn");
    assert_eq!(event.details.text, "Two acts.\nOne break; a bar.");
    assert_eq!(event.details.options.room(), Some("residence"));
    assert_eq!(event.details.options.color(), Some("#f00"));
    let span = Span::times(at("2026-11-20T17:00:00Z"), at("2026-11-20T19:00:00Z"));
    assert_eq!(Some(event.span), span);
}

#[test]
fn e_32_plain_text_that_looks_like_a_tag_stays_text() {
    // E-32, Q-23
    let text =
        event("DTSTART:20261120T170000Z\nSUMMARY:<script>alert(1)</script>\nDESCRIPTION:a <img src=x onerror=y> b");
    let [event] = &read(&text)[..] else { panic!("one event") };
    assert_eq!(event.details.title, "<script>alert(1)</script>");
    assert_eq!(event.details.text, "a <img src=x onerror=y> b");
}

#[test]
fn e_32_seven_o_clock_stays_seven_o_clock_when_clocks_change() {
    // E-32: weekly across the night of 29 March
    let text = event(
        "DTSTART;TZID=Europe/Tallinn:20260320T190000\nDTEND;TZID=Europe/Tallinn:20260320T210000\n\
         RRULE:FREQ=WEEKLY;COUNT=3",
    );
    let events = read(&text);
    assert_eq!(starts(&events), ["03-20 19:00", "03-27 19:00", "04-03 19:00"]);
    let instants: Vec<_> = events.iter().map(|event| event.span.start(ZONE)).collect();
    assert_eq!(instants[1..], [at("2026-03-27T17:00:00Z"), at("2026-04-03T16:00:00Z")]);
    assert!(events.iter().all(|event| (event.span.end(ZONE) - event.span.start(ZONE)).num_hours() == 2));
    assert_eq!(events[0].id, "a_20260320T170000Z");
    assert_eq!(events[0].series.as_deref(), Some("a"));
}

#[test]
fn e_32_a_time_that_the_clock_skips_is_no_reason_to_leave_an_event_out() {
    // E-32: 03:30 does not exist on 29 March
    let text = event("DTSTART;TZID=Europe/Tallinn:20260328T033000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=3");
    assert_eq!(starts(&read(&text)), ["03-28 03:30", "03-29 04:30", "03-30 03:30"]);
}

#[test]
fn e_32_until_is_an_instant_also_for_who_lives_elsewhere() {
    // E-32: the last one begins at 23:00 in Tallinn, which is 21:00 in UTC
    let rule = |until: &str| {
        event(&format!("DTSTART;TZID=Europe/Tallinn:20261106T230000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL={until}"))
    };
    let three = ["11-06 23:00", "11-13 23:00", "11-20 23:00"];
    assert_eq!(starts(&read(&rule("20261120T210000Z"))), three);
    assert_eq!(starts(&read(&rule("20261120T205959Z"))), three[..2]);
    assert_eq!(starts(&read(&rule("20261120T230000"))), three, "a local time, which RFC 5545 does not want");
    assert_eq!(starts(&read(&rule("20261120"))), three, "a day counts whole");
}

#[test]
fn e_32_occurrences_are_moved_called_off_left_out_and_added() {
    // E-32
    let series = "BEGIN:VEVENT\nUID:a\nSEQUENCE:0\nDTSTART;TZID=Europe/Tallinn:20261102T190000\nDURATION:PT2H\n\
        SUMMARY:Rehearsal\nRRULE:FREQ=DAILY;COUNT=5\nEXDATE;TZID=Europe/Tallinn:20261103T190000\n\
        RDATE;TZID=Europe/Tallinn:20261201T120000\nEND:VEVENT\n";
    let moved = "BEGIN:VEVENT\nUID:a\nSEQUENCE:3\nRECURRENCE-ID;TZID=Europe/Tallinn:20261104T190000\n\
        DTSTART;TZID=Europe/Tallinn:20261104T210000\nDURATION:PT1H\nSUMMARY:Late rehearsal\nEND:VEVENT\n";
    let called_off = "BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261105T170000Z\nDTSTART:20261105T170000Z\n\
        STATUS:CANCELLED\nEND:VEVENT\n";
    let events = read(&calendar(&format!("{series}{moved}{called_off}")));
    assert_eq!(starts(&events), ["11-02 19:00", "11-04 21:00", "11-06 19:00", "12-01 12:00"]);
    assert_eq!(events[1].details.title, "Late rehearsal");
    assert_eq!(events[1].id, "a_20261104T170000Z", "named by when it would have been");
}

#[test]
fn e_32_whole_days_are_days_wherever_one_is() {
    // E-32
    let text = event("DTSTART;VALUE=DATE:20261120\nDTEND;VALUE=DATE:20261123\nRRULE:FREQ=YEARLY;COUNT=2");
    let [event] = &read(&text)[..] else { panic!("one in the year") };
    let Moment::Day(first) = Moment::parse("2026-11-20", ZONE).unwrap() else { panic!("a day") };
    let Moment::Day(after) = Moment::parse("2026-11-23", ZONE).unwrap() else { panic!("a day") };
    assert_eq!(event.span, Span::Days { first, after });
    assert_eq!(event.span.start(ZONE), at("2026-11-19T22:00:00Z"));
    assert_eq!(event.id, "a_20261120");
    let one = self::event("DTSTART;VALUE=DATE:20261120");
    assert_eq!(read(&one)[0].span, Span::Days { first, after: first.succ_opt().unwrap() });
}

#[test]
fn e_32_zones_by_outlooks_names_by_the_calendars_own_and_by_none() {
    // E-32
    let seven = |lines: &str| starts(&read(&event(lines)));
    assert_eq!(seven("DTSTART;TZID=W. Europe Standard Time:20261120T190000"), ["11-20 20:00"]);
    assert_eq!(seven("DTSTART;TZID=\"FLE Standard Time\":20261120T190000"), ["11-20 19:00"]);
    assert_eq!(seven("DTSTART:20261120T190000"), ["11-20 19:00"], "floating: the venue's");
    let berlin = "X-WR-TIMEZONE:Europe/Berlin\nBEGIN:VEVENT\nUID:a\nDTSTART:20261120T190000\nEND:VEVENT\n";
    assert_eq!(starts(&read(&calendar(berlin))), ["11-20 20:00"], "floating: the calendar's");
    let own = "BEGIN:VTIMEZONE\nTZID:Stage\nX-LIC-LOCATION:Europe/London\nBEGIN:STANDARD\nDTSTART:19961027T020000\n\
        TZOFFSETFROM:+0100\nTZOFFSETTO:+0000\nEND:STANDARD\nEND:VTIMEZONE\n\
        BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Stage:20261120T190000\nEND:VEVENT\n";
    assert_eq!(starts(&read(&calendar(own))), ["11-20 21:00"]);
}

#[test]
fn e_32_rules_of_every_kind() {
    // E-32
    let rule =
        |rule: &str| starts(&read(&event(&format!("DTSTART;TZID=Europe/Tallinn:20260105T190000\nRRULE:{rule}"))));
    assert_eq!(rule("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3"), ["01-05 19:00", "01-07 19:00", "01-12 19:00"]);
    assert_eq!(rule("FREQ=MONTHLY;BYDAY=1MO;COUNT=2"), ["01-05 19:00", "02-02 19:00"]);
    assert_eq!(rule("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1;COUNT=2"), ["01-05 19:00", "02-02 19:00"]);
    assert_eq!(rule("FREQ=YEARLY;BYMONTH=1,3;BYMONTHDAY=5;COUNT=2"), ["01-05 19:00", "03-05 19:00"]);
    assert_eq!(rule("FREQ=DAILY;INTERVAL=10;UNTIL=20260126T000000Z").len(), 3);
    assert_eq!(rule("FREQ=DAILY").len(), 361, "to the end of the window");
}

#[test]
fn rules_that_would_cost_too_much_leave_the_first_occurrence() {
    let first = ["01-05 19:00"];
    let costly = [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;BYHOUR=19",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,10,20,30,40,50",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;COUNT=0",
        "FREQ=NEVER",
    ];
    for rule in costly {
        let text = event(&format!("DTSTART;TZID=Europe/Tallinn:20260105T190000\nRRULE:{rule}"));
        assert_eq!(starts(&read(&text))[..1], first, "{rule}");
        assert!(read(&text).len() <= 400, "{rule}");
    }
}

#[test]
fn a_series_that_began_long_ago_is_found_without_counting_for_ever() {
    let daily = |year: u32| event(&format!("DTSTART:{year}0101T120000Z\nRRULE:FREQ=DAILY"));
    assert_eq!(read(&daily(1990)).len(), 365);
    assert_eq!(read(&daily(1901)).len(), 0, "over the limit of steps");
}

#[test]
fn calendars_beyond_their_limits_are_refused_before_they_are_read() {
    let error = |text: &str| ics::parse(text.as_bytes(), ZONE).unwrap_err();
    assert_eq!(error(&" ".repeat(wire::calendar::limits::MAX_CALENDAR_BYTES + 1)), ics::IcsError::TooLong);
    assert_eq!(error(&";".repeat(ics::MAX_SEPARATORS + 1)), ics::IcsError::TooMany);
    assert_eq!(error("<html>not found</html>"), ics::IcsError::NotCalendar);
    assert_eq!(error(""), ics::IcsError::NotCalendar);
    assert_eq!(error("BEGIN:VCARD\r\nEND:VCARD\r\n"), ics::IcsError::NotCalendar);
}

#[test]
fn one_broken_event_costs_no_other() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:a\nDTSTART:soon\nEND:VEVENT\nBEGIN:VEVENT\nUID:b\nDTSTART:20261120T170000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nSUMMARY:no uid\nDTSTART:20261121T170000Z\nEND:VEVENT\nBEGIN:VTODO\nUID:c\nEND:VTODO\n",
    );
    let calendar = ics::parse(text.as_bytes(), ZONE).unwrap();
    let ids: Vec<_> = calendar.series.iter().map(|series| series.event.id.as_str()).collect();
    assert_eq!((ids, calendar.left_out), (vec!["b", "1795280400-no uid"], 1));
}

#[test]
fn e_32_what_is_written_is_read_as_the_same() {
    // E-32
    let text = calendar(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20261120T170000Z\nDTEND:20261120T190000Z\nSUMMARY:Wolves\\, live\\; õ\n\
         DESCRIPTION:one\\ntwo\\n---\\nid: residence\\nticket: x\\,y\nLOCATION:Tallinn\nDTSTAMP:20260101T000000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART;VALUE=DATE:20261121\nDTSTAMP:20260101T000000Z\nEND:VEVENT\n",
    );
    let events = read(&text);
    let written = ics::write("Odeon", events.iter(), at("2026-11-20T00:00:00Z"), ZONE);
    assert_eq!(read(&written), events);
    assert!(written.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{written}");
    assert!(written.contains("X-WR-TIMEZONE:Europe/Tallinn\r\n"), "{written}");
    assert!(written.contains("DTSTART:20261120T170000Z\r\n") && written.contains("DTSTART;VALUE=DATE:20261121\r\n"));
    assert!(written.lines().all(|line| line.len() <= 75), "{written}");
}
