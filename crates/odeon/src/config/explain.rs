//! `odeon config explain`: what a setting does, what it is now, and why.

use super::{Config, Effect, Loaded, SETTINGS, Setting, find, nearest};

/// One setting told at length, or all in brief when no key is given. The error names the nearest key.
pub fn explain(loaded: &Loaded, key: Option<&str>) -> Result<String, String> {
    let Some(key) = key else {
        return Ok(SETTINGS.iter().map(|setting| brief(loaded, setting)).collect::<Vec<_>>().join("\n"));
    };
    match find(key) {
        Some(setting) => Ok(whole(loaded, setting)),
        None => Err(match nearest(key, SETTINGS.iter().map(|setting| setting.key)) {
            Some(nearest) => format!("no setting is called {key:?}; did you mean {nearest:?}?"),
            None => format!("no setting is called {key:?}; `odeon config explain` lists them"),
        }),
    }
}

fn brief(loaded: &Loaded, setting: &Setting) -> String {
    let value = shown((setting.show)(&loaded.config));
    format!("{} = {value}\n    {}", setting.key, setting.doc.trim())
}

fn whole(loaded: &Loaded, setting: &Setting) -> String {
    let effect = match setting.effect {
        Effect::Live => "at once, on SIGHUP",
        Effect::Restart => "at the next start",
    };
    let mut text = String::new();
    let mut line = |name: &str, what: &str| text.push_str(&format!("  {name:<12}{what}\n"));
    line("value", &shown((setting.show)(&loaded.config)));
    line("set by", &loaded.place(setting.key).to_string());
    line("default", &shown((setting.show)(&Config::default())));
    line("accepts", setting.kind);
    line("in a file", setting.key);
    line("environment", &setting.env());
    line("flag", &format!("--{}", setting.key));
    line("changes", effect);
    if !setting.livekit.is_empty() {
        line("LiveKit's", &setting.livekit.join(", "));
    }
    format!("{}\n  {}\n\n{text}", setting.key, setting.doc.trim())
}

fn shown(value: String) -> String {
    if value.is_empty() { "(empty)".to_owned() } else { value }
}
