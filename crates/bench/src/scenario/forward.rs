//! How much it costs to forward a packet (P-1): publishers and subscribers in one room, a measured window, the
//! server's CPU time over the packets that arrived in it.

use super::{Target, fresh_room};
use crate::client::{Client, ConnectError};
use crate::engine::Engine;
use crate::ledger::TrackStats;
use crate::meter::{self, Reading};
use crate::opus::AudioSpec;
use crate::report::Table;
use crate::vp8::VideoSpec;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Joins at a time: more would measure the joins' queue.
const JOIN_BATCH: usize = 10;

/// What flows.
#[derive(Clone, Debug)]
pub enum Media {
    /// VP8; the cid is replaced.
    Video(VideoSpec),
    /// Opus; the cid is replaced.
    Audio(AudioSpec),
}

/// A room with publishers and subscribers.
#[derive(Clone, Debug)]
pub struct Load {
    /// Participants that publish one track each.
    pub publishers: usize,
    /// Participants that only receive. 0: the publishers receive each other.
    pub subscribers: usize,
    /// What flows.
    pub media: Media,
    /// Before the window.
    pub warm_up: Duration,
    /// The measured window.
    pub window: Duration,
}

/// What a window held.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Packets that arrived at all receivers together.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// What never came, in the whole run.
    pub missing: u64,
    /// Complete video frames, or audio packets.
    pub frames: u64,
    /// Wrong checksums, foreign sources or breaks of picture ids, in the whole run.
    pub damaged: u64,
    /// Checksums looked at, in the whole run.
    pub verified: u64,
    /// The window's real length.
    pub window: Duration,
    /// The server's CPU time in it, if its process is known.
    pub cpu: Option<Duration>,
    /// Of that, in the kernel.
    pub kernel: Option<Duration>,
    /// The server's memory at the end, bytes.
    pub rss: Option<u64>,
    /// (thread, CPU time in the window), the busiest first.
    pub threads: Vec<(String, Duration)>,
    /// Receivers that got nothing at all.
    pub starved: usize,
}

impl Outcome {
    /// CPU time of the server's whole process a forwarded packet, µs.
    pub fn us_per_packet(&self) -> Option<f64> {
        Some(self.cpu?.as_secs_f64() * 1e6 / self.packets.max(1) as f64)
    }

    /// Share of what was forwarded that never came, 0..=1.
    pub fn loss(&self) -> f64 {
        self.missing as f64 / (self.packets + self.missing).max(1) as f64
    }
}

/// Runs the load and takes it down again.
///
/// # Errors
/// When a participant can't join or publish.
pub async fn run(engine: &Arc<Engine>, target: &Target, load: &Load) -> Result<Outcome, ConnectError> {
    let room = fresh_room("forward");
    let mut publishers = join_many(engine, target, &room, "pub", load.publishers).await?;
    let subscribers = join_many(engine, target, &room, "sub", load.subscribers).await?;
    for (index, publisher) in publishers.iter_mut().enumerate() {
        publish(publisher, &load.media, index).await?;
    }
    tokio::time::sleep(load.warm_up).await;
    let receivers = || publishers.iter().filter(|_| load.subscribers == 0).chain(&subscribers);
    let before = Snapshot::take(target, receivers()).await;
    tokio::time::sleep(load.window).await;
    let after = Snapshot::take(target, receivers()).await;
    for client in publishers.into_iter().chain(subscribers) {
        client.leave().await;
    }
    Ok(Snapshot::difference(before, after))
}

async fn join_many(
    engine: &Arc<Engine>,
    target: &Target,
    room: &str,
    role: &str,
    count: usize,
) -> Result<Vec<Client>, ConnectError> {
    let mut clients = Vec::with_capacity(count);
    for from in (0..count).step_by(JOIN_BATCH) {
        let batch = (from..count.min(from + JOIN_BATCH)).map(|n| {
            let identity = format!("{role}-{n}");
            async move {
                let mut client = target.join(engine, room, &identity).await?;
                client.connected().await?;
                Ok::<_, ConnectError>(client)
            }
        });
        for client in futures_util::future::join_all(batch).await {
            clients.push(client?);
        }
    }
    Ok(clients)
}

