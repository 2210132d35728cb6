//! Copies of everything, as of one moment, while others write.

use super::{OpenError, schema};
use crate::StoreError;
use rusqlite::Connection;
use std::fs::File;
use std::path::Path;

/// Copies the database at `from` into the file `to`, which does not exist yet; a server may be using `from`.
///
/// # Errors
/// Says why not.
pub fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    let connection = schema::open_reader(from)?;
    into(&connection, to).map_err(|error| OpenError::Failed { path: to.to_owned(), reason: error.to_string() })
}

/// Everything that was committed before, on stable storage when it returns.
pub(super) fn into(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let name = to.to_str().ok_or_else(|| StoreError::failed("the name of the copy is no UTF-8"))?;
    if to.exists() {
        return Err(StoreError::failed("the file of the copy exists already"));
    }
    connection.execute("VACUUM INTO ?1", [name])?;
    let synced = File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| StoreError::failed(error.to_string()))
}
