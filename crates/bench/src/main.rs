//! `odeon-bench`: loads an Odeon (or any LiveKit server) and says what it costs.

use bench::client::Mode;
use bench::engine::{Engine, EngineOptions};
use bench::fanout::{self, Dialect};
use bench::relay::{Relay, Weather};
use bench::report::{Table, ms};
use bench::scenario::forward::{self, Load, Media};
use bench::scenario::{Target, join};
use bench::token::ApiKey;
use bench::{AudioSpec, VideoSpec};
use clap::{Args, Parser, Subcommand};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[derive(Parser)]
#[command(name = "odeon-bench", about, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// CPU for each forwarded packet of video.
    Video {
        #[command(flatten)]
        server: ServerArgs,
        #[command(flatten)]
        load: LoadArgs,
        /// bit/s of each video.
        #[arg(long, default_value_t = 1_500_000)]
        bitrate: u32,
        /// Frames a second.
        #[arg(long, default_value_t = 30)]
        fps: u32,
        /// Three layers by rid.
        #[arg(long)]
        simulcast: bool,
    },
    /// CPU for each forwarded packet of sound.
    Audio {
        #[command(flatten)]
        server: ServerArgs,
        #[command(flatten)]
        load: LoadArgs,
    },
    /// How long it takes to be there (P-4).
    Join {
        #[command(flatten)]
        server: ServerArgs,
        /// Joins, one after the other.
        #[arg(long, default_value_t = 20)]
        rounds: usize,
    },
    /// All of it, as one table.
    All {
        #[command(flatten)]
        server: ServerArgs,
        /// Length of each measured window.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Receivers in the loads with one audience.
        #[arg(long, default_value_t = 100)]
        subscribers: usize,
    },
    /// CPU and latency of a message to many sockets (P-6).
    Fanout {
        /// The server's HTTP address.
        #[arg(long)]
        server: SocketAddr,
        /// Its process on this machine.
        #[arg(long)]
        server_pid: u32,
        /// What it speaks.
        #[arg(long, value_enum, default_value = "bus")]
        dialect: Dialect,
        /// Its name in the table.
        #[arg(long, default_value = "Odeon")]
        name: String,
        /// Sockets.
        #[arg(long, default_value_t = 500)]
        sockets: usize,
        /// Of these, so many move, each 20 times a second.
        #[arg(long, default_value_t = 500)]
        movers: usize,
        /// Length of each measured window.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// What sockets cost that do nothing.
    Idle {
        /// The server's HTTP address.
        #[arg(long)]
        server: SocketAddr,
        /// Its process on this machine.
        #[arg(long)]
        server_pid: u32,
        /// Sockets.
        #[arg(long, default_value_t = 100_000)]
        sockets: usize,
        /// How long nothing happens, at the end.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// A UDP relay with a bad network inside.
    Relay {
        /// The server's media address.
        #[arg(long)]
        to: SocketAddr,
        /// Where clients send.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Share of packets lost each way, 0..=1.
        #[arg(long, default_value_t = 0.0)]
        loss: f32,
        /// One way.
        #[arg(long, default_value_t = 0)]
        delay_ms: u64,
        /// One way, on top.
        #[arg(long, default_value_t = 0)]
        jitter_ms: u64,
        /// Towards clients, kbit/s; 0: no limit. A line with a number on standard input changes it.
        #[arg(long, default_value_t = 0)]
        down_kbps: u64,
        /// Decides which packets are lost.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Args)]
struct ServerArgs {
    /// The server.
    #[arg(long, default_value = "ws://127.0.0.1:7880")]
    url: String,
    /// API key.
    #[arg(long, default_value = "devkey")]
    key: String,
    /// API secret.
    #[arg(long, default_value = "secret", env = "ODEON_BENCH_SECRET", hide_env_values = true)]
    secret: String,
    /// The server's process on this machine: its CPU and memory are measured.
    #[arg(long)]
    server_pid: Option<u32>,
    /// Two PeerConnections (v0) instead of one.
    #[arg(long)]
    dual: bool,
    /// Send media through a relay at this address.
    #[arg(long)]
    via: Option<SocketAddr>,
    /// Threads that turn the peers.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Receive with UDP_GRO (spares the server its segmentation on loopback).
    #[arg(long)]
    gro: bool,
}

#[derive(Args)]
struct LoadArgs {
    /// Participants that publish.
    #[arg(long, default_value_t = 1)]
    publishers: usize,
    /// Participants that receive; 0: the publishers receive each other.
    #[arg(long, default_value_t = 100)]
    subscribers: usize,
    /// Length of the measured window.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

impl ServerArgs {
    fn open(self) -> std::io::Result<(Arc<Engine>, Target)> {
        let engine = Engine::start(EngineOptions { threads: self.threads, gro: self.gro })?;
        let target = Target {
            url: self.url,
            key: ApiKey { key: self.key, secret: self.secret },
            pid: self.server_pid,
            mode: if self.dual { Mode::Dual } else { Mode::Single },
            via: self.via,
        };
        Ok((engine, target))
    }
}

impl LoadArgs {
    fn with(self, media: Media) -> Load {
        load(self.publishers, self.subscribers, self.seconds, media)
    }
}

fn load(publishers: usize, subscribers: usize, seconds: u64, media: Media) -> Load {
    let window = Duration::from_secs(seconds);
    Load { publishers, subscribers, media, warm_up: Duration::from_secs(3), window }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn Error>> {
    match Cli::parse().command {
        Command::Video { server, load, bitrate, fps, simulcast } => {
            let spec = VideoSpec { bitrate, fps, simulcast, ..VideoSpec::camera("") };
            let (engine, target) = server.open()?;
            print(&forward_once(&engine, &target, &load.with(Media::Video(spec))).await?);
        }
        Command::Audio { server, load } => {
            let (engine, target) = server.open()?;
            print(&forward_once(&engine, &target, &load.with(Media::Audio(AudioSpec::microphone("")))).await?);
        }
        Command::Join { server, rounds } => {
            let (engine, target) = server.open()?;
            print(&join::table(&mut join::run(&engine, &target, rounds).await?));
        }
        Command::All { server, seconds, subscribers } => {
            let (engine, target) = server.open()?;
            all(&engine, &target, seconds, subscribers).await?;
        }
        Command::Fanout { server, server_pid, dialect, name, sockets, movers, seconds } => {
            let window = Duration::from_secs(seconds);
            let moving = fanout::Load::Moving { movers, per_s: 20.0 };
            let mut table = fanout_table();
            for (what, load) in [
                ("20 a second".to_owned(), fanout::Load::Rate(20.0)),
                ("flat out".to_owned(), fanout::Load::FlatOut),
                (format!("{movers} move, 20 a second each"), moving),
            ] {
                let outcome = fanout::run(server, dialect, sockets, load, window, server_pid)?;
                table.row(fanout_row(&name, &what, sockets, outcome));
            }
            print(&table);
        }
        Command::Idle { server, server_pid, sockets, seconds } => {
            let outcome = fanout::idle::run(server, sockets, Duration::from_secs(seconds), server_pid)?;
            print(&idle_table(&outcome, seconds));
        }
        Command::Relay { to, listen, loss, delay_ms, jitter_ms, down_kbps, seed } => {
            let (delay, jitter) = (Duration::from_millis(delay_ms), Duration::from_millis(jitter_ms));
            let relay = Relay::start(listen, to, Weather { loss, delay, jitter, down_rate: down_kbps * 1000, seed })?;
            println!("relay {} -> {to}", relay.addr());
            std::thread::spawn(move || follow_orders(&relay));
            tokio::signal::ctrl_c().await?;
        }
    }
    Ok(())
}

/// Each line is a rate towards clients, kbit/s. When nobody says anything more the relay goes on as it is.
fn follow_orders(relay: &Relay) {
    for line in std::io::stdin().lines().map_while(Result::ok) {
        if let Ok(kbps) = line.trim().parse::<u64>() {
            relay.limit_down(kbps * 1000);
        }
    }
    loop {
        std::thread::park();
    }
}

fn print(table: &Table) {
    print!("{}", table.markdown());
}

async fn forward_once(engine: &Arc<Engine>, target: &Target, load: &Load) -> Result<Table, Box<dyn Error>> {
    let kind = if matches!(load.media, Media::Video(_)) { "video" } else { "audio" };
    let outcome = forward::run(engine, target, load).await?;
    for (thread, cpu) in outcome.threads.iter().take(8) {
        eprintln!("{:>8.1} % {thread}", cpu.as_secs_f64() / outcome.window.as_secs_f64() * 100.0);
    }
    if outcome.starved > 0 {
        eprintln!("{} receivers got nothing", outcome.starved);
    }
    let receivers = if load.subscribers == 0 { load.publishers } else { load.subscribers };
    let mut table = forward::table();
    table.row(forward::row(&format!("{} {kind} → {receivers}", load.publishers), &outcome));
    Ok(table)
}

async fn all(engine: &Arc<Engine>, target: &Target, seconds: u64, subscribers: usize) -> Result<(), Box<dyn Error>> {
    let (video, audio) = (Media::Video(VideoSpec::camera("")), Media::Audio(AudioSpec::microphone("")));
    let mut table = forward::table();
    for load in [
        load(1, subscribers, seconds, video.clone()),
        load(10, subscribers, seconds, audio),
        load(8, 0, seconds, video),
    ] {
        table.append(forward_once(engine, target, &load).await?);
    }
    print(&table);
    println!();
    print(&join::table(&mut join::run(engine, target, 20).await?));
    Ok(())
}

fn fanout_table() -> Table {
    Table::new(&[
        "server",
        "load",
        "sockets",
        "sent",
        "arrived",
        "of what was sent to all",
        "CPU",
        "CPU a delivery",
        "p50",
        "p99",
        "memory",
        "lost",
    ])
}

fn fanout_row(name: &str, what: &str, sockets: usize, mut outcome: fanout::Outcome) -> Vec<String> {
    let seconds = outcome.window.as_secs_f64();
    let due = (outcome.sent * sockets as u64).max(1) as f64;
    vec![
        name.to_owned(),
        what.to_owned(),
        sockets.to_string(),
        format!("{:.0}/s", outcome.sent as f64 / seconds),
        format!("{:.0}/s", outcome.delivered as f64 / seconds),
        format!("{:.0} %", outcome.delivered as f64 / due * 100.0),
        format!("{:.0} %", outcome.cpu.as_secs_f64() / seconds * 100.0),
        format!("{:.2} µs", outcome.cpu_per_delivery().as_secs_f64() * 1e6),
        ms(outcome.latency(0.5)),
        ms(outcome.latency(0.99)),
        format!("{} MiB", outcome.rss >> 20),
        outcome.lost.to_string(),
    ]
}

fn idle_table(outcome: &fanout::idle::Outcome, seconds: u64) -> Table {
    let mut table = Table::new(&["sockets", "memory each", "opened in", "CPU an opening", "CPU while nothing happens"]);
    table.row(vec![
        outcome.sockets.to_string(),
        format!("{:.1} KiB", outcome.bytes_each as f64 / 1024.0),
        format!("{:.1} s", outcome.took.as_secs_f64()),
        format!("{:.0} µs", outcome.cpu_each.as_secs_f64() * 1e6),
        format!("{:.2} %", outcome.idle_cpu.as_secs_f64() / (seconds.max(1) as f64) * 100.0),
    ]);
    table
}
