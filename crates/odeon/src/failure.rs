//! Why a command failed, in the words that its user reads.

use crate::config::ConfigError;
use crate::data_dir::DataDirError;
use crate::keys::KeysError;
use crate::tls::TlsError;
use std::fmt::Display;
use std::io;

/// One or more lines for stderr.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// All that is wrong with the settings.
    pub fn settings(errors: Vec<ConfigError>) -> Self {
        Self(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    /// Anything that says itself what is wrong.
    pub fn other(error: impl Display) -> Self {
        Self(error.to_string())
    }

    /// Tells it.
    pub fn print(&self) {
        for line in self.0.lines() {
            eprintln!("odeon: {line}");
        }
    }
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        Self::other(error)
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        Self::other(error)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::other(error)
    }
}

impl From<store::sqlite::OpenError> for Failure {
    fn from(error: store::sqlite::OpenError) -> Self {
        Self::other(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::other(error)
    }
}
