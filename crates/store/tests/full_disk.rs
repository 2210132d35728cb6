//! the system takes no more bytes of a file, and then does again. Alone in its binary: the limit is the process's.

mod common;

use common::Scratch;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use store::{Entry, Log, Retention, Span, Sqlite, Store, StoreError};
use tracing_subscriber::fmt::MakeWriter;

/// What was logged.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Told {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Told {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

/// No file grows beyond this; `None`: whatever the system allows.
fn limit_files(bytes: Option<u64>) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain calls with a struct of our own; a signal that is ignored has no handler.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit), 0);
        limit.rlim_cur = bytes.unwrap_or(limit.rlim_max);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
}

async fn say(store: &Sqlite, bytes: usize) -> Result<u64, StoreError> {
    let entry = Entry { at_ms: 0, kind: String::new(), value: vec![7; bytes].into() };
    Ok(store.append(&Log::new("messages", "a"), entry, Retention::default()).await?.sequence)
}

async fn kept(store: &Sqlite) -> Vec<u64> {
    let records = store.read(&Log::new("messages", "a"), Span::oldest(10_000)).await.unwrap();
    records.into_iter().map(|record| record.sequence).collect()
}

#[tokio::test]
async fn q_10_a_disk_that_takes_no_more_is_told_once_and_all_goes_on_when_it_does_again() {
    let told = Told::default();
    tracing_subscriber::fmt().with_writer(told.clone()).with_ansi(false).init();
    let scratch = Scratch::new();
    let store = Sqlite::open(&scratch.path().join("odeon.sqlite")).unwrap();
    let mut acknowledged = Vec::new();
    limit_files(Some(400_000));
    while let Ok(sequence) = say(&store, 5000).await {
        acknowledged.push(sequence);
    }
    for _ in 0..20 {
        assert!(matches!(say(&store, 50_000).await, Err(StoreError::Failed(_))));
    }
    assert_eq!(kept(&store).await, acknowledged);
    assert!(acknowledged.len() > 5, "{acknowledged:?}");
    limit_files(None);
    let room_again = Instant::now();
    acknowledged.push(say(&store, 50_000).await.unwrap());
    // Q-10 gives it ten seconds; it needs none.
    assert!(room_again.elapsed() < Duration::from_secs(5));
    drop(store);
    let store = Sqlite::open(&scratch.path().join("odeon.sqlite")).unwrap();
    assert_eq!(kept(&store).await, acknowledged);
    let lines = told.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("ERROR") && lines[0].contains("disk"), "{}", lines[0]);
    assert!(lines[1].contains("INFO"), "{}", lines[1]);
}
