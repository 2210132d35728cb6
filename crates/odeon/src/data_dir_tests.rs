use super::*;
use crate::scratch::Scratch;
use std::os::unix::fs::PermissionsExt;

#[test]
fn an_empty_folder_is_made_ours_and_keeps_its_node_id() {
    let scratch = Scratch::new();
    let first = DataDir::open(&scratch.path().join("deep/data")).unwrap();
    let again = DataDir::open(&scratch.path().join("deep/data")).unwrap();
    assert!(first.first_start() && !again.first_start());
    assert!(first.node_id().starts_with("ND_") && first.node_id() == again.node_id());
}

#[test]
fn a_folder_that_a_newer_version_wrote_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let newer = r#"{"format": 2, "something": "new"}"#;
    fs::write(scratch.path().join(ABOUT), newer).unwrap();
    let error = DataDir::open(scratch.path()).unwrap_err();
    assert!(matches!(error, DataDirError::Newer { found: 2, .. }), "{error}");
    assert_eq!(fs::read_to_string(scratch.path().join(ABOUT)).unwrap(), newer);
}

#[test]
fn a_folder_with_other_things_in_it_is_refused() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("thesis.tex"), "x").unwrap();
    assert!(matches!(DataDir::open(scratch.path()), Err(DataDirError::Foreign(_))));
}

#[test]
fn a_fresh_file_system_counts_as_empty() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path().join("lost+found")).unwrap();
    assert!(DataDir::open(scratch.path()).is_ok());
}

#[test]
fn a_start_that_lost_its_power_is_begun_again() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("odeon.json.new"), "{\"form").unwrap();
    assert!(DataDir::open(scratch.path()).unwrap().first_start());
}

#[test]
fn a_damaged_folder_says_so_instead_of_beginning_anew() {
    for damage in ["", "{", "[]", "{\"format\": \"1\"}", "{\"format\": 1}"] {
        let scratch = Scratch::new();
        fs::write(scratch.path().join(ABOUT), damage).unwrap();
        assert!(matches!(DataDir::open(scratch.path()), Err(DataDirError::Damaged { .. })), "{damage:?}");
    }
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let scratch = Scratch::new();
    let dir = DataDir::open(scratch.path()).unwrap();
    let lock = dir.lock().unwrap();
    assert!(matches!(dir.lock(), Err(DataDirError::InUse(_))));
    drop(lock);
    assert!(dir.lock().is_ok());
}

#[test]
fn what_is_kept_is_for_its_owner_alone() {
    let scratch = Scratch::new();
    let dir = DataDir::open(&scratch.path().join("data")).unwrap();
    dir.write("keys", b"APIone: hush\n").unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(dir.path().to_owned()), mode(dir.path().join("keys"))), (0o700, 0o600));
    assert_eq!(dir.read("keys").unwrap().as_deref(), Some("APIone: hush\n"));
}
