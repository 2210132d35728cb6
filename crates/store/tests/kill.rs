//! the process is killed, at any moment and again and again.

mod common;

use bytes::Bytes;
use common::Scratch;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use store::limits::MAX_PAGE;
use store::{Change, Entry, Log, Retention, Span, Sqlite, Store, Table};

/// Where the child finds its folder and the number of its life.
const FOLDER: &str = "ODEON_STORE_TEST_FOLDER";
const LIFE: &str = "ODEON_STORE_TEST_LIFE";

const LIVES: u32 = 100;
/// Messages that the child has on their way at a time.
const AT_ONCE: usize = 8;
const LAST: Table = Table("last");

fn log(number: usize) -> Log {
    Log::new("messages", ["a", "b", "c"][number % 3])
}

/// The process that is killed: it says what was acknowledged, and goes on for ever.
#[tokio::test]
#[ignore = "not a test of its own: the one below starts it"]
async fn writes_until_it_is_killed() {
    let folder = std::env::var(FOLDER).unwrap();
    let life = std::env::var(LIFE).unwrap();
    let store = Sqlite::open(&Path::new(&folder).join("odeon.sqlite")).unwrap();
    let mut next = 0;
    loop {
        let batch = next..next + AT_ONCE;
        next = batch.end;
        let appends = batch.clone().map(|number| {
            let value = Bytes::from(format!("{life}-{number}-{}", ".".repeat(number * 37 % 900)));
            store.append(&log(number), Entry { at_ms: 0, kind: String::new(), value }, Retention::default())
        });
        let appends: Vec<_> = appends.collect();
        store.commit(vec![Change::put(LAST, life.clone(), next.to_string())]).await.unwrap();
        let appended = join_all(appends).await;
        let mut out = std::io::stdout().lock();
        for (number, appended) in batch.zip(appended) {
            writeln!(out, "kept {number} {}", appended.unwrap().sequence).unwrap();
        }
        writeln!(out, "last {next}").unwrap();
        out.flush().unwrap();
    }
}

struct Life {
    child: Child,
    lines: Receiver<String>,
}

impl Life {
    fn begin(folder: &Path, life: u32) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .env(LIFE, life.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut line = String::new();
            // What the kill has cut off was not said.
            while out.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Lets it live so long after its first word, kills it, and says what it said.
    #[allow(clippy::disallowed_methods, reason = "a test that waits for a process serves nobody else")]
    fn killed_after(mut self, time: Duration) -> Vec<String> {
        let mut said = Vec::new();
        let first = self.lines.iter().find(|line| line.starts_with("kept"));
        said.push(first.expect("it has opened the store and written"));
        std::thread::sleep(time);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        said.extend(self.lines.iter());
        said
    }
}

/// What is in the store: values by log and sequence.
async fn everything(store: &dyn Store) -> BTreeMap<(Log, u64), Bytes> {
    let mut all = BTreeMap::new();
    for log in (0..3).map(log) {
        let mut after = 0;
        loop {
            let page = store.read(&log, Span { after, ..Span::oldest(MAX_PAGE) }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.sequence;
            all.extend(page.into_iter().map(|record| ((log.clone(), record.sequence), record.value)));
        }
    }
    all
}

#[tokio::test]
async fn q_04_what_was_acknowledged_is_there_after_100_kills() {
    let scratch = Scratch::new();
    let mut said = Vec::new();
    for life in 0..LIVES {
        let time = Duration::from_micros(u64::from(life * 7919 % 97) * 600);
        said.push(Life::begin(scratch.path(), life).killed_after(time));
    }
    let store = Sqlite::open(&scratch.path().join("odeon.sqlite")).unwrap();
    let all = everything(&store).await;
    let mut acknowledged = 0;
    for (life, lines) in said.iter().enumerate() {
        for words in lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>()) {
            match words[..] {
                ["kept", number, sequence] => {
                    let key = (log(number.parse().unwrap()), sequence.parse().unwrap());
                    let value = all.get(&key).unwrap_or_else(|| panic!("{number} of life {life} is lost"));
                    assert!(value.starts_with(format!("{life}-{number}-").as_bytes()));
                    acknowledged += 1;
                }
                ["last", number] => {
                    let document = store.get(LAST, &life.to_string()).await.unwrap().unwrap();
                    let last: usize = std::str::from_utf8(&document.value).unwrap().parse().unwrap();
                    assert!(last >= number.parse().unwrap());
                }
                _ => {}
            }
        }
    }
    // Otherwise it was no test of writing.
    assert!(acknowledged > 100 * AT_ONCE, "only {acknowledged}");
    println!("{acknowledged} acknowledged, {} in the store", all.len());
}
