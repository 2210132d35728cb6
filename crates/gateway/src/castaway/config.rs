//! What this gateway must be told.

use super::limits::GRACE;
use crate::outbound::Outbound;
use auth::external::Issuer;
use std::path::PathBuf;
use std::time::Duration;

/// Whose ID tokens are taken beside our own.
#[derive(Clone, Debug)]
pub struct OutsideIssuer {
    /// `iss` and `aud`.
    pub issuer: Issuer,
    /// Where its keys are: an https URL, or a file.
    pub keys: KeySource,
}

/// Where an issuer's keys are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A file with a JWK Set, read anew when it changes.
    File(PathBuf),
    /// A URL, and by which policy it may be asked.
    Url(String, Outbound),
}

/// Settings of the gateway.
#[derive(Clone, Debug)]
pub struct CastawayConfig {
    /// Where recordings and uploads are kept; `None`: they are not.
    pub dir: Option<PathBuf>,
    /// All of them together, in bytes.
    pub kept_bytes: u64,
    /// Those of one account, in bytes; `None`: as many as there is place for.
    pub account_bytes: Option<u64>,
    /// What is streamed is kept.
    pub record: bool,
    /// Longest piece of sound, in bytes.
    pub packet_bytes: usize,
    /// How long listeners wait for a streamer whose network was lost (C-12).
    pub grace: Duration,
    /// ffmpeg, by its path or name.
    pub ffmpeg: PathBuf,
    /// As people type the server's address; empty: as the request has it.
    pub public_url: String,
    /// Whose ID tokens are taken beside our own.
    pub outside: Option<OutsideIssuer>,
}

impl Default for CastawayConfig {
    fn default() -> Self {
        Self {
            dir: None,
            kept_bytes: 10 * 1024 * 1024 * 1024,
            account_bytes: Some(1024 * 1024 * 1024),
            record: true,
            packet_bytes: 1_000_000,
            grace: GRACE,
            ffmpeg: "ffmpeg".into(),
            public_url: String::new(),
            outside: None,
        }
    }
}
