//! What is known of the machine, the network and the settings: plain values, so that a test can plant any fault.

use net::external::Mapping;
use std::net::IpAddr;
use std::time::SystemTime;

/// Everything that is looked at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// An Odeon runs here already: then its ports are its own, and they answer.
    pub running: bool,
    /// Ports that a start would take and can't.
    pub taken: Vec<TakenPort>,
    /// UDP ports of media, the first and the last.
    pub media_ports: (u16, u16),
    /// Addresses of the machine, by interface.
    pub own: Vec<(String, IpAddr)>,
    /// Addresses that clients are told.
    pub told: Vec<IpAddr>,
    /// They stand in `rtc.node_ip`, or STUN is asked for them (`rtc.use_external_ip`).
    pub told_by_settings: bool,
    /// Everything listens on loopback only: nobody outside is meant to come.
    pub local_only: bool,
    /// Inside a container.
    pub in_container: bool,
    /// A socket's buffer in bytes: wanted, and granted by the kernel.
    pub buffer_bytes: (usize, usize),
    /// Open files: allowed, and needed for as many connections as the settings allow.
    pub descriptors: (u64, u64),
    /// Bytes that are free where the data folder is.
    pub disk_free_bytes: Option<u64>,
    /// The program that joins recordings; `None` where nothing is recorded.
    pub ffmpeg: Option<FfmpegFacts>,
    /// The certificate, or why there is none; `None` without TLS, or while it has yet to be made.
    pub certificate: Option<Result<CertificateFacts, String>>,
    /// This machine's clock.
    pub now: SystemTime,
    /// The page's address.
    pub page: PageFacts,
    /// The relay, where the settings have one.
    pub turn: Option<TurnFacts>,
    /// What others say; `None` where nobody was asked (at a start).
    pub world: Option<WorldFacts>,
}

/// A port that can't be had.
#[derive(Clone, Debug)]
pub struct TakenPort {
    /// The setting that names it.
    pub setting: &'static str,
    /// `tcp 0.0.0.0:7880`.
    pub socket: String,
    /// Another program has it; else it is not allowed, or the address is not ours.
    pub in_use: bool,
}

/// The program that joins recordings.
#[derive(Clone, Debug)]
pub struct FfmpegFacts {
    /// `castaway.ffmpeg`.
    pub name: String,
    /// It is there, and may be run.
    pub found: bool,
}

/// What stands in a certificate.
#[derive(Clone, Debug)]
pub struct CertificateFacts {
    /// Valid from.
    pub not_before: SystemTime,
    /// Valid until.
    pub not_after: SystemTime,
    /// Whom it is for.
    pub names: Vec<String>,
    /// Somebody else renews it: no news from it is bad news.
    pub renewed_by_others: bool,
}

/// The page's address, as people type it.
#[derive(Clone, Debug, Default)]
pub struct PageFacts {
    /// `http.public_url`; empty where it is not set.
    pub public_url: String,
    /// Its host.
    pub host: String,
    /// We speak TLS ourselves.
    pub tls: bool,
    /// A proxy is named in `http.trusted_proxies`.
    pub proxy: bool,
    /// Where its host leads; `None` where nobody was asked, empty where it leads nowhere.
    pub leads_to: Option<Vec<IpAddr>>,
}

/// The relay.
#[derive(Clone, Debug)]
pub struct TurnFacts {
    /// `turn.domain`; may be empty.
    pub domain: String,
    /// Where it leads; `None` where nobody was asked.
    pub leads_to: Option<Vec<IpAddr>>,
    /// Settings whose ports did not answer; `None` where nobody was asked, or it does not run.
    pub silent: Option<Vec<&'static str>>,
}

/// What others say.
#[derive(Clone, Debug, Default)]
pub struct WorldFacts {
    /// STUN servers that were asked.
    pub stun_servers: usize,
    /// What they saw.
    pub mappings: Vec<Mapping>,
    /// By how many seconds our clock is ahead of a time server's.
    pub clock_ahead_s: Option<f64>,
}
