//! The file layer. TOML, or YAML where the extension says so (LiveKit's is).

use super::setting::{Setting, find};
use super::table::SETTINGS;
use super::{ConfigError, Loaded, Place, nearest};
use serde_json::Value;
use std::path::Path;

/// A config file's size in bytes at most: ours is a few hundred; more is some other file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Reads a file of settings into `loaded`; what is wrong with it goes into its errors.
pub(super) fn load(loaded: &mut Loaded, path: &Path) {
    match read(path) {
        Ok(text) => apply(loaded, path, &text),
        Err(reason) => loaded.errors.push(ConfigError::File { path: path.to_owned(), reason }),
    }
}

// The text of a file that is small enough.
fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("{size} bytes are no settings ({MAX_FILE_BYTES} at most)"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// Reads the text of a file of settings; `path` says its format and where errors are.
pub(super) fn apply(loaded: &mut Loaded, path: &Path, text: &str) {
    let place = Place::File(path.to_owned());
    match parse(path, text) {
        Ok(Value::Null) => {}
        Ok(root @ Value::Object(_)) => section(loaded, "", &root, &place),
        Ok(_) => loaded.errors.push(ConfigError::File { path: path.to_owned(), reason: "no settings in it".into() }),
        Err(reason) => loaded.errors.push(ConfigError::File { path: path.to_owned(), reason }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Value, String> {
    let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    match yaml {
        _ if text.trim().is_empty() => Ok(Value::Null),
        true => serde_saphyr::from_str(text).map_err(|error| first_line(&error.to_string())),
        false => toml::from_str(text).map_err(|error| toml_reason(text, &error)),
    }
}

// Both parsers print the lines around an error, and there may be a secret on them.
fn first_line(reason: &str) -> String {
    reason.lines().next().unwrap_or("no YAML").to_owned()
}

fn toml_reason(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.get(..start).map_or(0, |before| before.matches('\n').count()) + 1;
    format!("line {line}: {}", error.message())
}

// `prefix` is "" or a dotted path; a path that names a setting is read, one that leads to settings is gone into.
fn section(loaded: &mut Loaded, prefix: &str, value: &Value, place: &Place) {
    let Value::Object(entries) = value else { return };
    for (name, value) in entries {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match (named(&path), value) {
            (_, Value::Null) => {}
            (Some(setting), value) => assign(loaded, setting, value, place),
            (None, Value::Object(_)) if leads_somewhere(&path) => section(loaded, &path, value, place),
            (None, _) => loaded.refuse(&path, place.clone(), nearest(&path, file_names())),
        }
    }
}

fn assign(loaded: &mut Loaded, setting: &'static Setting, value: &Value, place: &Place) {
    match text_of(value) {
        Ok(text) => loaded.set(setting, &text, place.clone()),
        Err(reason) => loaded.errors.push(ConfigError::Value { key: setting.key, place: place.clone(), reason }),
    }
}

/// A file's value as the text that the environment would have, so that there is one reading for all layers.
fn text_of(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(items) => Ok(items.iter().map(text_of).collect::<Result<Vec<_>, _>>()?.join(",")),
        Value::Object(pairs) if pairs.values().any(Value::is_object) => Ok(value.to_string()),
        Value::Object(pairs) => pairs.iter().map(|(key, value)| pair(key, value)).collect(),
        Value::Null => Ok(String::new()),
        scalar => Ok(scalar.to_string()),
    }
}

fn pair(key: &str, value: &Value) -> Result<String, String> {
    // A secret of digits only would have come through a float, and lost some of them.
    let text = value.as_str().ok_or_else(|| format!("{key}: its value has to stand in quotes"))?;
    Ok(format!("{key}: {text}\n"))
}

fn named(path: &str) -> Option<&'static Setting> {
    find(path).or_else(|| SETTINGS.iter().find(|setting| setting.livekit_file_names().any(|name| name == path)))
}

fn leads_somewhere(path: &str) -> bool {
    file_names().any(|name| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

fn file_names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().flat_map(|setting| std::iter::once(setting.key).chain(setting.livekit_file_names()))
}