async fn publish(client: &mut Client, media: &Media, index: usize) -> Result<(), ConnectError> {
    let cid = format!("cid-{index}");
    match media {
        Media::Video(spec) => client.publish_video(&VideoSpec { cid, ..spec.clone() }).await?,
        Media::Audio(spec) => client.publish_audio(&AudioSpec { cid, ..spec.clone() }).await?,
    };
    Ok(())
}

struct Snapshot {
    at: Instant,
    total: TrackStats,
    server: Option<Reading>,
    threads: Vec<(String, Duration)>,
    starved: usize,
}

impl Snapshot {
    async fn take(target: &Target, receivers: impl Iterator<Item = &Client>) -> Self {
        let server = target.pid.and_then(|pid| meter::read(pid).ok());
        let threads = target.pid.and_then(|pid| meter::threads(pid).ok()).unwrap_or_default();
        let at = Instant::now();
        let (mut total, mut starved) = (TrackStats::default(), 0);
        for receiver in receivers {
            let stats = receiver.total().await;
            starved += usize::from(stats.packets == 0);
            total.absorb(&stats);
        }
        Self { at, total, server, threads, starved }
    }

    fn difference(before: Self, after: Self) -> Outcome {
        let both = before.server.zip(after.server);
        // Threads of one name (a pool's) are told apart by their order only: it holds while none begins or ends.
        let spent = |(name, cpu): &(String, Duration)| {
            let then = before.threads.iter().find(|(other, _)| other == name).map_or(Duration::ZERO, |(_, cpu)| *cpu);
            (name.clone(), cpu.saturating_sub(then))
        };
        Outcome {
            packets: after.total.packets - before.total.packets,
            bytes: after.total.bytes - before.total.bytes,
            missing: after.total.missing,
            frames: after.total.frames - before.total.frames,
            damaged: after.total.damaged + after.total.picture_id_breaks,
            verified: after.total.verified,
            window: after.at - before.at,
            cpu: both.map(|(b, a)| a.cpu - b.cpu),
            kernel: both.map(|(b, a)| a.kernel - b.kernel),
            rss: after.server.map(|a| a.rss),
            threads: after.threads.iter().map(spent).filter(|(_, cpu)| !cpu.is_zero()).collect(),
            starved: after.starved,
        }
    }
}

/// The table that [`row`] fills.
pub fn table() -> Table {
    Table::new(&[
        "load",
        "CPU a packet",
        "of it kernel",
        "packets/s",
        "Mbit/s",
        "loss",
        "damaged (of checked)",
        "server CPU",
        "server memory",
    ])
}

/// One run's row.
pub fn row(name: &str, outcome: &Outcome) -> Vec<String> {
    let seconds = outcome.window.as_secs_f64();
    let share =
        |part: Option<Duration>| part.map_or("–".into(), |p| format!("{:.0} %", p.as_secs_f64() / seconds * 100.0));
    let kernel = outcome.kernel.zip(outcome.cpu).map_or("–".into(), |(kernel, cpu)| {
        format!("{:.0} %", kernel.as_secs_f64() / cpu.as_secs_f64().max(1e-9) * 100.0)
    });
    vec![
        name.to_owned(),
        outcome.us_per_packet().map_or("–".into(), |us| format!("**{us:.2} µs**")),
        kernel,
        format!("{:.0}", outcome.packets as f64 / seconds),
        format!("{:.0}", outcome.bytes as f64 * 8.0 / 1e6 / seconds),
        format!("{:.4} %", outcome.loss() * 100.0),
        format!("{} ({})", outcome.damaged, outcome.verified),
        share(outcome.cpu),
        outcome.rss.map_or("–".into(), |rss| format!("{} MiB", rss >> 20)),
    ]
}
