//! `odeon backup`: a copy of the data folder that is a data folder itself, made while the server goes on.

use crate::cli::Flags;
use crate::data_dir::{ABOUT, DATABASE, LOCK};
use crate::failure::Failure;
use crate::start;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why there is no backup, in words that say what to do.
#[derive(Debug, thiserror::Error)]
enum BackupError {
    #[error("{} is no Odeon's folder: name the one to be copied with --data-dir", .0.display())]
    NoDataDir(PathBuf),
    #[error("{} is not empty: name a folder that is not there yet", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} is in the data folder itself: name one outside, best on another disk", .0.display())]
    Inside(PathBuf),
    #[error(transparent)]
    Database(#[from] store::sqlite::OpenError),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// What was copied.
#[derive(Debug, Default, PartialEq, Eq)]
struct Copied {
    files: u64,
    bytes: u64,
}

/// Copies the data folder of these settings to the folder `to`, which is made, or is empty.
pub fn run(flags: &Flags, to: &Path) -> Result<(), Failure> {
    let loaded = start::settings(flags)?;
    let copied = backup(&loaded.config.data_dir, to).map_err(Failure::other)?;
    println!("{} files, {} bytes, in {}", copied.files, copied.bytes, to.display());
    println!("`odeon serve --data-dir {}` starts with them", to.display());
    Ok(())
}

fn backup(from: &Path, to: &Path) -> Result<Copied, BackupError> {
    if !from.join(ABOUT).is_file() {
        return Err(BackupError::NoDataDir(from.to_owned()));
    }
    prepare(from, to)?;
    let copied = copy_all(from, to);
    if copied.is_err() {
        // Half a backup is none, and what is in there is ours. Why there is none is told anyway.
        let _ = fs::remove_dir_all(to);
    }
    copied
}

/// Makes the folder, and sees to it that nothing of somebody's is in it.
fn prepare(from: &Path, to: &Path) -> Result<(), BackupError> {
    make_dir(to)?;
    let whole = |path: &Path| path.canonicalize().map_err(failed(path));
    if whole(to)?.starts_with(whole(from)?) {
        // Only if it is empty; else it was not made by us.
        let _ = fs::remove_dir(to);
        return Err(BackupError::Inside(to.to_owned()));
    }
    let empty = fs::read_dir(to).map_err(failed(to))?.next().is_none();
    if empty { Ok(()) } else { Err(BackupError::NotEmpty(to.to_owned())) }
}

/// What makes it a data folder comes last: a copy that was broken off is none.
fn copy_all(from: &Path, to: &Path) -> Result<Copied, BackupError> {
    let mut copied = Copied::default();
    if from.join(DATABASE).exists() {
        let copy = to.join(DATABASE);
        store::sqlite::copy(&from.join(DATABASE), &copy)?;
        copied.count(fs::metadata(&copy).map_err(failed(&copy))?.len());
    }
    copy_dir(from, to, &is_copied_elsewhere, &mut copied)?;
    copied.count(copy_file(&from.join(ABOUT), &to.join(ABOUT))?.unwrap_or(0));
    File::open(to).and_then(|dir| dir.sync_all()).map_err(failed(to))?;
    Ok(copied)
}

/// The database is copied by its engine, drafts are nobody's yet, and the lock is the running server's.
fn is_copied_elsewhere(name: &str) -> bool {
    name == ABOUT || name == LOCK || name.starts_with(DATABASE) || name.ends_with(".new")
}

fn copy_dir(from: &Path, to: &Path, leave_out: &dyn Fn(&str) -> bool, copied: &mut Copied) -> Result<(), BackupError> {
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let name = entry.map_err(failed(from))?.file_name();
        if name.to_str().is_some_and(leave_out) {
            continue;
        }
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            make_dir(&to)?;
            copy_dir(&from, &to, &|_| false, copied)?;
        } else if from.is_file()
            && let Some(bytes) = copy_file(&from, &to)?
        {
            copied.count(bytes);
        }
    }
    Ok(())
}

