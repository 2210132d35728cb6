//! F-10: backup of one folder, while the server runs.

mod common;

use common::{Scratch, Server, answer, get, stderr, stdout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{Entry, Log, Retention, Span, Sqlite, Store};

fn log() -> Log {
    Log::new("messages", "backup-test")
}

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("odeon.sqlite")).unwrap()
}

async fn say(store: &Sqlite, number: u64) {
    let entry = Entry { at_ms: 0, kind: String::new(), value: number.to_string().into() };
    store.append(&log(), entry, Retention::default()).await.unwrap();
}

async fn said(store: &Sqlite) -> Vec<u64> {
    let number = |record: store::Record| std::str::from_utf8(&record.value).unwrap().parse().unwrap();
    store.read(&log(), Span::oldest(10_000)).await.unwrap().into_iter().map(number).collect()
}

/// Writes into the folder of a running server until it is told to end; says how much was acknowledged.
fn writing(folder: &Path, end: &Arc<AtomicBool>) -> (Arc<AtomicU64>, std::thread::JoinHandle<()>) {
    let (acknowledged, end, store) = (Arc::new(AtomicU64::new(0)), Arc::clone(end), open(folder));
    let count = Arc::clone(&acknowledged);
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            while !end.load(Ordering::Relaxed) {
                say(&store, count.load(Ordering::Relaxed)).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    });
    (acknowledged, thread)
}

#[tokio::test]
async fn f_10_a_copy_made_while_others_write_is_a_folder_to_start_with() {
    let scratch = Scratch::new("backup");
    let server = Server::start(&scratch, "serve --http.bind=127.0.0.1 --data-dir=data");
    let end = Arc::new(AtomicBool::new(false));
    let (acknowledged, thread) = writing(&scratch.path().join("data"), &end);
    while acknowledged.load(Ordering::Relaxed) < 50 {
        tokio::task::yield_now().await;
    }
    let before = acknowledged.load(Ordering::Relaxed);
    let done = answer(&scratch, "backup copy --data-dir=data");
    end.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    assert_eq!(server.get("/healthz", "").0, 200);
    assert_eq!(stdout(&answer(&scratch, "keys --data-dir=copy")), stdout(&answer(&scratch, "keys --data-dir=data")));
    let restored = Server::start(&scratch, "serve --http.bind=127.0.0.1 --data-dir=copy");
    assert_eq!(get(&restored.address, "/readyz", "").unwrap().0, 200);
    drop(restored);
    let copied = said(&open(&scratch.path().join("copy"))).await;
    assert!(copied.len() as u64 >= before);
    assert_eq!(copied, (0..copied.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn f_10_a_copy_is_made_without_a_server_too() {
    let scratch = Scratch::new("backup-alone");
    drop(Server::start(&scratch, "serve --http.bind=127.0.0.1 --data-dir=data"));
    say(&open(&scratch.path().join("data")), 7).await;
    let done = answer(&scratch, "backup copy --data-dir=data");
    assert!(done.status.success(), "{}", stderr(&done));
    assert_eq!(said(&open(&scratch.path().join("copy"))).await, [7]);
}

#[test]
fn a_copy_over_something_is_refused_in_one_line_that_says_what_to_do() {
    let scratch = Scratch::new("backup-over");
    drop(Server::start(&scratch, "serve --http.bind=127.0.0.1 --data-dir=data"));
    let refused = answer(&scratch, "backup data --data-dir=data");
    assert!(!refused.status.success());
    assert_eq!(stderr(&refused).lines().count(), 1, "{}", stderr(&refused));
    let unknown = answer(&scratch, "backup copy --data-dir=nowhere");
    assert!(stderr(&unknown).contains("--data-dir"), "{}", stderr(&unknown));
    assert!(!scratch.path().join("nowhere").exists());
}
