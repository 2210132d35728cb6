//! `fuzz/`: one thin target for each fuzz body in the crates, none forgotten.

use crate::assert_generated;
use crate::source::{self, Source};
use std::collections::BTreeSet;

/// A fuzz body: `crates/auth/src/fuzz.rs` with `pub fn token(data: &[u8])` is (`auth`, `token`).
type Body = (String, String);

fn bodies() -> BTreeSet<Body> {
    let is_fuzz = |source: &&Source| source.path.ends_with("/src/fuzz.rs");
    source::all().iter().filter(is_fuzz).flat_map(of_file).collect()
}

fn of_file(source: &Source) -> Vec<Body> {
    let krate = source.path.split('/').nth(1).unwrap();
    let body = |line: &str| {
        let (name, argument) = line.strip_prefix("pub fn ")?.split_once('(')?;
        argument.ends_with(": &[u8]) {").then(|| name.to_owned())
    };
    source.text.lines().filter_map(body).map(|name| (krate.to_owned(), name)).collect()
}

fn manifest(bodies: &BTreeSet<Body>) -> String {
    let crates: BTreeSet<_> = bodies.iter().map(|(krate, _)| krate).collect();
    let mut text = "# Written by `make limits` from the fuzz bodies in the crates. A workspace of its own: it needs a nightly toolchain.\n\
        [workspace]\n\n[package]\nname = \"odeon-fuzz\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
        [package.metadata]\ncargo-fuzz = true\n\n[dependencies]\nlibfuzzer-sys = \"0.4\"\n"
        .to_owned();
    crates.iter().for_each(|krate| text += &format!("{krate} = {{ path = \"../crates/{krate}\" }}\n"));
    for (krate, name) in bodies {
        let target = format!("{krate}_{name}");
        text += &format!(
            "\n[[bin]]\nname = \"{target}\"\npath = \"targets/{target}.rs\"\ntest = false\ndoc = false\nbench = false\n"
        );
    }
    text
}

#[test]
fn q_6_every_fuzz_body_has_its_target() {
    let bodies = bodies();
    assert!(!bodies.is_empty());
    assert_generated("fuzz/Cargo.toml", &manifest(&bodies));
    for (krate, name) in &bodies {
        let target = format!("#![no_main]\nlibfuzzer_sys::fuzz_target!(|data: &[u8]| {krate}::fuzz::{name}(data));\n");
        assert_generated(&format!("fuzz/targets/{krate}_{name}.rs"), &target);
    }
}
