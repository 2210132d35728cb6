//! Logs in SQL.

use crate::limits::{MAX_PAGE, MAX_PAGE_BYTES};
use crate::{Appended, Entry, Log, LogSize, Record, Retention, Span, StoreError};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use std::sync::Arc;

/// A log that has just grown.
struct Grown {
    family: i64,
    family_bytes: u64,
    log: i64,
    sequence: i64,
    entries: u64,
    bytes: u64,
}

/// A record that has to go.
struct Victim {
    id: i64,
    family: i64,
    log: i64,
    bytes: i64,
}

pub(super) fn append(
    connection: &Connection,
    log: &Log,
    entry: &Entry,
    retention: Retention,
) -> Result<Appended, StoreError> {
    let grown = grow(connection, log, signed(entry.value.len() as u64))?;
    let sql = "INSERT INTO records (family, log, sequence, at_ms, kind, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![grown.family, grown.log, grown.sequence, entry.at_ms, entry.kind, &entry.value[..]];
    connection.prepare_cached(sql)?.execute(values)?;
    let newest = connection.last_insert_rowid();
    let sequence = unsigned(grown.sequence);
    Ok(Appended { sequence, trimmed: trim(connection, grown, retention, newest)? })
}

/// Gives the next sequence, and counts the record that will have it.
fn grow(connection: &Connection, log: &Log, bytes: i64) -> rusqlite::Result<Grown> {
    let sql = "INSERT INTO families (name, bytes, floor) VALUES (?1, ?2, 0) \
               ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes RETURNING id, bytes, floor";
    let of_family = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (family, family_bytes, floor): (i64, i64, i64) =
        connection.prepare_cached(sql)?.query_row(params![log.family, bytes], of_family)?;
    let sql = "INSERT INTO logs (family, name, last, entries, bytes) VALUES (?1, ?2, ?3 + 1, 1, ?4) \
               ON CONFLICT DO UPDATE SET last = last + 1, entries = entries + 1, bytes = bytes + excluded.bytes \
               RETURNING id, last, entries, bytes";
    connection.prepare_cached(sql)?.query_row(params![family, &*log.name, floor, bytes], |row| {
        Ok(Grown {
            family,
            family_bytes: unsigned(family_bytes),
            log: row.get(0)?,
            sequence: row.get(1)?,
            entries: unsigned(row.get(2)?),
            bytes: unsigned(row.get(3)?),
        })
    })
}

/// Removes what is too much, but never the record `newest`; says how many records that were.
fn trim(connection: &Connection, mut grown: Grown, keep: Retention, newest: i64) -> Result<u64, StoreError> {
    let mut trimmed = 0;
    let over = |held: u64, limit: u64| limit > 0 && held > limit;
    while over(grown.entries, keep.entries) || over(grown.bytes, keep.bytes) {
        let Some(victim) = oldest_of_log(connection, grown.log, newest)? else { break };
        grown.entries -= 1;
        grown.bytes = grown.bytes.saturating_sub(unsigned(victim.bytes));
        grown.family_bytes = grown.family_bytes.saturating_sub(unsigned(victim.bytes));
        trimmed += 1;
        drop_record(connection, &victim)?;
    }
    while over(grown.family_bytes, keep.family_bytes) {
        let Some(victim) = oldest_of_family(connection, grown.family, newest)? else { break };
        grown.family_bytes = grown.family_bytes.saturating_sub(unsigned(victim.bytes));
        trimmed += 1;
        drop_record(connection, &victim)?;
    }
    Ok(trimmed)
}

fn oldest_of_log(connection: &Connection, log: i64, newest: i64) -> rusqlite::Result<Option<Victim>> {
    let sql =
        "SELECT id, family, log, length(value) FROM records WHERE log = ?1 AND id <> ?2 ORDER BY sequence LIMIT 1";
    connection.prepare_cached(sql)?.query_row([log, newest], victim).optional()
}

fn oldest_of_family(connection: &Connection, family: i64, newest: i64) -> rusqlite::Result<Option<Victim>> {
    let sql = "SELECT id, family, log, length(value) FROM records WHERE family = ?1 AND id <> ?2 ORDER BY id LIMIT 1";
    connection.prepare_cached(sql)?.query_row([family, newest], victim).optional()
}

fn victim(row: &Row<'_>) -> rusqlite::Result<Victim> {
    Ok(Victim { id: row.get(0)?, family: row.get(1)?, log: row.get(2)?, bytes: row.get(3)? })
}

