//! What other people's calendars say, and what becomes of it when they say nothing.

use crate::harness::{Elsewhere, PATIENCE, Server, ics_in_hours, in_hours, store};
use gateway::outbound::Policy;
use serde_json::json;

fn ics(title: &str, from: i64) -> String {
    let (start, end) = (ics_in_hours(from), ics_in_hours(from + 1));
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{title}\r\nDTSTART:{start}\r\nDTEND:{end}\r\n\
         SUMMARY:{title}\r\nDESCRIPTION:Live.\\n---\\nid: residence\\ncolor: #ff0000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn google(title: &str, from: i64, next: Option<&str>) -> String {
    let item = json!({
        "id": title, "summary": title, "description": "Live.<br>---<br>id: stage",
        "start": { "dateTime": in_hours(from) }, "end": { "dateTime": in_hours(from + 1) },
    });
    json!({ "kind": "calendar#events", "items": [item], "nextPageToken": next }).to_string()
}

#[tokio::test]
async fn e_32_other_calendars_are_in_the_schedule_as_ics_and_as_googles_json_with_all_pages() {
    // E-32
    let house = Elsewhere::start().await;
    house.has("/a.ics", 200, ics("Wolves", 1));
    house.has("/events?key=k", 200, google("Bears", 2, Some("p=2")));
    house.has("/events?key=k&pageToken=p%3D2", 200, google("Foxes", 3, None));
    let config = house.followed(&["/a.ics", "/events?key=k"], house.allowed());
    let server = Server::start(config, &store()).await;
    server.shows(&["Wolves", "Bears", "Foxes"]).await;
    let shown = server.get("/api/schedule").await.json();
    assert_eq!((&shown["events"][0]["room"], &shown["events"][0]["color"]), (&json!("residence"), &json!("#ff0000")));
    assert_eq!((&shown["events"][1]["room"], &shown["events"][1]["text"]), (&json!("stage"), &json!("Live.")));
    house.has("/a.ics", 200, ics("Owls", 1));
    server.shows(&["Owls", "Bears", "Foxes"]).await;
}

#[tokio::test]
async fn e_32_the_last_good_copy_stays_whatever_a_source_says_and_over_a_restart() {
    // E-32
    let (house, store) = (Elsewhere::start().await, store());
    house.has("/a.ics", 200, ics("Wolves", 1));
    let follow = || house.followed(&["/a.ics"], house.allowed());
    let server = Server::start(follow(), &store).await;
    server.shows(&["Wolves"]).await;
    // An error, a page, a calendar that is too long: after each the source is asked once more.
    let too_long = format!("BEGIN:VCALENDAR\r\n{}", "X:y\r\n".repeat(1_000_000));
    for (status, body) in [(500, "down".to_owned()), (200, "<html>".to_owned()), (200, too_long)] {
        house.has("/a.ics", status, body);
        asked_again(&house, 2).await;
        assert_eq!(server.titles().await, ["Wolves"]);
    }
    let second = Server::start(follow(), &store).await;
    second.shows(&["Wolves"]).await;
}

/// Waits until it was asked so many times more.
async fn asked_again(house: &Elsewhere, times: usize) {
    let before = house.asked().len();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while house.asked().len() < before + times {
        assert!(tokio::time::Instant::now() < deadline, "not asked again in {PATIENCE:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn q_22_a_source_inside_is_not_asked_unless_it_is_allowed_and_no_redirect_is_followed() {
    //
    let (inside, outside) = (Elsewhere::start().await, Elsewhere::start().await);
    inside.has("/a.ics", 200, ics("Wolves", 1));
    outside.has("/a.ics", 302, inside.url("/a.ics"));
    let strict = Server::start(inside.followed(&["/a.ics"], Policy::default()), &store()).await;
    let redirected = Server::start(outside.followed(&["/a.ics"], outside.allowed()), &store()).await;
    asked_again(&outside, 3).await;
    assert_eq!(inside.asked(), [""; 0]);
    assert_eq!(strict.titles().await, [""; 0]);
    assert_eq!(redirected.titles().await, [""; 0]);
}
