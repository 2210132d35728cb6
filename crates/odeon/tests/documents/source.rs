//! The source files of the workspace.

use crate::root;
use std::path::{Path, PathBuf};

/// A source file: its path from the root, and its text.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Its text up to where its unit tests begin.
    pub(crate) fn without_tests(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default()
    }
}

/// All of `crates/*/src`, but files that hold only tests.
pub(crate) fn all() -> Vec<Source> {
    let mut files = Vec::new();
    for krate in children(&root().join("crates")) {
        walk(&krate.join("src"), &mut files);
    }
    files.sort();
    files.iter().filter(|file| !is_test(file)).map(|file| read(file)).collect()
}

fn read(file: &Path) -> Source {
    let path = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    Source { path, text: std::fs::read_to_string(file).unwrap() }
}

fn is_test(file: &Path) -> bool {
    let name = file.file_stem().unwrap().to_str().unwrap();
    name == "tests" || name.ends_with("_tests") || file.components().any(|part| part.as_os_str() == "tests")
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for child in children(folder) {
        if child.is_dir() {
            walk(&child, files);
        } else if child.extension().is_some_and(|extension| extension == "rs") {
            files.push(child);
        }
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}
