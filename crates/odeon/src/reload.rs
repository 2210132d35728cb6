//! SIGHUP: settings that can change while people are in (F-5).

use crate::config::{Config, Effect, SETTINGS, Sources, load};
use crate::logs::LevelHandle;
use std::time::Duration;

/// What is in force, where that can change.
pub struct Live {
    sources: Sources,
    level: LevelHandle,
    config: Config,
}

impl Live {
    /// Begins with the settings of the start.
    pub fn new(sources: Sources, level: LevelHandle, config: Config) -> Self {
        Self { sources, level, config }
    }

    /// How long rooms live on.
    pub fn drain_timeout(&self) -> Duration {
        self.config.drain_timeout
    }

    /// Reads the settings again. With an error in them everything stays as it was.
    pub fn reload(&mut self) {
        match load(&self.sources) {
            Ok(loaded) => self.take(loaded.config),
            Err(errors) => errors.iter().for_each(|error| tracing::error!(%error, "settings stay as they were")),
        }
    }

    fn take(&mut self, new: Config) {
        // First of all, so that what follows is logged as the new settings want it.
        self.level.set(&new.log_level.0);
        for key in waiting(&self.config, &new) {
            tracing::warn!(key, "changed, but takes effect at the next start only");
        }
        self.config.log_level = new.log_level;
        self.config.drain_timeout = new.drain_timeout;
        tracing::info!("settings read again");
    }
}

/// The keys that differ and have to wait for a restart.
fn waiting(old: &Config, new: &Config) -> Vec<&'static str> {
    let differs = |setting: &&crate::config::Setting| (setting.show)(old) != (setting.show)(new);
    SETTINGS
        .iter()
        .filter(|setting| setting.effect == Effect::Restart)
        .filter(differs)
        .map(|setting| setting.key)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_5_only_what_needs_a_restart_is_said_to_wait() {
        let old = Config::default();
        let new = Config { http_port: 1, drain_timeout: Duration::from_secs(1), ..Config::default() };
        assert_eq!(waiting(&old, &new), ["http.port"]);
    }
}
