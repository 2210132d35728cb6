//! Documents are tied to the code, so that they can't rot: what they name exists, and what they list is complete.
//!
//! `UPDATE_DOCUMENTS=1 cargo test -p odeon --test documents` (`make limits`) writes the generated ones anew.

mod fuzz_targets;
mod layout;
mod limits;
mod names;
mod source;

use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Compares a generated file with what it should be, or writes it where that is asked for.
fn assert_generated(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        return std::fs::write(file, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let first_difference = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "{path} is not what the code says; run `make limits`. First difference: {first_difference:?}"
    );
}
