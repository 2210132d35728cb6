//! What is kept when the engine is closed and opened again.

use super::{Opens, entry, log, records, say, values};
use crate::{Change, Retention, Table};

const TABLE: Table = Table("things");

pub async fn everything_is_there_after_a_restart(open: Opens<'_>) {
    let store = open();
    say(&*store, &log("a"), "one").await;
    say(&*store, &log("b"), "two").await;
    store.commit(vec![Change::put(TABLE, "key", "value")]).await.unwrap();
    let before =
        (records(&*store, &log("a")).await, store.get(TABLE, "key").await, store.logs("messages", "", 9).await);
    drop(store);
    let store = open();
    let after = (records(&*store, &log("a")).await, store.get(TABLE, "key").await, store.logs("messages", "", 9).await);
    assert_eq!(before, after);
    assert_eq!(before.0.len(), 1);
}

pub async fn sequences_go_on_after_a_restart(open: Opens<'_>) {
    let mut last = say(&*open(), &log("a"), "one").await;
    for step in 0..4 {
        let store = open();
        // The second and third time, nothing is there that could remember the sequence.
        if step % 3 != 0 {
            store.clear(&log("a")).await.unwrap();
        }
        drop(store);
        let sequence = say(&*open(), &log("a"), "again").await;
        assert!(sequence > last);
        last = sequence;
    }
}

pub async fn revisions_go_on_after_a_restart(open: Opens<'_>) {
    let commit = async |change| open().commit(vec![change]).await.unwrap()[0];
    let first = commit(Change::put(TABLE, "key", "value")).await;
    commit(Change::delete(TABLE, "key")).await;
    assert_ne!(first, commit(Change::put(TABLE, "key", "value")).await);
}

pub async fn retention_counts_what_was_there_before_a_restart(open: Opens<'_>) {
    let keep = Retention { entries: 3, bytes: 0, family_bytes: 4 };
    for (name, value) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4"), ("b", "5"), ("b", "6")] {
        open().append(&log(name), entry("", value), keep).await.unwrap();
    }
    let store = open();
    assert_eq!(values(&*store, &log("a")).await, ["3"]);
    assert_eq!(values(&*store, &log("b")).await, ["4", "5", "6"]);
}

pub async fn what_waits_is_written_before_the_engine_ends(open: Opens<'_>) {
    let store = open();
    let answers: Vec<_> =
        (0..500).map(|at| store.append(&log("a"), entry("", at.to_string()), Retention::default())).collect();
    drop(answers);
    drop(store);
    assert_eq!(records(&*open(), &log("a")).await.len(), 500);
}
