//! The one folder where everything is kept that Odeon writes: back this up, and everything is backed up (F-10).
//!
//! `odeon.json` says which format the folder has, so that an older Odeon doesn't ruin what a newer one wrote.

use crate::draw;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Format of the folder. Rises when an older Odeon could no longer use it.
const FORMAT: u32 = 1;

/// Says that the folder is an Odeon's, and in which format.
pub const ABOUT: &str = "odeon.json";
/// Held by the server that uses the folder.
pub const LOCK: &str = "lock";
/// What must outlive the process.
pub const DATABASE: &str = "odeon.sqlite";

/// What may lie in a folder that counts as empty: a freshly made file system's own.
const NOT_CONTENT: &[&str] = &["lost+found"];

/// Why a folder can't be used, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// A newer version wrote it.
    #[error("{} was written by a newer Odeon (format {found}, this one knows {FORMAT}): upgrade, or name another folder with --data-dir", path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Somebody else's files are in it.
    #[error("{} is neither empty nor an Odeon's folder: name another with --data-dir", .0.display())]
    Foreign(PathBuf),
    /// Another server uses it.
    #[error("another Odeon uses {}: end it, or name another folder with --data-dir", .0.display())]
    InUse(PathBuf),
    /// Its `odeon.json` can't be read.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct About {
    format: u32,
    node_id: String,
}

/// An opened folder.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
    about: About,
    first_start: bool,
}

/// Held while a server runs; the system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "holding it is what it is for")] File);

impl DataDir {
    /// Opens the folder, and makes it where there is none.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let io = |source| DataDirError::Io { path: path.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        match read_about(&path.join(ABOUT))? {
            Some(about) if about.format > FORMAT => {
                Err(DataDirError::Newer { path: path.to_owned(), found: about.format })
            }
            Some(about) => Ok(Self { path: path.to_owned(), about, first_start: false }),
            None if is_empty(path).map_err(io)? => Self::begin(path).map_err(io),
            None => Err(DataDirError::Foreign(path.to_owned())),
        }
    }

    fn begin(path: &Path) -> io::Result<Self> {
        let about = About { format: FORMAT, node_id: draw::id("ND_")? };
        let dir = Self { path: path.to_owned(), about, first_start: true };
        dir.write(ABOUT, serde_json::to_string_pretty(&dir.about)?.as_bytes())?;
        Ok(dir)
    }

    /// Takes the folder for this process alone.
    pub fn lock(&self) -> Result<Lock, DataDirError> {
        let path = self.path.join(LOCK);
        let io = |source| DataDirError::Io { path: path.clone(), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// This server's id, for its life (LiveKit: `ServerInfo.node_id`).
    pub fn node_id(&self) -> &str {
        &self.about.node_id
    }

    /// The folder was empty until now.
    pub fn first_start(&self) -> bool {
        self.first_start
    }

    /// A file's content; `None` if there is none.
    pub fn read(&self, name: &str) -> Result<Option<String>, DataDirError> {
        read(&self.path.join(name))
    }

    /// Writes a file that only its owner may read: whole, or not at all if the power fails.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let (path, draft) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(&self.path)?.sync_all()
    }
}

fn read(path: &Path) -> Result<Option<String>, DataDirError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DataDirError::Io { path: path.to_owned(), source }),
    }
}

fn read_about(path: &Path) -> Result<Option<About>, DataDirError> {
    let damaged = |reason: String| DataDirError::Damaged { path: path.to_owned(), reason };
    let Some(text) = read(path)? else { return Ok(None) };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    // A newer format may have lost every other field that we know, so this one is looked at alone.
    let format =
        value.get("format").and_then(serde_json::Value::as_u64).ok_or_else(|| damaged("no format in it".into()))?;
    if format > u64::from(FORMAT) {
        return Ok(Some(About { format: u32::try_from(format).unwrap_or(u32::MAX), node_id: String::new() }));
    }
    serde_json::from_value(value).map(Some).map_err(|error| damaged(error.to_string()))
}

// A draft that a power failure left behind on the very first start is no content.
fn is_empty(path: &Path) -> io::Result<bool> {
    let draft = format!("{ABOUT}.new");
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if !NOT_CONTENT.iter().any(|other| name == *other) && name != *draft {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
#[path = "data_dir_tests.rs"]
mod tests;
