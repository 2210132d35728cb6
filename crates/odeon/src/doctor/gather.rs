//! Finds the facts out. What needs others is asked all at once and for some seconds at most; a start asks nobody.

mod machine;
mod ports;
mod turn;

use super::facts::{CertificateFacts, Facts, FfmpegFacts, PageFacts, WorldFacts};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::tls::{self, Source};
use crate::{candidates, descriptors, plan};
use net::external::discover;
use net::{addresses, clock};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// Time for all who are asked.
const ASK_TIMEOUT: Duration = Duration::from_secs(4);

/// Files that are open beside connections: sockets of media, the store, logs.
const OTHER_DESCRIPTORS: u64 = 256;

/// Everything, with what others say.
pub async fn everything(config: &Config, time_server: &str) -> Facts {
    let mut facts = here(config);
    facts.running = machine::is_running(&config.data_dir);
    if !facts.running {
        facts.taken = ports::taken(config);
    }
    facts.told = told(config, &candidates::advertised(config).await);
    let own = candidates::own(config, &candidates::filter(config));
    let (mappings, clock_ahead_s, page, relay) = tokio::join!(
        // From the very port that a firewall may close; a server that runs has it already.
        discover(&own, if facts.running { 0 } else { config.rtc_udp_port }, &config.rtc_stun_servers.0, ASK_TIMEOUT),
        clock::ahead(time_server, ASK_TIMEOUT),
        leads_to(&facts.page.host),
        turn::ask(config, facts.turn.clone(), &facts),
    );
    let stun_servers = if facts.local_only { 0 } else { config.rtc_stun_servers.0.len() };
    facts.world = Some(WorldFacts { stun_servers, mappings, clock_ahead_s: clock_ahead_s.ok() });
    (facts.page.leads_to, facts.turn) = (page, relay);
    facts
}

/// What is known without asking anybody, while our own server is about to run: its ports are its own.
pub fn at_start(config: &Config) -> Facts {
    Facts { running: true, ..here(config) }
}

fn here(config: &Config) -> Facts {
    let last = plan::shards(config.rtc_shards).saturating_sub(1);
    let last = if config.rtc_single_port { 0 } else { last };
    let page = page(config);
    Facts {
        running: false,
        taken: Vec::new(),
        media_ports: (config.rtc_udp_port, config.rtc_udp_port.saturating_add(last)),
        own: addresses::interfaces().collect(),
        told: told(config, &config.rtc_node_ip.0),
        told_by_settings: !config.rtc_node_ip.0.is_empty() || config.rtc_use_external_ip,
        local_only: config.rtc_bind.is_some_and(|bind| bind.is_loopback()),
        in_container: machine::in_container(),
        buffer_bytes: net::buffer_bytes().unwrap_or_default(),
        descriptors: (
            descriptors::raise_limit().unwrap_or(u64::MAX),
            u64::from(config.limits_http_connections) + OTHER_DESCRIPTORS,
        ),
        disk_free_bytes: machine::disk_free(&config.data_dir),
        ffmpeg: ffmpeg(config),
        certificate: certificate(config),
        now: SystemTime::now(),
        page,
        turn: turn::settings(config),
        world: None,
    }
}

// As the media plane does it: what the settings name, or the machine's own addresses.
fn told(config: &Config, advertised: &[IpAddr]) -> Vec<IpAddr> {
    match advertised {
        [] => candidates::own(config, &candidates::filter(config)),
        advertised => advertised.to_vec(),
    }
}

fn ffmpeg(config: &Config) -> Option<FfmpegFacts> {
    let program = &config.castaway_ffmpeg;
    // Where there is none, the system looks here (execvp(3)).
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let facts = || FfmpegFacts { name: program.display().to_string(), found: machine::is_program(program, &path) };
    config.castaway_record.then(facts)
}

fn certificate(config: &Config) -> Option<Result<CertificateFacts, String>> {
    let source = match Source::of(config) {
        Ok(source) => source?,
        Err(reason) => return Some(Err(reason.to_owned())),
    };
    let certificate = match tls::peek(&source, opened(config).as_ref()) {
        Ok(certificate) => certificate?,
        Err(error) => return Some(Err(error.to_string())),
    };
    Some(Ok(CertificateFacts {
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        names: certificate.names().to_vec(),
        renewed_by_others: matches!(source, Source::Files { .. }),
    }))
}

// A doctor makes no folders.
fn opened(config: &Config) -> Option<DataDir> {
    let there = config.data_dir.is_dir();
    there.then(|| DataDir::open(&config.data_dir).ok()).flatten()
}

fn page(config: &Config) -> PageFacts {
    let public_url = config.http_public_url.0.clone();
    let uri = public_url.parse::<http::Uri>().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default().trim_matches(['[', ']']).to_owned();
    PageFacts {
        public_url,
        host,
        tls: Source::of(config).is_ok_and(|source| source.is_some()),
        proxy: !config.http_trusted_proxies.0.is_empty(),
        leads_to: None,
    }
}

// No name is no question; a name that nobody knows is an answer.
async fn leads_to(host: &str) -> Option<Vec<IpAddr>> {
    if host.is_empty() {
        return None;
    }
    let found = tokio::time::timeout(ASK_TIMEOUT, tokio::net::lookup_host((host, 443))).await.ok()?;
    Some(found.map(|addresses| addresses.map(|address| address.ip()).collect()).unwrap_or_default())
}
