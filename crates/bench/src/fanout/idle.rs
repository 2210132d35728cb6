//! Sockets that are there and say nothing.

use super::dialect::Dialect;
use super::socket::Socket;
use crate::meter;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Sockets from one address: fewer than the kernel's ephemeral ports.
const OF_ONE_ADDRESS: usize = 20_000;
/// What was made for the opening of the last is put away.
const SETTLE: Duration = Duration::from_secs(3);

/// What they cost.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Open at the end.
    pub sockets: usize,
    /// Of the server's memory, for each: resident bytes.
    pub bytes_each: u64,
    /// Opening them all took so long.
    pub took: Duration,
    /// CPU of the server for each opening.
    pub cpu_each: Duration,
    /// CPU of the server in the `rest`, in which nothing happened, for all.
    pub idle_cpu: Duration,
}

/// Opens `count` sockets from 127.0.0.2 and further addresses, and lets them rest for `rest`.
///
/// # Errors
/// When one can't be opened (descriptors, ports, the server's own limit), or the server's process is gone.
pub fn run(server: SocketAddr, count: usize, rest: Duration, pid: u32) -> io::Result<Outcome> {
    let before = meter::read(pid)?;
    let began = Instant::now();
    let mut sockets = Vec::with_capacity(count);
    for number in 0..count {
        let last = u8::try_from(2 + number / OF_ONE_ADDRESS).map_err(io::Error::other)?;
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        let socket = Socket::open(server, Some(from), Dialect::Bus)
            .map_err(|error| io::Error::other(format!("socket {number}: {error}")))?;
        sockets.push(socket);
    }
    let took = began.elapsed();
    let opened = meter::read(pid)?;
    std::thread::sleep(SETTLE);
    let settled = meter::read(pid)?;
    std::thread::sleep(rest);
    let rested = meter::read(pid)?;
    Ok(Outcome {
        sockets: sockets.len(),
        bytes_each: rested.rss.saturating_sub(before.rss) / (count.max(1) as u64),
        took,
        cpu_each: opened.cpu.saturating_sub(before.cpu) / u32::try_from(count.max(1)).unwrap_or(u32::MAX),
        idle_cpu: rested.cpu.saturating_sub(settled.cpu),
    })
}
