//! One says something, everybody hears it; or everybody moves.

use super::dialect::{Dialect, stamp_in};
use super::socket::Socket;
use crate::meter;
use crate::report::percentile;
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Messages on their way, over all sockets, when they are sent as fast as they arrive.
const IN_FLIGHT: usize = 64;
/// One buffer for all sockets.
const BUFFER_BYTES: usize = 256 * 1024;
/// A joiner's own greetings and presence settle.
const SETTLE: Duration = Duration::from_secs(1);
/// Latencies that are kept: a longer run keeps every second, fourth, … of them.
const MAX_LATENCIES: usize = 2_000_000;

/// What is sent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Load {
    /// One socket says so many messages a second.
    Rate(f64),
    /// One socket says as much as reaches everybody.
    FlatOut,
    /// So many sockets each take so many steps a second.
    Moving { movers: usize, per_s: f64 },
}

/// What came of it, in the measured window.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Messages sent.
    pub sent: u64,
    /// Messages with a stamp that arrived.
    pub delivered: u64,
    /// Other messages, CHANNELS_UPDATED for instance.
    pub others: u64,
    /// Bytes of all of these.
    pub bytes: u64,
    /// Sent to heard, a sample.
    pub latencies: Vec<Duration>,
    /// Sockets that the server closed.
    pub lost: usize,
    /// Of the server's process.
    pub cpu: Duration,
    /// Its memory at the end, bytes.
    pub rss: u64,
    /// How long it took.
    pub window: Duration,
}

impl Outcome {
    /// Of the server, for each message that arrived.
    pub fn cpu_per_delivery(&self) -> Duration {
        Duration::from_secs_f64(self.cpu.as_secs_f64() / (self.delivered.max(1) as f64))
    }

    /// Of the latencies.
    pub fn latency(&mut self, share: f64) -> Duration {
        percentile(&mut self.latencies, share)
    }
}

/// Opens `sockets` sockets, sends for `window`, and closes them.
///
/// # Errors
/// When a socket can't be opened, or the server's process is gone.
pub fn run(
    server: SocketAddr,
    dialect: Dialect,
    sockets: usize,
    load: Load,
    window: Duration,
    pid: u32,
) -> io::Result<Outcome> {
    let mut crowd = Crowd::open(server, dialect, sockets)?;
    crowd.until(Instant::now() + SETTLE, None)?;
    let before = meter::read(pid)?;
    crowd.outcome = Outcome::default();
    let began = Instant::now();
    crowd.until(began + window, Some(load))?;
    let after = meter::read(pid)?;
    let mut outcome = std::mem::take(&mut crowd.outcome);
    outcome.window = began.elapsed();
    outcome.cpu = after.cpu.saturating_sub(before.cpu);
    outcome.rss = after.rss;
    outcome.lost = crowd.sockets.iter().filter(|socket| socket.is_none()).count();
    Ok(outcome)
}

struct Crowd {
    poll: Poll,
    dialect: Dialect,
    /// `None`: it was closed.
    sockets: Vec<Option<Socket>>,
    epoch: Instant,
    outcome: Outcome,
    buffer: Vec<u8>,
}

impl Crowd {
    fn open(server: SocketAddr, dialect: Dialect, count: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut sockets = Vec::with_capacity(count);
        for number in 0..count {
            let mut socket = Socket::open(server, None, dialect)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut socket.stream, Token(number), interest)?;
            sockets.push(Some(socket));
        }
        let (epoch, outcome, buffer) = (Instant::now(), Outcome::default(), vec![0; BUFFER_BYTES]);
        Ok(Self { poll, dialect, sockets, epoch, outcome, buffer })
    }

    fn until(&mut self, end: Instant, load: Option<Load>) -> io::Result<()> {
        let mut events = Events::with_capacity(1_024);
        let began = Instant::now();
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            let next = load.map_or(end, |load| self.send_due(load, began, now).min(end));
            self.poll.poll(&mut events, Some(next.saturating_duration_since(Instant::now())))?;
            for event in &events {
                self.turn(event.token().0, event.is_readable());
            }
        }
    }

    /// Sends what is due, and says when the next is.
    fn send_due(&mut self, load: Load, began: Instant, now: Instant) -> Instant {
        match load {
            Load::Rate(per_s) => {
                let due = ((now - began).as_secs_f64() * per_s) as u64 + 1;
                while self.outcome.sent < due {
                    self.say(0, |dialect, stamp| dialect.message(stamp));
                }
                began + Duration::from_secs_f64(due as f64 / per_s)
            }
            Load::FlatOut => {
                let arrived = self.outcome.delivered / self.sockets.len().max(1) as u64;
                while self.outcome.sent < arrived + IN_FLIGHT as u64 {
                    self.say(0, |dialect, stamp| dialect.message(stamp));
                }
                now + Duration::from_millis(20)
            }
            Load::Moving { movers, per_s } => {
                let all_per_s = per_s * movers as f64;
                let due = ((now - began).as_secs_f64() * all_per_s) as u64 + 1;
                while self.outcome.sent < due {
                    let who = usize::try_from(self.outcome.sent).unwrap_or(usize::MAX) % movers.max(1);
                    self.say(who, |dialect, stamp| dialect.step(who, stamp));
                }
                began + Duration::from_secs_f64(due as f64 / all_per_s)
            }
        }
    }

    /// A socket whose last message still waits for the kernel says nothing: a person's would not move either.
    fn say(&mut self, who: usize, message: impl FnOnce(Dialect, u64) -> String) {
        self.outcome.sent += 1;
        let stamp = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let Some(place) = self.sockets.get_mut(who) else { return };
        let Some(socket) = place else { return };
        if socket.waiting() == 0 && socket.say(&message(self.dialect, stamp)).is_err() {
            *place = None;
        }
    }

    fn turn(&mut self, number: usize, is_readable: bool) {
        let Self { sockets, outcome, buffer, epoch, .. } = self;
        let Some(place) = sockets.get_mut(number) else { return };
        let Some(socket) = place else { return };
        let flushed = socket.flush();
        if !is_readable && flushed.is_ok() {
            return;
        }
        let now = u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let read = socket.read(buffer, &mut |text| outcome.hear(text, now));
        if let Some(error) = flushed.and(read).err() {
            eprintln!("socket {number}: {error}");
            *place = None;
        }
    }
}

impl Outcome {
    fn hear(&mut self, text: &[u8], now: u64) {
        self.bytes += text.len() as u64;
        // A presence message is long, and may hold somebody's last stamp.
        let is_presence = text.len() > 400;
        let Some(stamp) = stamp_in(text).filter(|_| !is_presence) else {
            self.others += 1;
            return;
        };
        self.delivered += 1;
        if self.latencies.len() < MAX_LATENCIES || self.delivered.is_multiple_of(16) {
            let latency = Duration::from_nanos(now.saturating_sub(stamp));
            if self.latencies.len() < MAX_LATENCIES {
                self.latencies.push(latency);
            } else {
                let at = usize::try_from(self.delivered).unwrap_or_default() % MAX_LATENCIES;
                self.latencies[at] = latency;
            }
        }
    }
}
