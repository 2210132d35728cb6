//! What happens to the engine's threads: batches, panics, a full disk, more than can wait.

use super::*;
use crate::Span;
use crate::limits::{MAX_VALUE_BYTES, MAX_WAL_BYTES};
use futures_util::future::join_all;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc;

/// A store in a folder of its own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("odeon-engine-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(&self.0.join("odeon.sqlite")).unwrap()
    }

    fn wal_bytes(&self) -> u64 {
        fs::metadata(self.0.join("odeon.sqlite-wal")).unwrap().len()
    }

    /// Transactions in the write-ahead log: frames that end one say how large the file is then.
    fn transactions(&self) -> usize {
        let wal = fs::read(self.0.join("odeon.sqlite-wal")).unwrap();
        wal[32..].chunks(24 + 4096).filter(|frame| frame[4..8] != [0; 4]).count()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn log() -> Log {
    Log::new("messages", "a")
}

fn say(store: &Sqlite, bytes: usize) -> Answer<'_, Appended> {
    let entry = Entry { at_ms: 0, kind: String::new(), value: vec![7; bytes].into() };
    store.append(&log(), entry, Retention::default())
}

async fn kept(store: &Sqlite) -> usize {
    store.read(&log(), Span::oldest(20_000)).await.unwrap().len()
}

/// Keeps the writer from writing until it is dropped, so that writes wait.
fn hold(store: &Sqlite) -> mpsc::Sender<()> {
    let (let_go, held) = mpsc::channel::<()>();
    let (started, starts) = mpsc::channel();
    drop(store.write(Ok(()), 0, move |_| {
        let _ = started.send(());
        let _ = held.recv();
        Ok(())
    }));
    starts.recv().unwrap();
    let_go
}

fn limit_pages(store: &Sqlite, pages: i64) -> Answer<'static, ()> {
    store.write(Ok(()), 0, move |connection| {
        let count: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let limit = count + pages;
        connection.pragma_update_and_check(None, "max_page_count", limit, |row| row.get::<_, i64>(0))?;
        Ok(())
    })
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let scratch = Scratch::new("batch");
    let store = scratch.open();
    say(&store, 1).await.unwrap();
    let before = scratch.transactions();
    let held = hold(&store);
    let answers: Vec<_> = (0..100).map(|_| say(&store, 1)).collect();
    drop(held);
    assert!(join_all(answers).await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(scratch.transactions(), before + 1);
    assert_eq!(kept(&store).await, 101);
}

#[tokio::test]
async fn the_log_beside_the_file_stays_small_however_much_is_written() {
    let scratch = Scratch::new("wal");
    let store = scratch.open();
    let keep = Retention { entries: 10, ..Retention::default() };
    for _ in 0..400 {
        let entry = Entry { at_ms: 0, kind: String::new(), value: vec![7; 100_000].into() };
        store.append(&log(), entry, keep).await.unwrap();
        assert!(scratch.wal_bytes() < 8 * 1024 * 1024);
    }
    assert_eq!(kept(&store).await, 10);
}

/// A question that takes long, as a backup does, keeps the log from being carried over for as long.
#[tokio::test]
async fn the_log_beside_the_file_is_cut_back_after_a_long_question() {
    let scratch = Scratch::new("long");
    let store = scratch.open();
    say(&store, 1).await.unwrap();
    let (end, ends) = mpsc::channel::<()>();
    let long = store.look(move |connection| {
        let transaction = connection.unchecked_transaction()?;
        transaction.query_row("SELECT count(*) FROM records", [], |row| row.get::<_, i64>(0))?;
        let _ = ends.recv();
        Ok(transaction.commit()?)
    });
    for _ in 0..100 {
        say(&store, MAX_VALUE_BYTES).await.unwrap();
    }
    assert!(scratch.wal_bytes() > MAX_WAL_BYTES as u64);
    drop(end);
    long.await.unwrap();
    say(&store, 1).await.unwrap();
    say(&store, 1).await.unwrap();
    assert!(scratch.wal_bytes() <= MAX_WAL_BYTES as u64);
}

#[tokio::test]
async fn more_than_can_wait_is_refused_and_what_waits_is_kept() {
    let store = Sqlite::in_memory().unwrap();
    let held = hold(&store);
    let answers: Vec<_> = (0..MAX_WAITING).map(|_| say(&store, 1)).collect();
    assert_eq!(say(&store, 1).await, Err(StoreError::Overloaded));
    drop(held);
    assert!(join_all(answers).await.into_iter().all(|answer| answer.is_ok()));
    say(&store, 1).await.unwrap();
    assert_eq!(kept(&store).await, crate::limits::MAX_PAGE);
    assert_eq!(store.logs("messages", "", 1).await.unwrap()[0].entries, MAX_WAITING as u64 + 1);
}

