//! Logs.

use super::{Opens, entry, log, records, say, texts, values};
use crate::{Entry, Log, Retention, Span};
use bytes::Bytes;

pub async fn records_come_back_oldest_first_as_they_were_said(open: Opens<'_>) {
    let store = open();
    let said = [
        Entry { at_ms: 5, kind: "CHAT".into(), value: Bytes::from_static(b"{}") },
        Entry { at_ms: -1, kind: String::new(), value: Bytes::new() },
        Entry { at_ms: i64::MAX, kind: "ö".into(), value: Bytes::from_static(&[0, 255, 0]) },
    ];
    for entry in &said {
        store.append(&log("a"), entry.clone(), Retention::default()).await.unwrap();
    }
    let kept = records(&*store, &log("a")).await;
    let kept: Vec<_> = kept.into_iter().map(|it| Entry { at_ms: it.at_ms, kind: it.kind, value: it.value }).collect();
    assert_eq!(kept, said);
}

pub async fn an_unknown_log_is_empty(open: Opens<'_>) {
    let store = open();
    assert!(records(&*store, &log("nobody")).await.is_empty());
    assert_eq!(store.clear(&log("nobody")).await, Ok(0));
    assert_eq!(store.remove(&log("nobody"), 1).await, Ok(false));
    assert!(store.logs("messages", "", 10).await.unwrap().is_empty());
}

pub async fn logs_of_one_name_in_two_families_are_two(open: Opens<'_>) {
    let store = open();
    say(&*store, &Log::new("messages", "a"), "one").await;
    say(&*store, &Log::new("chat", "a"), "two").await;
    assert_eq!(values(&*store, &Log::new("messages", "a")).await, ["one"]);
    assert_eq!(values(&*store, &Log::new("chat", "a")).await, ["two"]);
}

pub async fn sequences_rise_and_are_never_zero(open: Opens<'_>) {
    let store = open();
    let mut last = 0;
    for at in 0..50 {
        say(&*store, &log("b"), "between").await;
        let sequence = say(&*store, &log("a"), &at.to_string()).await;
        assert!(sequence > last);
        last = sequence;
    }
    let kept: Vec<_> = records(&*store, &log("a")).await.iter().map(|record| record.sequence).collect();
    assert!(kept.is_sorted() && kept.len() == 50 && kept.last() == Some(&last));
}

pub async fn a_span_begins_after_a_sequence(open: Opens<'_>) {
    let store = open();
    say(&*store, &log("a"), "one").await;
    let two = say(&*store, &log("a"), "two").await;
    say(&*store, &log("a"), "three").await;
    let read = |after| store.read(&log("a"), Span { after, ..Span::oldest(10) });
    assert_eq!(texts(read(two).await.unwrap()), ["three"]);
    assert_eq!(texts(read(two - 1).await.unwrap()), ["two", "three"]);
    assert!(read(u64::MAX).await.unwrap().is_empty());
}

pub async fn a_span_takes_one_kind_alone(open: Opens<'_>) {
    let store = open();
    for (kind, value) in [("CHAT", "1"), ("VIDEO", "2"), ("CHAT", "3"), ("chat", "4")] {
        store.append(&log("a"), entry(kind, value), Retention::default()).await.unwrap();
    }
    let kind = Some("CHAT".to_owned());
    let chat = store.read(&log("a"), Span { kind: kind.clone(), ..Span::oldest(10) }).await.unwrap();
    assert_eq!(texts(chat), ["1", "3"]);
    let last = store.read(&log("a"), Span { kind, ..Span::newest(1) }).await.unwrap();
    assert_eq!(texts(last), ["3"]);
}

pub async fn a_span_leaves_out_what_is_too_old(open: Opens<'_>) {
    let store = open();
    for at_ms in [10, 30, 20] {
        let entry = Entry { at_ms, kind: String::new(), value: at_ms.to_string().into() };
        store.append(&log("a"), entry, Retention::default()).await.unwrap();
    }
    let recent = store.read(&log("a"), Span { since_ms: Some(20), ..Span::oldest(10) }).await.unwrap();
    assert_eq!(texts(recent), ["30", "20"]);
}

pub async fn the_newest_of_a_span_come_oldest_first(open: Opens<'_>) {
    let store = open();
    for value in ["1", "2", "3", "4"] {
        say(&*store, &log("a"), value).await;
    }
    assert_eq!(texts(store.read(&log("a"), Span::newest(2)).await.unwrap()), ["3", "4"]);
    assert_eq!(texts(store.read(&log("a"), Span::oldest(2)).await.unwrap()), ["1", "2"]);
    assert!(store.read(&log("a"), Span::newest(0)).await.unwrap().is_empty());
}

