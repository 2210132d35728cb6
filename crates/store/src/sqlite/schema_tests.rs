//! Which files are opened, and how old ones become new.

use super::*;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;

/// A place for a file, gone with its folder.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("odeon-schema-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("odeon.sqlite")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn version(connection: &Connection) -> i64 {
    pragma(connection, "user_version").unwrap()
}

fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_new_file_has_the_newest_version_and_is_its_owners_alone() {
    let scratch = Scratch::new("new");
    let connection = open_writer(&scratch.file()).unwrap();
    assert_eq!(version(&connection), MIGRATIONS.len() as i64);
    for entry in fs::read_dir(&scratch.0).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn a_commit_is_on_stable_storage_when_it_returns() {
    let scratch = Scratch::new("full");
    let connection = open_writer(&scratch.file()).unwrap();
    assert_eq!(pragma::<String>(&connection, "journal_mode").unwrap(), "wal");
    // 2: FULL.
    assert_eq!(pragma::<i64>(&connection, "synchronous").unwrap(), 2);
}

#[test]
fn a_file_of_each_older_version_becomes_the_newest_and_keeps_what_is_in_it() {
    for old in 1..=MIGRATIONS.len() {
        let scratch = Scratch::new(&format!("old-{old}"));
        let connection = Connection::open(scratch.file()).unwrap();
        migrate(&connection, &MIGRATIONS[..old], 0).unwrap();
        connection.execute("INSERT INTO documents VALUES ('things', 'key', 1, x'07')", []).unwrap();
        drop(connection);
        let connection = open_writer(&scratch.file()).unwrap();
        assert_eq!(version(&connection), MIGRATIONS.len() as i64);
        let count: i64 = connection.query_row("SELECT count(*) FROM documents", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1);
    }
}

#[test]
fn a_step_is_made_whole_or_not_at_all_and_the_next_start_goes_on() {
    let connection = Connection::open_in_memory().unwrap();
    let broken = ["CREATE TABLE one (a)", "CREATE TABLE two (a); CREATE TABLE one (b)"];
    assert!(migrate(&connection, &broken, 0).is_err());
    assert_eq!((version(&connection), tables(&connection)), (1, vec!["one".to_owned()]));
    let mended = [broken[0], "CREATE TABLE two (a)", "CREATE TABLE three (a)"];
    migrate(&connection, &mended, 1).unwrap();
    assert_eq!((version(&connection), tables(&connection).len()), (3, 3));
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let scratch = Scratch::new("newer");
    let connection = open_writer(&scratch.file()).unwrap();
    connection.pragma_update(None, "user_version", 1000).unwrap();
    drop(connection);
    let before = fs::read(scratch.file()).unwrap();
    let error = open_writer(&scratch.file()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 1000, .. }), "{error}");
    assert!(error.to_string().contains("upgrade"));
    assert_eq!(fs::read(scratch.file()).unwrap(), before);
}

#[test]
fn another_programs_database_is_refused() {
    let scratch = Scratch::new("foreign");
    Connection::open(scratch.file()).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let error = open_writer(&scratch.file()).unwrap_err();
    assert!(matches!(error, OpenError::Foreign(_)), "{error}");
}

#[test]
fn what_is_no_database_is_called_damaged() {
    let scratch = Scratch::new("text");
    fs::write(scratch.file(), "Dear diary, ".repeat(100)).unwrap();
    let error = open_writer(&scratch.file()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("backup"));
}

#[test]
fn damage_in_the_middle_is_noticed() {
    let scratch = Scratch::new("damage");
    let connection = open_writer(&scratch.file()).unwrap();
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)";
    let sql = format!("{numbers} INSERT INTO documents SELECT 'things', i, 1, randomblob(500) FROM n");
    connection.execute(&sql, []).unwrap();
    drop(connection);
    let file = OpenOptions::new().write(true).open(scratch.file()).unwrap();
    file.write_all_at(&[0xff; 4096], file.metadata().unwrap().len() / 2 / 4096 * 4096).unwrap();
    let connection = open_reader(&scratch.file()).unwrap();
    // Longer than a start would look: this is about what is found, not about when.
    let error = check(&connection, &scratch.file(), Duration::from_secs(60)).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn looking_for_damage_ends_in_time() {
    let connection = Connection::open_in_memory().unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let ended = interrupted_after(&connection, Duration::from_millis(20), || {
        connection.query_row(endless, [], |row| row.get::<_, i64>(0))
    });
    assert_eq!(ended.unwrap_err().sqlite_error_code(), Some(ErrorCode::OperationInterrupted));
}