#[tokio::test]
async fn more_bytes_than_can_wait_are_refused() {
    let store = Sqlite::in_memory().unwrap();
    let held = hold(&store);
    let fit = MAX_WAITING_BYTES / MAX_VALUE_BYTES;
    let answers: Vec<_> = (0..fit).map(|_| say(&store, MAX_VALUE_BYTES)).collect();
    assert_eq!(say(&store, MAX_VALUE_BYTES).await, Err(StoreError::Overloaded));
    drop(held);
    assert!(join_all(answers).await.into_iter().all(|answer| answer.is_ok()));
    say(&store, MAX_VALUE_BYTES).await.unwrap();
}

#[tokio::test]
async fn a_panic_fails_its_batch_and_hangs_nobody() {
    let store = Sqlite::in_memory().unwrap();
    say(&store, 1).await.unwrap();
    let held = hold(&store);
    let before = say(&store, 1);
    let panics = store.write::<()>(Ok(()), 0, |_| panic!("planted"));
    let after = say(&store, 1);
    drop(held);
    for failed in [before.await.err(), panics.await.err(), after.await.err()] {
        assert!(matches!(failed, Some(StoreError::Failed(_))), "{failed:?}");
    }
    assert_eq!(kept(&store).await, 1);
    say(&store, 1).await.unwrap();
    assert_eq!(kept(&store).await, 2);
}

#[tokio::test]
async fn a_panic_of_a_reader_costs_its_answer_alone() {
    let store = Sqlite::in_memory().unwrap();
    let panics = store.look::<()>(|_| panic!("planted"));
    assert!(matches!(panics.await, Err(StoreError::Failed(_))));
    assert_eq!(kept(&store).await, 0);
}

#[tokio::test]
async fn a_copy_is_a_store_of_its_own_and_its_owners_alone() {
    let scratch = Scratch::new("copy");
    let store = scratch.open();
    say(&store, 1).await.unwrap();
    let to = scratch.0.join("copy.sqlite");
    store.backup(&to).await.unwrap();
    say(&store, 1).await.unwrap();
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = Sqlite::open(&to).unwrap();
    assert_eq!((kept(&copy).await, kept(&store).await), (1, 2));
    assert_eq!(say(&copy, 1).await.unwrap().sequence, 2);
}

#[tokio::test]
async fn a_store_in_memory_is_copied_too() {
    let scratch = Scratch::new("copy-memory");
    let store = Sqlite::in_memory().unwrap();
    say(&store, 1).await.unwrap();
    store.backup(&scratch.0.join("copy.sqlite")).await.unwrap();
    assert_eq!(kept(&Sqlite::open(&scratch.0.join("copy.sqlite")).unwrap()).await, 1);
}

#[tokio::test]
async fn a_copy_over_something_is_refused_and_a_failed_one_leaves_nothing() {
    let scratch = Scratch::new("copy-over");
    let store = scratch.open();
    fs::write(scratch.0.join("thesis.tex"), "x").unwrap();
    assert!(store.backup(&scratch.0.join("thesis.tex")).await.is_err());
    assert_eq!(fs::read_to_string(scratch.0.join("thesis.tex")).unwrap(), "x");
    assert!(store.backup(&scratch.0.join("nowhere/copy.sqlite")).await.is_err());
    fs::write(scratch.0.join("text.sqlite"), "no database ".repeat(100)).unwrap();
    let to = scratch.0.join("copy.sqlite");
    assert!(copy(&scratch.0.join("text.sqlite"), &to).is_err() && !to.exists());
}

// disk full.
#[tokio::test]
async fn q_10_a_full_disk_refuses_clearly_keeps_what_was_kept_and_goes_on_when_there_is_room() {
    let scratch = Scratch::new("full");
    let store = scratch.open();
    say(&store, 100).await.unwrap();
    limit_pages(&store, 8).await.unwrap();
    let refused = say(&store, 100_000).await.unwrap_err();
    assert_eq!(refused, StoreError::failed("database or disk is full"));
    assert_eq!(kept(&store).await, 1);
    say(&store, 100).await.unwrap();
    while say(&store, 1000).await.is_ok() {}
    let full = kept(&store).await;
    limit_pages(&store, 1000).await.unwrap();
    say(&store, 100_000).await.unwrap();
    assert_eq!(kept(&store).await, full + 1);
    drop(store);
    assert_eq!(kept(&scratch.open()).await, full + 1);
}
