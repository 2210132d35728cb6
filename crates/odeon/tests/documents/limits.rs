//! LIMITS.md: every limit with its value and the reason that stands beside it in the code.

use crate::source::{self, Source};
use crate::{assert_generated, root};
use std::fmt::Write;

/// Words in a constant's name that make it a limit.
const WORDS: &[&str] = &["MAX", "MIN", "LIMIT", "TIMEOUT", "BACKLOG", "CAPACITY", "TTL", "LEEWAY", "GRACE", "PATIENCE"];

const HEAD: &str = "# Limits\n\n\
Everything that comes from outside has a limit: a named constant with its reason, refused cheaply and clearly. This table\n\
is written from the code by `make limits`, and a test compares the two. What an operator can set is told by\n\
`odeon config explain`.\n";

struct Limit {
    name: String,
    value: String,
    reason: String,
}

fn limits(source: &Source) -> Vec<Limit> {
    let lines: Vec<&str> = source.without_tests().lines().collect();
    // A file that is called so holds nothing else.
    let all = source.path.ends_with("/limits.rs");
    (0..lines.len()).filter_map(|at| limit_at(&lines, at, all)).collect()
}

fn limit_at(lines: &[&str], at: usize, all: bool) -> Option<Limit> {
    let line = lines[at].trim_start();
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) ")).unwrap_or(line);
    let declaration = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("const ")?;
    let (name, _) = declaration.split_once(':')?;
    if !all && !name.split('_').any(|word| WORDS.contains(&word)) {
        return None;
    }
    let statement = lines[at..].iter().take(6).map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let value = statement.split_once(" = ")?.1.split(';').next()?.to_owned();
    Some(Limit { name: name.to_owned(), value, reason: reason_above(lines, at) })
}

fn reason_above(lines: &[&str], at: usize) -> String {
    let comment = |line: &&&str| line.trim_start().starts_with("//");
    let above = lines[..at].iter().rev().skip_while(|line| line.trim_start().starts_with("#[")).take_while(comment);
    let mut words: Vec<&str> = above.map(|line| line.trim_start().trim_start_matches('/').trim()).collect();
    words.reverse();
    words.join(" ")
}

/// What meets strangers: the tools that only we run don't.
fn served() -> Vec<Source> {
    let tool = |source: &Source| ["crates/bench/", "crates/sim/"].iter().any(|tool| source.path.starts_with(tool));
    source::all().into_iter().filter(|source| !tool(source)).collect()
}

fn table() -> String {
    let mut text = HEAD.to_owned();
    for source in served() {
        let limits = limits(&source);
        if limits.is_empty() {
            continue;
        }
        write!(text, "\n## {}\n| limit | value | why |\n|---|---|---|\n", source.path).unwrap();
        for limit in limits {
            let (value, reason) = (limit.value.replace('|', "\\|"), limit.reason.replace('|', "\\|"));
            writeln!(text, "| `{}` | `{value}` | {reason} |", limit.name).unwrap();
        }
    }
    text
}

#[test]
fn every_limit_in_the_code_is_listed_with_its_reason() {
    assert_generated("LIMITS.md", &table());
}

#[test]
fn no_limit_stands_without_a_reason() {
    let silent = |source: &Source| {
        let silent = limits(source).into_iter().filter(|limit| limit.reason.len() < 10);
        silent.map(|limit| format!("{}: {}", source.path, limit.name)).collect::<Vec<_>>()
    };
    let silent: Vec<String> = served().iter().flat_map(silent).collect();
    assert!(silent.is_empty(), "limits without a reason above them:\n{}", silent.join("\n"));
}

#[test]
fn the_list_is_where_people_look_for_it() {
    assert!(root().join("LIMITS.md").exists() || std::env::var_os("UPDATE_DOCUMENTS").is_some());
}
