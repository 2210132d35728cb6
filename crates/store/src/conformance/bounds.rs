//! What is refused.

use super::{Opens, entry, log, say};
use crate::limits::{MAX_CHANGES, MAX_KEY_BYTES, MAX_PAGE_BYTES, MAX_VALUE_BYTES};
use crate::{Change, Retention, Span, StoreError, Table};

const TABLE: Table = Table("things");

pub async fn what_is_too_large_is_refused(open: Opens<'_>) {
    let store = open();
    let long = "k".repeat(MAX_KEY_BYTES + 1);
    let large = vec![0; MAX_VALUE_BYTES + 1];
    let append =
        |name: &str, kind: &str, value: Vec<u8>| store.append(&log(name), entry(kind, value), Retention::default());
    let commit = |changes| store.commit(changes);
    for refused in [
        append(&long, "", vec![]).await.err(),
        append("a", &long, vec![]).await.err(),
        append("a", "", large.clone()).await.err(),
        commit(vec![Change::put(TABLE, long.clone(), "")]).await.err(),
        commit(vec![Change::put(TABLE, "a", "x"), Change::put(TABLE, "b", large.clone())]).await.err(),
        commit(vec![Change::delete(TABLE, "a"); MAX_CHANGES + 1]).await.err(),
    ] {
        assert!(matches!(refused, Some(StoreError::TooLarge(_))), "{refused:?}");
    }
    assert!(store.read(&log("a"), Span::oldest(1)).await.unwrap().is_empty());
    assert_eq!(store.get(TABLE, "a").await, Ok(None));
}

pub async fn the_largest_are_taken(open: Opens<'_>) {
    let store = open();
    let (long, large) = ("k".repeat(MAX_KEY_BYTES), vec![7; MAX_VALUE_BYTES]);
    store.append(&log(&long), entry(&long, large.clone()), Retention::default()).await.unwrap();
    assert_eq!(store.read(&log(&long), Span::newest(1)).await.unwrap()[0].value, large);
    store.commit(vec![Change::put(TABLE, long.clone(), large.clone())]).await.unwrap();
    assert_eq!(store.get(TABLE, &long).await.unwrap().unwrap().value, large);
}

pub async fn a_page_has_an_end(open: Opens<'_>) {
    let store = open();
    let fit = MAX_PAGE_BYTES / MAX_VALUE_BYTES;
    for _ in 0..fit + 2 {
        store.append(&log("a"), entry("", vec![7; MAX_VALUE_BYTES]), Retention::default()).await.unwrap();
    }
    let last = say(&*store, &log("a"), "last").await;
    let oldest = store.read(&log("a"), Span::oldest(usize::MAX)).await.unwrap();
    assert_eq!(oldest.len(), fit);
    let newest = store.read(&log("a"), Span::newest(usize::MAX)).await.unwrap();
    assert_eq!((newest.len(), newest.last().unwrap().sequence), (fit + 1, last));
}
