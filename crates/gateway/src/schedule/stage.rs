//! What events want of their rooms (E-32): who gets in, that the room stays, that it has no chat. Told to the rooms when an
//! event begins to count, changes, or is over.

use super::limits::MAX_SLEEP;
use super::{Schedule, now};
use crate::rooms::{Access, Declarations};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use wire::calendar::{DateTime, Event, SOON, Status, Tz, Utc};

/// `access: open` and `access: token`.
pub(super) fn access_named(word: &str) -> Option<Access> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("open") { Some(Access::Open) } else { is("token").then_some(Access::Token) }
}

/// What is declared now. Of several events in one room each counts: with one that wants tokens, tokens are wanted, and with
/// one that has no chat there is none.
fn declarations(events: &[Event], now: DateTime<Utc>, zone: Tz) -> Declarations {
    let mut declared: Declarations = HashMap::new();
    for event in events {
        let status = Status::of(event, now, zone);
        let options = &event.details.options;
        let Some(room) = options.room().filter(|_| matches!(status, Status::Now | Status::Soon)) else { continue };
        let of_room = declared.entry(room.into()).or_default();
        match options.get("access").and_then(access_named) {
            Some(Access::Token) => of_room.access = Some(Access::Token),
            Some(Access::Open) => of_room.access = of_room.access.or(Some(Access::Open)),
            None => {}
        }
        of_room.chat_closed |= status == Status::Now && !options.flag("chat", true);
    }
    declared
}

/// Until something else is declared.
fn next_change(events: &[Event], now: DateTime<Utc>, zone: Tz) -> Duration {
    let moments = events.iter().filter(|event| event.details.options.room().is_some()).flat_map(|event| {
        let (start, end) = (event.span.start(zone), event.span.end(zone));
        [start - SOON, start, end]
    });
    let waits = moments.filter_map(|at| (at - now).to_std().ok()).filter(|wait| !wait.is_zero());
    // A moment is over at its end: a millisecond later it surely is.
    waits.min().map_or(MAX_SLEEP, |wait| (wait + Duration::from_millis(1)).min(MAX_SLEEP))
}

impl Schedule {
    /// Tells the rooms; they have heard when this returns.
    pub(super) async fn declare(&self) {
        let _turn = self.declaring.lock().await;
        self.registry.schedule(declarations(&self.programme.events(), now(), self.zone)).await;
        self.declared.notify_one();
    }
}

/// Tells the rooms when time brings something. What `declared` tells may have brought the next moment nearer.
pub(super) async fn keep_time(schedule: Weak<Schedule>, declared: Arc<Notify>) {
    loop {
        let Some(alive) = schedule.upgrade() else { return };
        let wait = next_change(&alive.programme.events(), now(), alive.zone);
        drop(alive);
        tokio::select! {
            () = declared.notified() => {}
            () = sleep(wait) => {
                let Some(alive) = schedule.upgrade() else { return };
                alive.declare().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::Declaration;
    use wire::calendar::parse_page;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Two hours from 19:00 in UTC, each with these options.
    fn events(options: &[&str]) -> Vec<Event> {
        let one = |(number, options): (usize, &&str)| {
            serde_json::json!({
                "id": number.to_string(), "summary": "show", "description": format!("---\n{options}"),
                "start": { "dateTime": "2026-11-20T19:00:00Z" }, "end": { "dateTime": "2026-11-20T21:00:00Z" },
            })
        };
        let items: Vec<_> = options.iter().enumerate().map(one).collect();
        let page = parse_page(serde_json::json!({ "items": items }).to_string().as_bytes(), Tz::UTC).unwrap();
        page.series.into_iter().map(|series| series.event).collect()
    }

    fn of_stage(options: &[&str], time: &str) -> Option<Declaration> {
        declarations(&events(options), at(time), Tz::UTC).get("stage").copied()
    }

    #[test]
    fn e_32_a_room_is_declared_from_three_hours_before_to_the_end_and_its_chat_is_closed_while_the_event_is_on() {
        // E-32
        let shows = ["id: stage\naccess: token\nchat: no"];
        let before = Declaration { access: Some(Access::Token), chat_closed: false };
        assert_eq!(of_stage(&shows, "2026-11-20T15:59:00Z"), None);
        assert_eq!(of_stage(&shows, "2026-11-20T16:01:00Z"), Some(before));
        assert_eq!(of_stage(&shows, "2026-11-20T20:00:00Z"), Some(Declaration { chat_closed: true, ..before }));
        assert_eq!(of_stage(&shows, "2026-11-20T21:00:01Z"), None);
    }

    #[test]
    fn e_32_of_two_events_in_one_room_the_stricter_one_counts() {
        // E-32
        let now = "2026-11-20T20:00:00Z";
        let open = of_stage(&["id: stage\naccess: Open", "id: stage"], now).unwrap();
        assert_eq!(open, Declaration { access: Some(Access::Open), chat_closed: false });
        for order in [["access: open", "access: token\nchat: off"], ["access: token\nchat: off", "access: open"]] {
            let options = order.map(|line| format!("id: stage\n{line}"));
            let both = of_stage(&[&options[0], &options[1]], now).unwrap();
            assert_eq!(both, Declaration { access: Some(Access::Token), chat_closed: true });
        }
        assert_eq!(of_stage(&["id: stage\naccess: friends"], now), Some(Declaration::default()));
    }

    #[test]
    fn e_32_the_next_look_is_when_something_changes() {
        // E-32
        let shows = events(&["id: stage"]);
        let wait = |time: &str| next_change(&shows, at(time), Tz::UTC);
        assert_eq!(wait("2026-11-20T18:59:50Z"), Duration::from_millis(10_001));
        assert_eq!(wait("2026-11-20T20:59:59Z"), Duration::from_millis(1_001));
        assert_eq!(wait("2026-11-20T22:00:00Z"), MAX_SLEEP);
    }
}
