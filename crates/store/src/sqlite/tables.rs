//! Tables in SQL: one of documents, for all of them.

use crate::limits::{MAX_PAGE, MAX_PAGE_BYTES};
use crate::{Change, Document, Expect, Row, StoreError, Table};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

pub(super) fn get(connection: &Connection, table: Table, key: &str) -> Result<Option<Document>, StoreError> {
    let sql = "SELECT revision, value FROM documents WHERE collection = ?1 AND key = ?2";
    let found = connection.prepare_cached(sql)?.query_row(params![table.0, key], |row| document(row, 0)).optional()?;
    Ok(found)
}

pub(super) fn list(
    connection: &Connection,
    table: Table,
    prefix: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let sql = "SELECT key, revision, value FROM documents \
               WHERE collection = ?1 AND key >= ?2 AND key > ?3 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![table.0, prefix.max(after), after])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while found.len() < limit.min(MAX_PAGE)
        && let Some(row) = rows.next()?
    {
        let row = Row { key: row.get(0)?, document: document(row, 1)? };
        bytes += row.document.value.len();
        // Those that begin with the prefix stand together.
        if !row.key.starts_with(prefix) || bytes > MAX_PAGE_BYTES {
            break;
        }
        found.push(row);
    }
    Ok(found)
}

/// What is expected is compared with what was there before any of the changes.
pub(super) fn commit(connection: &Connection, changes: &[Change]) -> Result<Vec<u64>, StoreError> {
    for change in changes {
        let revision = revision(connection, change)?;
        let as_expected = match change.expect {
            Expect::Any => true,
            Expect::Absent => revision.is_none(),
            Expect::Present => revision.is_some(),
            Expect::Revision(expected) => revision == Some(expected),
        };
        if !as_expected {
            return Err(StoreError::Conflict);
        }
    }
    changes.iter().map(|change| make(connection, change)).collect()
}

fn revision(connection: &Connection, change: &Change) -> Result<Option<u64>, StoreError> {
    if change.expect == Expect::Any {
        return Ok(None);
    }
    let sql = "SELECT revision FROM documents WHERE collection = ?1 AND key = ?2";
    let values = params![change.table.0, change.key];
    let found: Option<i64> = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
    Ok(found.map(unsigned))
}

fn make(connection: &Connection, change: &Change) -> Result<u64, StoreError> {
    let Some(value) = &change.value else {
        let sql = "DELETE FROM documents WHERE collection = ?1 AND key = ?2";
        connection.prepare_cached(sql)?.execute(params![change.table.0, change.key])?;
        return Ok(0);
    };
    let sql = "UPDATE revisions SET last = last + 1 RETURNING last";
    let revision: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let sql = "INSERT INTO documents (collection, key, revision, value) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET revision = excluded.revision, value = excluded.value";
    connection.prepare_cached(sql)?.execute(params![change.table.0, change.key, revision, &value[..]])?;
    Ok(unsigned(revision))
}

fn document(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Document> {
    let value: Vec<u8> = row.get(at + 1)?;
    Ok(Document { value: Bytes::from(value), revision: unsigned(row.get(at)?) })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
