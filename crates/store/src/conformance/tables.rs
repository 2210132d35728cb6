//! Tables.

use super::Opens;
use crate::{Change, Document, Expect, Store, StoreError, Table};
use futures_util::future::join_all;

const PEOPLE: Table = Table("people");
const THINGS: Table = Table("things");

async fn put(store: &dyn Store, key: &str, value: &str) -> u64 {
    store.commit(vec![Change::put(PEOPLE, key, value.to_owned())]).await.unwrap()[0]
}

async fn get(store: &dyn Store, key: &str) -> Option<String> {
    let document = store.get(PEOPLE, key).await.unwrap()?;
    Some(String::from_utf8(document.value.to_vec()).unwrap())
}

async fn keys(store: &dyn Store, prefix: &str, after: &str, limit: usize) -> Vec<String> {
    store.list(PEOPLE, prefix, after, limit).await.unwrap().into_iter().map(|row| row.key).collect()
}

pub async fn a_document_is_written_read_and_deleted(open: Opens<'_>) {
    let store = open();
    assert_eq!(store.get(PEOPLE, "mako").await, Ok(None));
    let revision = put(&*store, "mako", "one").await;
    assert_eq!(store.get(PEOPLE, "mako").await, Ok(Some(Document { value: "one".into(), revision })));
    assert_eq!(store.commit(vec![Change::delete(PEOPLE, "mako")]).await, Ok(vec![0]));
    assert_eq!(store.get(PEOPLE, "mako").await, Ok(None));
    assert_eq!(store.commit(vec![Change::delete(PEOPLE, "mako")]).await, Ok(vec![0]));
    assert_eq!(store.commit(vec![]).await, Ok(vec![]));
}

pub async fn every_change_has_a_revision_that_never_was(open: Opens<'_>) {
    let store = open();
    let mut had = vec![0];
    for _ in 0..5 {
        for value in ["one", "one"] {
            let revision = put(&*store, "mako", value).await;
            assert!(!had.contains(&revision));
            had.push(revision);
        }
        store.commit(vec![Change::delete(PEOPLE, "mako")]).await.unwrap();
    }
}

pub async fn what_is_expected_must_hold(open: Opens<'_>) {
    let store = open();
    let put = |expect, value: &'static str| store.commit(vec![Change::put(PEOPLE, "mako", value).expecting(expect)]);
    assert_eq!(put(Expect::Present, "no").await, Err(StoreError::Conflict));
    assert_eq!(put(Expect::Revision(1), "no").await, Err(StoreError::Conflict));
    let first = put(Expect::Absent, "first").await.unwrap()[0];
    assert_eq!(put(Expect::Absent, "no").await, Err(StoreError::Conflict));
    let second = put(Expect::Revision(first), "second").await.unwrap()[0];
    assert_eq!(put(Expect::Revision(first), "no").await, Err(StoreError::Conflict));
    put(Expect::Present, "third").await.unwrap();
    let delete = |expect| store.commit(vec![Change::delete(PEOPLE, "mako").expecting(expect)]);
    assert_eq!(delete(Expect::Revision(second)).await, Err(StoreError::Conflict));
    assert_eq!(get(&*store, "mako").await.as_deref(), Some("third"));
    delete(Expect::Present).await.unwrap();
    assert_eq!(get(&*store, "mako").await, None);
}

pub async fn all_changes_are_made_or_none(open: Opens<'_>) {
    let store = open();
    put(&*store, "koko", "there").await;
    let changes = |expect| {
        vec![
            Change::put(PEOPLE, "mako", "new"),
            Change::delete(PEOPLE, "koko"),
            Change::put(THINGS, "mako", "of mako").expecting(expect),
        ]
    };
    assert_eq!(store.commit(changes(Expect::Present)).await, Err(StoreError::Conflict));
    assert_eq!((get(&*store, "mako").await, get(&*store, "koko").await), (None, Some("there".into())));
    let revisions = store.commit(changes(Expect::Absent)).await.unwrap();
    assert!(revisions[0] != 0 && revisions[1] == 0 && revisions[2] != 0 && revisions[0] != revisions[2]);
    assert_eq!((get(&*store, "mako").await, get(&*store, "koko").await), (Some("new".into()), None));
}

