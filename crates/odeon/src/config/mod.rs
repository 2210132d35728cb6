//! Settings: one name each, the same in the file, the environment and on the command line.
//!
//! Later layers win: default, `--dev`, file, LiveKit's environment, `ODEON_…`, flag. An unknown name is refused with the
//! nearest known one, and everything that is wrong is told at once.

mod env;
mod explain;
mod file;
mod livekit;
mod names;
mod nearest;
mod presets;
mod setting;
mod table;
mod urls;
mod value;
mod zone;

pub use explain::explain;
pub use nearest::nearest;
pub use setting::{Effect, Setting, find};
pub use table::{Config, SETTINGS};
pub use value::{Keys, LogFormat, Networks, Undeclared, Value};

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nobody set it.
    Default,
    /// `--dev` did.
    Dev,
    /// A file.
    File(PathBuf),
    /// The variable of this name.
    Environment(String),
    /// The flag of this name.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Dev => f.write_str("--dev"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// What is wrong with the settings, in words that say what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No setting has this name.
    #[error("{place}: no setting is called {name:?}{}", did_you_mean(.nearest))]
    Unknown {
        /// As written.
        name: String,
        /// Where.
        place: Place,
        /// The known name that is most like it.
        nearest: Option<String>,
    },
    /// LiveKit has a setting of this name, and we have none that means the same.
    #[error("{place}: {name:?} is LiveKit's, and Odeon has none that means the same: {hint}")]
    Foreign {
        /// As written.
        name: String,
        /// Where.
        place: Place,
        /// What to do instead.
        hint: &'static str,
    },
    /// The value does not fit. It is not repeated here: it may be a secret.
    #[error("{place}: {key} does not fit: {reason}")]
    Value {
        /// The setting.
        key: &'static str,
        /// Where.
        place: Place,
        /// What is accepted.
        reason: String,
    },
    /// The file can't be read, or is no TOML or YAML.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

/// What the layers are read from.
#[derive(Default)]
pub struct Sources {
    /// `--dev`: known keys, loopback only.
    pub dev: bool,
    /// The file, TOML, or YAML by its extension.
    pub file: Option<PathBuf>,
    /// LiveKit's `LIVEKIT_CONFIG`: a file's text, YAML.
    pub body: Option<String>,
    /// All of the environment.
    pub environment: Vec<(String, String)>,
    /// Flags: key and text.
    pub flags: Vec<(&'static str, String)>,
}

/// The settings in force, and where each came from.
#[derive(Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// `--dev` was given.
    pub dev: bool,
    places: BTreeMap<&'static str, Place>,
    errors: Vec<ConfigError>,
}

/// What `--dev` sets. Its keys are known to everybody, so nothing of it may be reachable from outside.
const DEV: &[(&str, &str)] = &[
    ("keys", "devkey: secret"),
    ("http.bind", "127.0.0.1,::1"),
    ("tls.bind", "127.0.0.1,::1"),
    ("rtc.bind", "127.0.0.1"),
    ("rtc.loopback", "true"),
    ("rooms.undeclared", "open"),
    ("drain_timeout", "0"),
];

impl Loaded {
    /// Where this setting's value came from.
    pub fn place(&self, key: &str) -> Place {
        self.places.get(key).cloned().unwrap_or(Place::Default)
    }

    fn set(&mut self, setting: &'static Setting, text: &str, place: Place) {
        match (setting.assign)(&mut self.config, text) {
            Ok(()) => drop(self.places.insert(setting.key, place)),
            Err(reason) => self.errors.push(ConfigError::Value { key: setting.key, place, reason }),
        }
    }

    fn refuse(&mut self, name: &str, place: Place, nearest: Option<String>) {
        let name = name.to_owned();
        self.errors.push(match livekit::hint(&name) {
            Some(hint) => ConfigError::Foreign { name, place, hint },
            None => ConfigError::Unknown { name, place, nearest },
        });
    }
}

/// Reads all layers. The error holds everything that is wrong, not just the first.
pub fn load(sources: &Sources) -> Result<Loaded, Vec<ConfigError>> {
    let mut loaded =
        Loaded { config: Config::default(), dev: sources.dev, places: BTreeMap::new(), errors: Vec::new() };
    if sources.dev {
        DEV.iter().filter_map(|(key, text)| Some((find(key)?, text))).for_each(|(setting, text)| {
            loaded.set(setting, text, Place::Dev);
        });
    }
    if let Some(body) = &sources.body {
        file::apply(&mut loaded, Path::new("LIVEKIT_CONFIG.yaml"), body);
    }
    if let Some(path) = &sources.file {
        file::load(&mut loaded, path);
    }
    env::apply(&mut loaded, &sources.environment);
    for (key, text) in &sources.flags {
        if let Some(setting) = find(key) {
            loaded.set(setting, text, Place::Flag((*key).to_owned()));
        }
    }
    if loaded.errors.is_empty() { Ok(loaded) } else { Err(loaded.errors) }
}

#[cfg(test)]
mod tests;