pub async fn a_log_is_read_page_by_page(open: Opens<'_>) {
    let store = open();
    for at in 0..25 {
        say(&*store, &log("a"), &at.to_string()).await;
    }
    let (mut after, mut read) = (0, Vec::new());
    loop {
        let page = store.read(&log("a"), Span { after, ..Span::oldest(10) }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.sequence;
        read.extend(texts(page));
    }
    assert_eq!(read, (0..25).map(|at| at.to_string()).collect::<Vec<_>>());
}

pub async fn one_record_is_removed(open: Opens<'_>) {
    let store = open();
    say(&*store, &log("a"), "one").await;
    let two = say(&*store, &log("a"), "two").await;
    say(&*store, &log("a"), "three").await;
    assert_eq!(store.remove(&log("a"), two).await, Ok(true));
    assert_eq!(store.remove(&log("a"), two).await, Ok(false));
    assert_eq!(store.remove(&log("b"), two).await, Ok(false));
    assert_eq!(values(&*store, &log("a")).await, ["one", "three"]);
}

pub async fn clearing_says_how_many_went_and_spares_other_logs(open: Opens<'_>) {
    let store = open();
    for (name, value) in [("a", "1"), ("b", "2"), ("a", "3")] {
        say(&*store, &log(name), value).await;
    }
    assert_eq!(store.clear(&log("a")).await, Ok(2));
    assert!(values(&*store, &log("a")).await.is_empty());
    assert_eq!(values(&*store, &log("b")).await, ["2"]);
}

pub async fn no_sequence_is_given_again(open: Opens<'_>) {
    let store = open();
    let first = say(&*store, &log("a"), "1").await;
    store.remove(&log("a"), first).await.unwrap();
    let second = say(&*store, &log("a"), "2").await;
    store.clear(&log("a")).await.unwrap();
    say(&*store, &log("b"), "another log").await;
    let third = say(&*store, &log("a"), "3").await;
    let keep = Retention { entries: 1, ..Retention::default() };
    let fourth = store.append(&log("a"), entry("", "4"), keep).await.unwrap().sequence;
    assert!(first < second && second < third && third < fourth);
}

pub async fn sizes_are_told_by_name_and_page_by_page(open: Opens<'_>) {
    let store = open();
    for (name, value) in [("b", "22"), ("c", "333"), ("a", "1"), ("b", "22")] {
        say(&*store, &log(name), value).await;
    }
    say(&*store, &Log::new("chat", "d"), "of another family").await;
    store.clear(&log("c")).await.unwrap();
    let sizes = store.logs("messages", "", 10).await.unwrap();
    let told: Vec<_> = sizes.iter().map(|size| (&*size.name, size.entries, size.bytes)).collect();
    assert_eq!(told, [("a", 1, 1), ("b", 2, 4)]);
    assert_eq!(store.logs("messages", "", 1).await.unwrap(), sizes[..1]);
    assert_eq!(store.logs("messages", "a", 10).await.unwrap(), sizes[1..]);
}

pub async fn writes_are_done_in_the_order_of_the_calls(open: Opens<'_>) {
    let store = open();
    let mut answers = Vec::new();
    for at in 0..200 {
        answers.push(store.append(&log("a"), entry("", at.to_string()), Retention::default()));
    }
    // Awaited backwards: it is the calls that count.
    for answer in answers.into_iter().rev() {
        answer.await.unwrap();
    }
    assert_eq!(values(&*store, &log("a")).await, (0..200).map(|at| at.to_string()).collect::<Vec<_>>());
}

pub async fn a_write_whose_answer_nobody_waits_for_is_done(open: Opens<'_>) {
    let store = open();
    drop(store.append(&log("a"), entry("", "unheard"), Retention::default()));
    say(&*store, &log("a"), "heard").await;
    assert_eq!(values(&*store, &log("a")).await, ["unheard", "heard"]);
}

pub async fn names_may_be_anything(open: Opens<'_>) {
    let store = open();
    let names = ["", " ", "a'b\"c", "%_*", "../..", "\0", "a\0b", "õhtu 🎻", "\u{10ffff}"];
    for name in names {
        say(&*store, &log(name), name).await;
    }
    for name in names {
        assert_eq!(values(&*store, &log(name)).await, [name]);
    }
    // All but the empty one: no name is less than it.
    assert_eq!(store.logs("messages", "", 100).await.unwrap().len(), names.len() - 1);
}
