//! What is known of one setting, and the macro that turns the table into a struct, its defaults and its descriptions.

use super::Config;

/// When a changed value takes effect (F-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// On SIGHUP, without dropping anybody.
    Live,
    /// At the next start.
    Restart,
}

/// One setting: a row of the table in [`super::table`].
pub struct Setting {
    /// Its one name: `rtc.udp_port` in a file, `--rtc.udp_port` as a flag, `ODEON_RTC_UDP_PORT` in the environment.
    pub key: &'static str,
    /// What it does, with its unit.
    pub doc: &'static str,
    /// What is accepted.
    pub kind: &'static str,
    /// When a change takes effect.
    pub effect: Effect,
    /// LiveKit's names that mean the same: `name` in a file or as a flag, `--name` as a flag only, `$NAME` in the environment.
    pub livekit: &'static [&'static str],
    /// Reads a value into the config.
    pub assign: fn(&mut Config, &str) -> Result<(), String>,
    /// The value as text; secrets are masked.
    pub show: fn(&Config) -> String,
}

impl Setting {
    /// Its name in the environment.
    pub fn env(&self) -> String {
        format!("ODEON_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }

    /// LiveKit's names for it in a file.
    pub fn livekit_file_names(&self) -> impl Iterator<Item = &'static str> {
        self.livekit.iter().copied().filter(|name| !name.starts_with(['-', '$']))
    }

    /// LiveKit's names for it on the command line, without the dashes.
    pub fn livekit_flags(&self) -> impl Iterator<Item = &'static str> {
        let flag = |name: &'static str| {
            if name.starts_with('$') { None } else { Some(name.trim_start_matches('-')) }
        };
        self.livekit.iter().copied().filter_map(flag)
    }

    /// LiveKit's names for it in the environment.
    pub fn livekit_env(&self) -> impl Iterator<Item = &'static str> {
        self.livekit.iter().copied().filter_map(|name| name.strip_prefix('$'))
    }
}

/// The setting with this key, if there is one.
pub fn find(key: &str) -> Option<&'static Setting> {
    super::table::SETTINGS.iter().find(|setting| setting.key == key)
}

/// Makes `Config`, its defaults and `SETTINGS` of one table, so that no setting can lack its name, flag or description.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $key:literal $field:ident: $type:ty = $default:expr, $effect:ident $(, livekit [$($livekit:literal),+])?;)+) => {
        /// Everything that can be set.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// Every setting, in the order in which people are shown them.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            doc: concat!($($doc),+),
            kind: <$type as Value>::KIND,
            effect: Effect::$effect,
            livekit: { const NAMES: &[&str] = &[$($($livekit),+)?]; NAMES },
            assign: |config, text| {
                config.$field = <$type as Value>::parse(text)?;
                Ok(())
            },
            show: |config| config.$field.show(),
        },)+];
    };
}
pub(crate) use settings;
