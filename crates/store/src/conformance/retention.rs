//! What of a log is kept.

use super::{Opens, entry, log, records, say, values};
use crate::{Appended, Log, Retention, Store};

async fn keep(store: &dyn Store, log: &Log, value: &str, retention: Retention) -> Appended {
    store.append(log, entry("", value.to_owned()), retention).await.unwrap()
}

fn of_entries(entries: u64) -> Retention {
    Retention { entries, ..Retention::default() }
}

fn of_bytes(bytes: u64) -> Retention {
    Retention { bytes, ..Retention::default() }
}

fn of_family(family_bytes: u64) -> Retention {
    Retention { family_bytes, ..Retention::default() }
}

pub async fn the_oldest_go_when_there_are_too_many(open: Opens<'_>) {
    let store = open();
    for (value, trimmed) in [("1", 0), ("2", 0), ("3", 1), ("4", 1)] {
        assert_eq!(keep(&*store, &log("a"), value, of_entries(2)).await.trimmed, trimmed);
    }
    assert_eq!(values(&*store, &log("a")).await, ["3", "4"]);
}

pub async fn the_oldest_go_when_they_have_too_many_bytes(open: Opens<'_>) {
    let store = open();
    for value in ["1", "22", "333", "4444"] {
        keep(&*store, &log("a"), value, of_bytes(7)).await;
    }
    assert_eq!(values(&*store, &log("a")).await, ["333", "4444"]);
}

pub async fn the_new_entry_stays_however_large_it_is(open: Opens<'_>) {
    let store = open();
    let both = Retention { bytes: 2, family_bytes: 2, entries: 1 };
    for value in ["large", "larger", "largest"] {
        keep(&*store, &log("a"), value, both).await;
        assert_eq!(values(&*store, &log("a")).await, [value]);
    }
}

pub async fn the_oldest_of_the_family_go_first_whichever_log_they_are_in(open: Opens<'_>) {
    let store = open();
    for (name, value) in [("a", "11"), ("b", "22"), ("a", "33"), ("c", "44")] {
        keep(&*store, &log(name), value, of_family(8)).await;
    }
    assert_eq!(keep(&*store, &log("c"), "5555", of_family(8)).await.trimmed, 2);
    assert_eq!(values(&*store, &log("a")).await, ["33"]);
    assert!(values(&*store, &log("b")).await.is_empty());
    assert_eq!(values(&*store, &log("c")).await, ["44", "5555"]);
    let left = store.logs("messages", "", 10).await.unwrap();
    assert_eq!(left.iter().map(|size| (&*size.name, size.bytes)).collect::<Vec<_>>(), [("a", 2), ("c", 6)]);
}

pub async fn families_do_not_count_for_each_other(open: Opens<'_>) {
    let store = open();
    keep(&*store, &Log::new("chat", "a"), "chat", of_family(4)).await;
    assert_eq!(keep(&*store, &log("a"), "1234", of_family(4)).await.trimmed, 0);
    assert_eq!(values(&*store, &Log::new("chat", "a")).await, ["chat"]);
}

pub async fn removed_and_cleared_records_count_no_more(open: Opens<'_>) {
    let store = open();
    let first = keep(&*store, &log("a"), "1111", of_family(8)).await.sequence;
    keep(&*store, &log("b"), "2222", of_family(8)).await;
    store.remove(&log("a"), first).await.unwrap();
    assert_eq!(keep(&*store, &log("a"), "3333", of_family(8)).await.trimmed, 0);
    store.clear(&log("b")).await.unwrap();
    assert_eq!(keep(&*store, &log("c"), "4444", of_family(8)).await.trimmed, 0);
    assert_eq!(values(&*store, &log("a")).await, ["3333"]);
}

pub async fn a_lower_limit_trims_all_that_is_too_much(open: Opens<'_>) {
    let store = open();
    for value in ["1", "2", "3", "4", "5"] {
        keep(&*store, &log("a"), value, of_entries(0)).await;
    }
    assert_eq!(keep(&*store, &log("a"), "6", of_entries(2)).await.trimmed, 4);
    assert_eq!(values(&*store, &log("a")).await, ["5", "6"]);
}

/// Some hundred appends, removals and clears, mixed by a small generator, with totals counted anew after each tenth.
pub async fn totals_are_what_is_there_after_any_history(open: Opens<'_>) {
    let store = open();
    let mut state = 1u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % below
    };
    for step in 0..400 {
        let log = log(["a", "b", "c"][draw(3) as usize]);
        match draw(20) {
            0 => drop(store.clear(&log).await.unwrap()),
            1..4 => drop(store.remove(&log, draw(step + 1)).await.unwrap()),
            _ => {
                let value = "x".repeat(draw(40) as usize);
                let retention = Retention { entries: draw(12), bytes: draw(300), family_bytes: 400 };
                keep(&*store, &log, &value, retention).await;
            }
        }
        if step % 10 == 0 {
            compare_totals(&*store).await;
        }
    }
    say(&*store, &log("a"), "still works").await;
}

async fn compare_totals(store: &dyn Store) {
    let mut family = 0;
    for size in store.logs("messages", "", 10).await.unwrap() {
        let records = records(store, &log(&size.name)).await;
        let bytes: u64 = records.iter().map(|record| record.value.len() as u64).sum();
        assert_eq!((size.entries, size.bytes), (records.len() as u64, bytes));
        assert!(size.entries > 0);
        family += bytes;
    }
    assert!(family <= 400);
}