fn drop_record(connection: &Connection, victim: &Victim) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM records WHERE id = ?1")?.execute([victim.id])?;
    let sql = "UPDATE families SET bytes = bytes - ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([victim.family, victim.bytes])?;
    let sql = "UPDATE logs SET entries = entries - 1, bytes = bytes - ?2 WHERE id = ?1 RETURNING entries";
    let left: i64 = connection.prepare_cached(sql)?.query_row([victim.log, victim.bytes], |row| row.get(0))?;
    if left == 0 { forget(connection, victim.log) } else { Ok(()) }
}

/// Forgets an empty log. Whichever log begins next in its family begins behind it, so that no sequence is given twice.
fn forget(connection: &Connection, log: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM logs WHERE id = ?1 RETURNING family, last";
    let (family, last): (i64, i64) =
        connection.prepare_cached(sql)?.query_row([log], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "UPDATE families SET floor = max(floor, ?2) WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([family, last])?;
    Ok(())
}

pub(super) fn read(connection: &Connection, log: &Log, span: &Span) -> Result<Vec<Record>, StoreError> {
    let order = if span.newest { "DESC" } else { "ASC" };
    // One statement, so that it sees one moment.
    let sql = format!(
        "SELECT sequence, at_ms, kind, value FROM records \
         WHERE log = (SELECT logs.id FROM logs JOIN families ON families.id = logs.family \
                      WHERE families.name = :family AND logs.name = :name) \
         AND sequence > :after AND (:since IS NULL OR at_ms >= :since) AND (:kind IS NULL OR kind = :kind) \
         ORDER BY sequence {order} LIMIT :limit"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! {
        ":family": log.family,
        ":name": &*log.name,
        ":after": signed(span.after),
        ":since": span.since_ms,
        ":kind": span.kind,
        ":limit": page(span.limit),
    })?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let record = record(row)?;
        bytes += record.value.len();
        if bytes > MAX_PAGE_BYTES {
            break;
        }
        records.push(record);
    }
    if span.newest {
        records.reverse();
    }
    Ok(records)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        sequence: unsigned(row.get(0)?),
        at_ms: row.get(1)?,
        kind: row.get(2)?,
        value: Bytes::from(row.get::<_, Vec<u8>>(3)?),
    })
}

pub(super) fn remove(connection: &Connection, log: &Log, sequence: u64) -> Result<bool, StoreError> {
    let sql = "SELECT records.id, records.family, records.log, length(records.value) FROM records \
               JOIN logs ON logs.id = records.log JOIN families ON families.id = logs.family \
               WHERE families.name = ?1 AND logs.name = ?2 AND records.sequence = ?3";
    let values = params![log.family, &*log.name, signed(sequence)];
    let found = connection.prepare_cached(sql)?.query_row(values, victim).optional()?;
    if let Some(victim) = &found {
        drop_record(connection, victim)?;
    }
    Ok(found.is_some())
}

pub(super) fn clear(connection: &Connection, log: &Log) -> Result<u64, StoreError> {
    let sql = "SELECT logs.id, families.id, logs.bytes FROM logs JOIN families ON families.id = logs.family \
               WHERE families.name = ?1 AND logs.name = ?2";
    let of_log = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found = connection.prepare_cached(sql)?.query_row(params![log.family, &*log.name], of_log).optional()?;
    let Some((id, family, bytes)): Option<(i64, i64, i64)> = found else { return Ok(0) };
    let removed = connection.prepare_cached("DELETE FROM records WHERE log = ?1")?.execute([id])?;
    let sql = "UPDATE families SET bytes = bytes - ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([family, bytes])?;
    forget(connection, id)?;
    Ok(removed as u64)
}

pub(super) fn sizes(
    connection: &Connection,
    family: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<LogSize>, StoreError> {
    let sql = "SELECT name, entries, bytes FROM logs \
               WHERE family = (SELECT id FROM families WHERE name = ?1) AND name > ?2 ORDER BY name LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let sizes = statement.query_map(params![family, after, page(limit)], |row| {
        let name: String = row.get(0)?;
        Ok(LogSize { name: Arc::from(name), entries: unsigned(row.get(1)?), bytes: unsigned(row.get(2)?) })
    })?;
    Ok(sizes.collect::<rusqlite::Result<_>>()?)
}

fn page(limit: usize) -> i64 {
    signed(limit.min(MAX_PAGE) as u64)
}

// SQLite's integers have a sign; nothing that we count comes near the end of either.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
