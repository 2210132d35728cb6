//! What a setting's text can be. One reading for file, environment and flag: a file's value is first turned into the
//! text that the environment would have (see [`super::file`]).

use net::network::Network;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A type that a setting can have.
pub trait Value: Sized {
    /// What is accepted, in words for people: shown by `config explain` and in refusals.
    const KIND: &'static str;
    /// Reads it. The error says what is wrong without repeating the text, which may be a secret.
    fn parse(text: &str) -> Result<Self, String>;
    /// Writes it so that [`Value::parse`] reads the same; secrets are masked.
    fn show(&self) -> String;
}

fn expected<T: Value>() -> String {
    format!("expected {}", T::KIND)
}

impl Value for u16 {
    const KIND: &'static str = "a number from 0 to 65535";
    fn parse(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| expected::<Self>())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const KIND: &'static str = "a number from 0 to 4294967295";
    fn parse(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| expected::<Self>())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for bool {
    const KIND: &'static str = "true or false";
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(expected::<Self>()),
        }
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    const KIND: &'static str = "a word, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.trim().to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "a path";
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err(expected::<Self>()) } else { Ok(PathBuf::from(text)) }
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for Option<PathBuf> {
    const KIND: &'static str = "a path, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        Ok((!text.is_empty()).then(|| PathBuf::from(text)))
    }
    fn show(&self) -> String {
        self.as_ref().map_or_else(String::new, |path| path.display().to_string())
    }
}

/// The longest time that a setting may name: a typed-in timestamp is a mistake, not ten thousand years.
const MAX_DURATION: Duration = Duration::from_secs(30 * 24 * 3600);

impl Value for Duration {
    const KIND: &'static str = "a time such as 20, 20s, 500ms, 5m or 1h (a bare number is seconds; 30 days at most)";
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit_s = match unit {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(expected::<Self>()),
        };
        let number: f64 = number.trim().parse().map_err(|_| expected::<Self>())?;
        let time = Duration::try_from_secs_f64(number * unit_s).map_err(|_| expected::<Self>())?;
        if time > MAX_DURATION { Err(expected::<Self>()) } else { Ok(time) }
    }
    fn show(&self) -> String {
        match self.subsec_millis() {
            0 => format!("{}s", self.as_secs()),
            _ => format!("{}ms", self.as_millis()),
        }
    }
}

impl Value for Option<IpAddr> {
    const KIND: &'static str = "an IP address, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| expected::<Self>()),
        }
    }
    fn show(&self) -> String {
        self.map_or_else(String::new, |address| address.to_string())
    }
}

/// IP addresses, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses(pub Vec<IpAddr>);

impl Value for Addresses {
    const KIND: &'static str = "IP addresses separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        parse_list(text, |item| item.parse().map_err(|_| expected::<Self>())).map(Self)
    }
    fn show(&self) -> String {
        show_list(&self.0)
    }
}

/// Address blocks, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<Network>);

impl Networks {
    /// Whether `address` lies in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Value for Networks {
    const KIND: &'static str = "address blocks such as 10.0.0.0/8 or ::1, separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        parse_list(text, |item| item.parse().map_err(|_| expected::<Self>())).map(Self)
    }
    fn show(&self) -> String {
        show_list(&self.0)
    }
}

pub(super) fn parse_list<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|item| parse(item.trim())).collect()
}

pub(super) fn show_list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Names of rooms, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomNames(pub Vec<String>);

impl Value for RoomNames {
    const KIND: &'static str = "names of rooms separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        let name = |item: &str| match item.len() {
            1..=room::limits::MAX_NAME_BYTES => Ok(item.to_owned()),
            _ => Err(expected::<Self>()),
        };
        parse_list(text, name).map(Self)
    }
    fn show(&self) -> String {
        show_list(&self.0)
    }
}

/// Codecs by their mime types, separated by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codecs(pub Vec<String>);

impl Default for Codecs {
    /// All that we forward.
    fn default() -> Self {
        Self(room::codecs::forwarded())
    }
}

impl Value for Codecs {
    const KIND: &'static str =
        "codecs separated by commas, of video/VP8, video/H264, video/VP9, video/AV1, audio/opus and audio/red";
    fn parse(text: &str) -> Result<Self, String> {
        let known = |item: &str| room::codecs::FORWARDED.into_iter().find(|mime| mime.eq_ignore_ascii_case(item));
        parse_list(text, |item| known(item).map(str::to_owned).ok_or_else(expected::<Self>)).map(Self)
    }
    fn show(&self) -> String {
        show_list(&self.0)
    }
}

/// API keys and their secrets. Never printed whole: `Debug` and [`Value::show`] mask the secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keys(pub BTreeMap<String, String>);

impl Value for Keys {
    const KIND: &'static str = "KEY: SECRET pairs separated by commas or lines";
    fn parse(text: &str) -> Result<Self, String> {
        let pairs = text.split([',', '\n']).map(str::trim).filter(|pair| !pair.is_empty());
        pairs.map(|pair| parse_pair(pair).ok_or_else(expected::<Self>)).collect::<Result<_, _>>().map(Self)
    }
    fn show(&self) -> String {
        self.0.keys().map(|key| format!("{key}: ********")).collect::<Vec<_>>().join(", ")
    }
}

fn parse_pair(pair: &str) -> Option<(String, String)> {
    let (key, secret) = pair.split_once(':')?;
    let (key, secret) = (unquote(key), unquote(secret));
    (!key.is_empty() && !secret.is_empty()).then(|| (key.to_owned(), secret.to_owned()))
}

/// Something that only those may know who are told. Never printed: `Debug` and [`Value::show`] mask it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden(pub String);

impl Value for Hidden {
    const KIND: &'static str = "a secret, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.trim().to_owned()))
    }
    fn show(&self) -> String {
        if self.0.is_empty() { String::new() } else { "********".to_owned() }
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}

// LIVEKIT_KEYS is YAML, where both may stand in quotes.
fn unquote(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote| text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}

/// Makes an enum a setting's type: each variant with its word.
macro_rules! choice {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? } $kind:literal) => {
        impl Value for $type {
            const KIND: &'static str = $kind;
            fn parse(text: &str) -> Result<Self, String> {
                match text.trim() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(expected::<Self>()),
                }
            }
            fn show(&self) -> String {
                match self {
                    $(Self::$variant => $word,)+
                }.to_owned()
            }
        }
    };
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One object a line.
    Json,
}

choice!(LogFormat { Auto = "auto", Text = "text", Json = "json" } "auto, text or json");

/// Access of rooms that nobody has declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undeclared {
    /// Anybody may come in, until a token holder joins.
    #[default]
    Open,
    /// Only with a token.
    Token,
}

choice!(Undeclared { Open = "open", Token = "token" } "open or token");

use net::pool::Placement;
choice!(Placement { LeastLoaded = "least_loaded", RoundRobin = "round_robin" } "least_loaded or round_robin");

/// Which log lines are written: a level, or tracing's `target=level` directives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevel(pub String);

impl Value for LogLevel {
    const KIND: &'static str = "error, warn, info, debug or trace, or directives such as info,net=debug";
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // EnvFilter takes any word for a target, so a misspelt level would silence everything.
        let bare_word = !text.contains(['=', ',']);
        let level = matches!(text, "error" | "warn" | "info" | "debug" | "trace" | "off");
        let valid = tracing_subscriber::EnvFilter::try_new(text).is_ok() && (level || !bare_word);
        if valid { Ok(Self(text.to_owned())) } else { Err(expected::<Self>()) }
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
