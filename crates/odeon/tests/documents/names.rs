//! TRAILS.md and ARCHITECTURE.md: every file and function that they name exists.

use crate::root;

/// What stands between backticks and looks like a place in the code: `crates/…`, with `::function` or without.
fn places(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(document)).unwrap_or_else(|_| panic!("{document} is missing"));
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|quoted| quoted.starts_with("crates/")).map(str::to_owned).collect()
}

fn exists(place: &str) -> bool {
    let (path, name) = place.split_once("::").map_or((place, None), |(path, name)| (path, Some(name)));
    let file = root().join(path);
    match name {
        None => file.exists(),
        // `Type::function` names the function; its type is for the reader.
        Some(name) => std::fs::read_to_string(file).is_ok_and(|text| defines(&text, name)),
    }
}

fn defines(text: &str, name: &str) -> bool {
    let (owner, function) = name.rsplit_once("::").map_or((None, name), |(owner, function)| (Some(owner), function));
    let function = text.contains(&format!("fn {function}(")) || text.contains(&format!("fn {function}<"));
    function && owner.is_none_or(|owner| text.contains(&format!(" {owner}")))
}

#[test]
fn every_place_that_the_trails_name_exists() {
    let places = places("TRAILS.md");
    assert!(places.len() >= 10, "the trails name {} places only", places.len());
    let lost: Vec<_> = places.iter().filter(|place| !place.contains("::") || !exists(place)).collect();
    assert!(lost.is_empty(), "TRAILS.md names what is not there: {lost:#?}");
}

#[test]
fn every_place_that_the_architecture_names_exists() {
    let lost: Vec<_> = places("ARCHITECTURE.md").into_iter().filter(|place| !exists(place)).collect();
    assert!(lost.is_empty(), "ARCHITECTURE.md names what is not there: {lost:#?}");
}

#[test]
fn a_function_that_is_not_there_is_noticed() {
    assert!(exists("crates/odeon/src/main.rs::main"));
    assert!(!exists("crates/odeon/src/main.rs::encore") && !exists("crates/odeon/src/encore.rs"));
}
