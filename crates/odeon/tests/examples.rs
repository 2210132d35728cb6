//! F-9: what the documents tell people to write into a file of settings is read as it stands.

mod common;

use common::{Scratch, answer, stderr};
use std::path::Path;

const DOCUMENTS: &[&str] = &["README.md", "docs/operations.md"];

/// The text of each block of TOML.
fn examples(document: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```toml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn f_9_every_example_of_settings_in_the_documents_is_read() {
    let scratch = Scratch::new("examples");
    for document in DOCUMENTS {
        let examples = examples(document);
        assert!(!examples.is_empty(), "{document} has no example");
        for example in examples {
            std::fs::write(scratch.path().join("odeon.toml"), &example).unwrap();
            let read = answer(&scratch, "config explain --config odeon.toml");
            assert!(read.status.success(), "{document}:\n{example}\n{}", stderr(&read));
        }
    }
}