/// They wait together and are committed together, but each stands for itself.
pub async fn a_refused_commit_costs_no_other_its_own(open: Opens<'_>) {
    let store = open();
    let answers: Vec<_> = (0..60)
        .map(|at| {
            let expect = if at % 3 == 0 { Expect::Present } else { Expect::Absent };
            store.commit(vec![Change::put(PEOPLE, at.to_string(), "x").expecting(expect)])
        })
        .collect();
    for (at, answer) in join_all(answers).await.into_iter().enumerate() {
        assert_eq!(answer.is_err(), at % 3 == 0);
        assert_eq!(get(&*store, &at.to_string()).await.is_none(), at % 3 == 0);
    }
}

pub async fn one_of_many_who_write_on_one_revision_succeeds(open: Opens<'_>) {
    let store = open();
    let revision = put(&*store, "seat", "free").await;
    let take = |at: i32| Change::put(PEOPLE, "seat", at.to_string()).expecting(Expect::Revision(revision));
    let answers = join_all((0..50).map(|at| store.commit(vec![take(at)]))).await;
    let won: Vec<_> = (0..50).zip(answers).filter(|(_, answer)| answer.is_ok()).map(|(at, _)| at).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(get(&*store, "seat").await, Some(won[0].to_string()));
}

pub async fn documents_are_listed_by_key_within_a_prefix(open: Opens<'_>) {
    let store = open();
    for key in ["room/b", "room/a", "room", "rooms/x", "room/õ", "room/\u{10ffff}", "", "room/a/b", "a'%_"] {
        put(&*store, key, key).await;
    }
    assert_eq!(keys(&*store, "room/", "", 10).await, ["room/a", "room/a/b", "room/b", "room/õ", "room/\u{10ffff}"]);
    assert_eq!(keys(&*store, "nobody", "", 10).await, [""; 0]);
    assert_eq!(keys(&*store, "a'%", "", 10).await, ["a'%_"]);
    assert_eq!(keys(&*store, "", "room/õ", 10).await, ["room/\u{10ffff}", "rooms/x"]);
    let rows = store.list(PEOPLE, "room/a", "", 10).await.unwrap();
    assert_eq!(rows[1].document.value, "room/a/b");
    assert_eq!(Some(&rows[1].document), store.get(PEOPLE, "room/a/b").await.unwrap().as_ref());
}

pub async fn documents_are_listed_page_by_page(open: Opens<'_>) {
    let store = open();
    for at in 0..25 {
        put(&*store, &format!("k/{at:02}"), "x").await;
    }
    put(&*store, "l", "x").await;
    assert_eq!(keys(&*store, "k/", "", 10).await.len(), 10);
    assert_eq!(keys(&*store, "k/", "k/09", 10).await.first().map(String::as_str), Some("k/10"));
    assert_eq!(keys(&*store, "k/", "k/19", 10).await.len(), 5);
    assert!(keys(&*store, "k/", "k/24", 10).await.is_empty());
    assert!(keys(&*store, "k/", "z", 10).await.is_empty());
    assert!(keys(&*store, "k/", "", 0).await.is_empty());
}

pub async fn tables_do_not_see_each_other(open: Opens<'_>) {
    let store = open();
    put(&*store, "mako", "a person").await;
    assert_eq!(store.get(THINGS, "mako").await, Ok(None));
    assert_eq!(store.list(THINGS, "", "", 10).await, Ok(vec![]));
    store.commit(vec![Change::delete(THINGS, "mako")]).await.unwrap();
    assert_eq!(get(&*store, "mako").await.as_deref(), Some("a person"));
}