fn make_dir(path: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed(path))
}

/// Copies what is in a file by now; `None` if it has gone meanwhile, as old recordings do.
fn copy_file(from: &Path, to: &Path) -> Result<Option<u64>, BackupError> {
    let source = match File::open(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed(from))?,
    };
    let length = source.metadata().map_err(failed(from))?.len();
    let mut target = OpenOptions::new().create_new(true).write(true).mode(0o600).open(to).map_err(failed(to))?;
    let bytes = io::copy(&mut source.take(length), &mut target).map_err(failed(to))?;
    target.sync_all().map_err(failed(to))?;
    Ok(Some(bytes))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    |source| BackupError::Io { path: path.to_owned(), source }
}

impl Copied {
    fn count(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_dir::DataDir;
    use crate::scratch::Scratch;
    use std::os::unix::fs::PermissionsExt;

    fn text(path: PathBuf) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn everything_is_copied_for_its_owner_alone_but_the_lock_and_drafts() {
        let scratch = Scratch::new();
        let (from, to) = (scratch.path().join("data"), scratch.path().join("copies/today"));
        let dir = DataDir::open(&from).unwrap();
        let _lock = dir.lock().unwrap();
        dir.write("keys", b"APIone: secret").unwrap();
        drop(store::Sqlite::open(&from.join(DATABASE)).unwrap());
        fs::create_dir_all(from.join("recordings/one")).unwrap();
        fs::write(from.join("recordings/one/part.mp4"), "moof").unwrap();
        fs::write(from.join("recordings/one/odeon.json"), "a name that means nothing there").unwrap();
        fs::write(from.join("keys.new"), "half a").unwrap();
        assert_eq!(backup(&from, &to).unwrap().files, 5);
        let copy = DataDir::open(&to).unwrap();
        assert_eq!(copy.node_id(), dir.node_id());
        assert_eq!(text(to.join("keys")), "APIone: secret");
        assert_eq!(text(to.join("recordings/one/part.mp4")), "moof");
        assert!(to.join("recordings/one/odeon.json").exists());
        assert!(!to.join("keys.new").exists() && !to.join(LOCK).exists());
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(to.join("keys")), mode(to.join(DATABASE)), mode(to)), (0o600, 0o600, 0o700));
    }

    #[test]
    fn nothing_of_somebodys_is_overwritten() {
        let scratch = Scratch::new();
        let (from, to) = (scratch.path().join("data"), scratch.path().join("to"));
        DataDir::open(&from).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(to.join("thesis.tex"), "x").unwrap();
        assert!(matches!(backup(&from, &to), Err(BackupError::NotEmpty(_))));
        assert_eq!(text(to.join("thesis.tex")), "x");
    }

    #[test]
    fn a_copy_does_not_go_into_what_it_copies() {
        let scratch = Scratch::new();
        let from = scratch.path().join("data");
        DataDir::open(&from).unwrap();
        let inside = from.join("../data/copy");
        assert!(matches!(backup(&from, &inside), Err(BackupError::Inside(_))));
        assert!(matches!(backup(&from, &from), Err(BackupError::Inside(_))));
        assert!(!inside.exists() && from.join(ABOUT).exists());
    }

    #[test]
    fn a_folder_without_an_odeon_is_no_folder_to_copy() {
        let scratch = Scratch::new();
        let to = scratch.path().join("to");
        assert!(matches!(backup(&scratch.path().join("data"), &to), Err(BackupError::NoDataDir(_))));
        assert!(!to.exists());
    }

    #[test]
    fn a_failed_copy_leaves_nothing_behind() {
        let scratch = Scratch::new();
        let (from, to) = (scratch.path().join("data"), scratch.path().join("to"));
        DataDir::open(&from).unwrap().write("keys", b"APIone: secret").unwrap();
        fs::write(from.join(DATABASE), "no database").unwrap();
        assert!(matches!(backup(&from, &to), Err(BackupError::Database(_))));
        assert!(!to.exists());
    }
}
