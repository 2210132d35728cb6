//! The file: its pragmas, its schema and the way there from older ones.

use super::OpenError;
use crate::limits::{CHECK_TIMEOUT, MAX_WAL_BYTES};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// Says whose file it is: "ODEO".
const APPLICATION_ID: i64 = 0x4f44_454f;

/// Longest wait for another process that has the file locked, as a backup's end does for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements that stay prepared on each connection: all that there are.
const STATEMENTS: usize = 64;

/// How a file becomes the next version: the first entry makes version 1 of an empty one. Entries are never changed, only added.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql")];

/// Opens the connection that writes: makes the file and brings it up to date where need be.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    // Made by us, so that only its owner may read it; what lies beside it inherits that.
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(io)?;
    let failed = |error| OpenError::of(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    configure(&connection).map_err(failed)?;
    begin_wal(&connection).map_err(failed)?;
    prepare(&connection, path)?;
    Ok(connection)
}

/// Opens a connection that only reads, from a file that a writer has prepared.
pub(super) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error| OpenError::of(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    configure(&connection).map_err(failed)?;
    Ok(connection)
}

/// Opens a store that is gone with its last connection.
pub(super) fn open_in_memory() -> Result<Connection, OpenError> {
    let path = Path::new(":memory:");
    let connection = Connection::open_in_memory().map_err(|error| OpenError::of(path, error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    prepare(&connection, path)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

// FULL: a commit is on stable storage when it returns, not just safe from tearing the file.
fn begin_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::InvalidParameterName("this file system bears no write-ahead log".into()));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", MAX_WAL_BYTES)
}

fn prepare(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    let application: i64 = pragma(connection, "application_id").map_err(failed)?;
    let version: i64 = pragma(connection, "user_version").map_err(failed)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if application == APPLICATION_ID && version > known {
        return Err(OpenError::Newer { path: path.to_owned(), found: version, known });
    }
    if application != APPLICATION_ID && !is_empty(connection).map_err(failed)? {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    check(connection, path, CHECK_TIMEOUT)?;
    migrate(connection, MIGRATIONS, version).map_err(failed)
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// Each step is made whole or not at all.
fn migrate(connection: &Connection, migrations: &[&str], version: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(version).unwrap_or(0);
    for (at, step) in migrations.iter().enumerate().skip(done) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i64::try_from(at + 1).unwrap_or(i64::MAX))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Looks for damage as long as a start may take; a large file is looked at in part.
fn check(connection: &Connection, path: &Path, timeout: Duration) -> Result<(), OpenError> {
    let found = interrupted_after(connection, timeout, || {
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    });
    match found {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(OpenError::Damaged { path: path.to_owned(), reason: found }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(()),
        Err(error) => Err(OpenError::of(path, error)),
    }
}

fn interrupted_after<T>(connection: &Connection, after: Duration, work: impl FnOnce() -> T) -> T {
    let handle = connection.get_interrupt_handle();
    let (done, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(after) == Err(mpsc::RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
