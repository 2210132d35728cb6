//! Log lines: text for people at a terminal, one JSON object a line for everything else. They go to stderr.

use crate::config::LogFormat;
use std::io::{IsTerminal, stderr};
use std::panic::PanicHookInfo;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// Libraries that tell addresses and candidates at `info`, where no address may be, and more than an operator can act on.
const TALKATIVE: &[&str] = &["str0m", "str0m_proto", "is", "dimpl", "sctp_proto", "quinn_udp", "hyper", "hyper_util"];

/// Changes the level while the server runs.
#[derive(Clone, Debug)]
pub struct LevelHandle(reload::Handle<EnvFilter, Registry>);

impl LevelHandle {
    /// From the next line on.
    pub fn set(&self, level: &str) {
        if let Err(error) = self.0.reload(filter(level)) {
            tracing::warn!(%error, "the log level stays as it was");
        }
    }
}

/// Begins logging, for the whole process; once.
pub fn init(format: LogFormat, level: &str) -> LevelHandle {
    let (filter, handle) = reload::Layer::new(filter(level));
    let registry = tracing_subscriber::registry().with(filter);
    let json = match format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    if json {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(stderr)).init();
    } else {
        registry.with(fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal())).init();
    }
    std::panic::set_hook(Box::new(log_panic));
    LevelHandle(handle)
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(directives(level))
}

// Who asks for debug wants all of it; who writes directives has said what they want.
fn directives(level: &str) -> String {
    if !matches!(level, "info" | "warn" | "error") {
        return level.to_owned();
    }
    let quiet = if level == "error" { "error" } else { "warn" };
    TALKATIVE.iter().fold(level.to_owned(), |all, target| format!("{all},{target}={quiet}"))
}

// A panic costs one peer and is our bug: it has to be found in the log whatever its format, with the place to look at.
fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let payload = info.payload();
    let message =
        payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = message.unwrap_or("no message");
    metrics::counter!("odeon_panics_total").increment(1);
    tracing::error!(place, thread, message, "panic");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_log_addresses_are_silent_at_info() {
        assert!(directives("info").contains("str0m=warn"));
        assert_eq!(directives("debug"), "debug");
        assert_eq!(directives("info,net=trace"), "info,net=trace");
    }
}
