//! Facts of the machine.

use std::ffi::{CString, OsStr};
use std::fs::{self, OpenOptions, TryLockError};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Files that container engines put into a container: Docker's, Podman's.
const CONTAINER_MARKS: &[&str] = &["/.dockerenv", "/run/.containerenv"];

/// Whether an Odeon has the folder.
pub(super) fn is_running(data_dir: &Path) -> bool {
    let lock = OpenOptions::new().write(true).open(data_dir.join(crate::data_dir::LOCK));
    lock.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// In a container that has a network of its own: one with the machine's network (`--network host`) is as good as none.
pub(super) fn in_container() -> bool {
    is_container() && fs::read_dir("/sys/class/net").is_ok_and(|all| all.flatten().any(|link| is_pair(&link.path())))
}

// One end of a pair whose other end is outside: its peer has an index of its own (veth(4)).
fn is_pair(link: &Path) -> bool {
    let index = |name| fs::read_to_string(link.join(name)).ok()?.trim().parse::<u32>().ok();
    matches!((index("ifindex"), index("iflink")), (Some(own), Some(peer)) if own != peer)
}

fn is_container() -> bool {
    let marked = CONTAINER_MARKS.iter().any(|mark| Path::new(mark).exists());
    // Kubernetes leaves no file, and this variable in every pod.
    marked || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// Bytes that this user can still write there, or where the folder would be made.
pub(super) fn disk_free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|path| path.as_os_str().is_empty() || path.exists())?;
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let path = CString::new(fs::canonicalize(there).ok()?.as_os_str().as_bytes()).ok()?;
    let mut about = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends in a zero and `about` has the size that the call fills when it succeeds; both outlive it.
    let about = unsafe {
        if libc::statvfs(path.as_ptr(), about.as_mut_ptr()) != 0 {
            return None;
        }
        about.assume_init()
    };
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Whether a program can be started by this name: a path, or one to be looked for in the folders of `path` (`$PATH`).
pub(super) fn is_program(name: &Path, path: &OsStr) -> bool {
    let may_run =
        |file: &Path| fs::metadata(file).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    if name.as_os_str().as_bytes().contains(&b'/') {
        return may_run(name);
    }
    std::env::split_paths(path).any(|folder| may_run(&folder.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_dir::DataDir;
    use crate::scratch::Scratch;

    #[test]
    fn a_server_that_runs_is_seen_by_its_lock() {
        let scratch = Scratch::new();
        assert!(!is_running(scratch.path()));
        let dir = DataDir::open(scratch.path()).unwrap();
        let lock = dir.lock().unwrap();
        assert!(is_running(scratch.path()));
        drop(lock);
        assert!(!is_running(scratch.path()));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_room_of_where_it_will_be() {
        let scratch = Scratch::new();
        assert!(disk_free(&scratch.path().join("not/yet")).unwrap() > 0);
        assert!(disk_free(Path::new("not-yet")).unwrap() > 0);
    }

    // C-19
    #[test]
    fn c_19_a_program_is_found_by_its_path_or_in_the_folders_of_path_if_it_may_be_run() {
        let scratch = Scratch::new();
        let file = scratch.path().join("ffmpeg");
        let path = std::env::join_paths([Path::new("/nowhere"), scratch.path()]).unwrap();
        let found = || [is_program(Path::new("ffmpeg"), &path), is_program(&file, OsStr::new(""))];
        assert_eq!(found(), [false; 2]);
        fs::write(&file, "").unwrap();
        assert_eq!(found(), [false; 2], "one that nobody may run is none");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(found(), [true; 2]);
        assert!(!is_program(scratch.path(), &path), "a folder is no program");
        assert!(!is_program(Path::new("ffmpeg"), OsStr::new("")));
    }
}
