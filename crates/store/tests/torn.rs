//! files that end in the middle of a write, as a power cut leaves them.

mod common;

use bytes::Bytes;
use common::Scratch;
use std::fs;
use std::path::Path;
use store::{Entry, Log, Retention, Span, Sqlite, Store};

/// How much of a file's end is tried byte by byte.
const TAIL: usize = 4096;

/// The file and the write-ahead log beside it, as they are while the engine runs.
struct Image {
    file: Vec<u8>,
    wal: Vec<u8>,
}

impl Image {
    fn of(folder: &Path) -> Self {
        let read = |name| fs::read(folder.join(name)).unwrap_or_default();
        Self { file: read("odeon.sqlite"), wal: read("odeon.sqlite-wal") }
    }
}

fn log() -> Log {
    Log::new("messages", "a")
}

async fn say(store: &dyn Store, number: usize, bytes: usize) {
    let mut value = format!("{number} ").into_bytes();
    value.resize(value.len() + bytes, b'.');
    let entry = Entry { at_ms: 0, kind: String::new(), value: Bytes::from(value) };
    store.append(&log(), entry, Retention::default()).await.unwrap();
}

/// Opens what is left, and says how many messages there are; they must be the first ones, whole.
async fn opened(folder: &Path, file: &[u8], wal: &[u8]) -> usize {
    for old in ["odeon.sqlite-shm", "odeon.sqlite-wal"] {
        let _ = fs::remove_file(folder.join(old));
    }
    fs::write(folder.join("odeon.sqlite"), file).unwrap();
    if !wal.is_empty() {
        fs::write(folder.join("odeon.sqlite-wal"), wal).unwrap();
    }
    let store = Sqlite::open(&folder.join("odeon.sqlite")).unwrap();
    let kept = store.read(&log(), Span::oldest(1000)).await.unwrap();
    for (number, record) in kept.iter().enumerate() {
        assert!(record.value.starts_with(format!("{number} ").as_bytes()));
    }
    kept.len()
}

/// Twenty messages that were acknowledged, and a last one, larger than the tail, that was being written.
async fn written(folder: &Path) -> (Image, Image) {
    let store = Sqlite::open(&folder.join("odeon.sqlite")).unwrap();
    for number in 0..20 {
        say(&store, number, 300).await;
    }
    let acknowledged = Image::of(folder);
    say(&store, 20, 2 * TAIL).await;
    (acknowledged, Image::of(folder))
}

#[tokio::test]
async fn q_05_a_log_cut_at_every_byte_of_its_last_4_kib_loses_only_what_was_not_acknowledged() {
    let (scratch, torn) = (Scratch::in_memory(), Scratch::in_memory());
    let (acknowledged, last) = written(scratch.path()).await;
    assert!(last.wal.len() > acknowledged.wal.len() + TAIL);
    for cut in last.wal.len() - TAIL..last.wal.len() {
        assert_eq!(opened(torn.path(), &last.file, &last.wal[..cut]).await, 20, "cut at {cut}");
    }
    assert_eq!(opened(torn.path(), &last.file, &last.wal).await, 21);
}

/// A file system may have made the file longer before it wrote what belongs there.
#[tokio::test]
async fn q_05_a_log_whose_end_is_rubbish_loses_only_what_was_not_acknowledged() {
    let (scratch, torn) = (Scratch::in_memory(), Scratch::in_memory());
    let (acknowledged, last) = written(scratch.path()).await;
    for from in (acknowledged.wal.len()..last.wal.len()).step_by(61) {
        for rubbish in [0, 0xa5] {
            let mut wal = last.wal.clone();
            wal[from..].fill(rubbish);
            let kept = opened(torn.path(), &last.file, &wal).await;
            // A zero more or less at the very end may be what belongs there.
            assert!(kept == 20 || wal == last.wal, "{rubbish} from {from}");
        }
    }
}

#[tokio::test]
async fn q_05_a_log_cut_anywhere_keeps_all_that_was_written_before() {
    let (scratch, torn) = (Scratch::in_memory(), Scratch::in_memory());
    let (_, last) = written(scratch.path()).await;
    let mut before = 0;
    for cut in (0..=last.wal.len()).step_by(509) {
        let kept = opened(torn.path(), &last.file, &last.wal[..cut]).await;
        assert!(kept >= before, "cut at {cut}");
        before = kept;
    }
    assert!(before >= 20);
}

/// The log is carried over into the file while it is still there: a cut in the middle of that loses nothing.
#[tokio::test]
async fn q_05_a_file_cut_at_every_byte_of_its_last_4_kib_while_the_log_was_carried_over_loses_nothing() {
    let (scratch, torn) = (Scratch::in_memory(), Scratch::in_memory());
    let (_, last) = written(scratch.path()).await;
    // Closing has carried everything over.
    let carried = Image::of(scratch.path());
    assert!(carried.file.len() > last.file.len() + TAIL && carried.wal.is_empty());
    for cut in carried.file.len() - TAIL..=carried.file.len() {
        assert_eq!(opened(torn.path(), &carried.file[..cut], &last.wal).await, 21, "cut at {cut}");
    }
    for cut in (0..=carried.file.len()).step_by(997) {
        let mixed: Vec<u8> = [&carried.file[..cut], last.file.get(cut..).unwrap_or_default()].concat();
        assert_eq!(opened(torn.path(), &mixed, &last.wal).await, 21, "carried over up to {cut}");
    }
}
