//! How the code is laid out: what is pure stays pure, and files stay readable.

use crate::root;
use crate::source;

/// Crates without sockets, clock, tasks or randomness.
const PURE: &[&str] = &["room", "rtc", "sfu", "turn", "wire", "auth"];

/// What a pure crate must not be built on.
const IMPURE: &[&str] = &["tokio", "mio", "socket2", "quinn-udp", "libc", "axum", "hyper"];

/// Lines from which on a file probably holds two ideas. One in twenty may.
const LONG_FILE: usize = 500;

/// Lines from which on a file surely does.
const FAR_TOO_LONG_FILE: usize = 800;

fn manifest(krate: &str) -> String {
    std::fs::read_to_string(root().join("crates").join(krate).join("Cargo.toml")).unwrap()
}

#[test]
fn pure_crates_forbid_unsafe_code() {
    let file = |krate: &&str| root().join("crates").join(krate).join("src/lib.rs");
    for krate in PURE {
        let text = std::fs::read_to_string(file(krate)).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{krate} does not forbid unsafe code (Q-24)");
    }
}

#[test]
fn pure_crates_are_built_on_nothing_that_blocks() {
    for krate in PURE {
        let manifest = manifest(krate);
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        let found: Vec<_> = IMPURE.iter().filter(|name| dependencies.contains(&format!("\n{name}."))).collect();
        assert!(found.is_empty(), "{krate} depends on {found:?}");
    }
}

#[test]
fn str0m_is_named_in_rtc_alone() {
    let elsewhere = source::all().into_iter().filter(|source| {
        let allowed =
            ["crates/rtc/", "crates/sim/", "crates/bench/"].iter().any(|krate| source.path.starts_with(krate));
        !allowed && (source.text.contains("str0m::") || source.text.contains("use str0m"))
    });
    let elsewhere: Vec<_> = elsewhere.map(|source| source.path).collect();
    assert!(elsewhere.is_empty(), "the WebRTC library is rtc's inside: {elsewhere:?}");
}

#[test]
fn files_hold_one_idea() {
    let all = source::all();
    let over = |lines: usize| {
        let long = all.iter().filter(|source| source.text.lines().count() > lines);
        long.map(|source| source.path.as_str()).collect::<Vec<_>>()
    };
    assert!(over(LONG_FILE).len() * 20 <= all.len(), "over {LONG_FILE} lines: {:?}", over(LONG_FILE));
    assert!(over(FAR_TOO_LONG_FILE).is_empty(), "over {FAR_TOO_LONG_FILE} lines: {:?}", over(FAR_TOO_LONG_FILE));
}

#[test]
fn main_is_a_table_of_contents() {
    let main = std::fs::read_to_string(root().join("crates/odeon/src/main.rs")).unwrap();
    assert!(main.lines().count() <= 80);
}
