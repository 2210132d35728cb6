//! `odeon serve`, from the settings to the last goodbye.

use crate::cli::Flags;
use crate::config::{Config, Loaded, load};
use crate::data_dir::DataDir;
use crate::drain::{self, Drained};
use crate::keys::{Keys, Origin};
use crate::reload::Live;
use crate::signals::{Asked, Signals};
use crate::venue::Venue;
use crate::{banner, descriptors, failure::Failure, keys, logs};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often the metrics drop what nobody has read.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// How long joins take, seconds: P-4 wants 5 ms, and clients give up after 5 s.
const JOIN_BUCKETS_S: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0];

/// The settings, or everything that is wrong with them.
pub fn settings(flags: &Flags) -> Result<Loaded, Failure> {
    load(&flags.sources()).map_err(Failure::settings)
}

/// Runs the venue until it is told to end.
pub fn serve(flags: &Flags) -> Result<(), Failure> {
    let sources = flags.sources();
    let loaded = load(&sources).map_err(Failure::settings)?;
    let config = &loaded.config;
    let level = logs::init(config.log_format, &config.log_level.0);
    let dir = DataDir::open(&config.data_dir)?;
    let _lock = dir.lock()?;
    let keys = keys::resolve(&loaded, &dir)?;
    if let Err(error) = descriptors::raise_limit() {
        tracing::warn!(%error, "the limit of open files stays as it was");
    }
    warn_of(config, &keys);
    let live = Live::new(sources, level, config.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run(&loaded, &dir, keys, live));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

// What is accepted and does nothing yet is said, not left to be found out (F-6).
fn warn_of(config: &Config, keys: &Keys) {
    let outside = |bind: &[IpAddr]| bind.is_empty() || bind.iter().any(|address| !address.is_loopback());
    if keys.origin == Origin::Dev && outside(&config.http_bind.0) {
        tracing::warn!("the key of --dev is known to everybody, and http.bind lets them in: name keys of your own");
    }
}

async fn run(loaded: &Loaded, dir: &DataDir, keys: Keys, mut live: Live) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let metrics = begin_metrics()?;
    let venue = Venue::open(loaded, dir, Arc::new(keys.store.clone()), metrics).await?;
    show(&banner::text(&venue.facts(loaded, dir, &keys)));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "open");
    while signals.next().await == Asked::Reload {
        live.reload();
        venue.reload();
    }
    end(venue, live.drain_timeout(), signals).await;
    Ok(())
}

async fn end(venue: Venue, timeout: Duration, mut signals: Signals) {
    venue.close_doors();
    tracing::info!(rooms = venue.rooms(), timeout_s = timeout.as_secs(), "draining: nobody new gets in");
    let drained = drain::wait(|| venue.rooms(), timeout, signals.end()).await;
    if drained != Drained::Empty {
        tracing::info!(rooms = venue.rooms(), ?drained, "ending the rooms that are left");
    }
    venue.close().await;
    tracing::info!("closed");
}

fn begin_metrics() -> Result<PrometheusHandle, Failure> {
    let joins = Matcher::Full("odeon_join_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(joins, &JOIN_BUCKETS_S).map_err(Failure::other)?;
    let handle = builder.install_recorder().map_err(Failure::other)?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut every = tokio::time::interval(METRICS_UPKEEP);
        loop {
            every.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

// Who has closed our stdout does not want to read it.
fn show(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
