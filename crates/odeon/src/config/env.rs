//! The environment layer: `ODEON_…` for each setting, and LiveKit's own names for keys and ports.

use super::setting::Setting;
use super::table::SETTINGS;
use super::{Loaded, Place, nearest};

/// Variables that look like ours and are none: the test suite's, and those that Kubernetes and Docker links write for a
/// service that is called "odeon" (`ODEON_PORT=tcp://…`, `ODEON_SERVICE_HOST=…`).
const NOT_SETTINGS: &[&str] = &["ODEON_CONFIG", "ODEON_BIN", "ODEON_PORT"];
const NOT_SETTINGS_PREFIXES: &[&str] = &["ODEON_PORT_", "ODEON_SERVICE_"];

/// Reads all of the environment into `loaded`, ours after LiveKit's, so that ours win.
pub(super) fn apply(loaded: &mut Loaded, variables: &[(String, String)]) {
    for (name, text) in variables {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.livekit_env().any(|theirs| theirs == name)) {
            loaded.set(setting, text, Place::Environment(name.clone()));
        }
    }
    for (name, text) in variables.iter().filter(|(name, _)| is_ours(name)) {
        let place = Place::Environment(name.clone());
        match SETTINGS.iter().find(|setting| setting.env() == *name) {
            Some(setting) => loaded.set(setting, text, place),
            None => {
                let names: Vec<String> = SETTINGS.iter().map(Setting::env).collect();
                loaded.refuse(name, place, nearest(name, names.iter().map(String::as_str)));
            }
        }
    }
}

fn is_ours(name: &str) -> bool {
    let theirs = NOT_SETTINGS.contains(&name) || NOT_SETTINGS_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    name.starts_with("ODEON_") && !theirs
}
