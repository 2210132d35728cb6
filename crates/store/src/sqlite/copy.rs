//! Copies of everything, as of one moment, while others write.

use super::{OpenError, schema};
use crate::StoreError;
use rusqlite::Connection;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
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
    // Made by us, so that only its owner may read it; the engine fills one that is empty.
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(to).map_err(failed)?;
    let copied = fill(connection, name, &file);
    if copied.is_err() {
        // Half a copy is none. Why there is none is told anyway.
        let _ = fs::remove_file(to);
    }
    copied
}

fn fill(connection: &Connection, name: &str, file: &File) -> Result<(), StoreError> {
    connection.execute("VACUUM INTO ?1", [name])?;
    file.sync_all().map_err(failed)
}

fn failed(error: io::Error) -> StoreError {
    StoreError::failed(error.to_string())
}
