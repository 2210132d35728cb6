//! Facts of the machine.

use std::ffi::CString;
use std::fs::{self, OpenOptions, TryLockError};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
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
}
