//! A shard's thread: sleep until something comes, take it all in, let the media graph work, send what it made.
//!
//! Between receiving and sending there is no lock and no wait; the thread sleeps in epoll and never spins.

use crate::egress::{EgressCounts, Gather};
use crate::mesh::{Mesh, Parcel, Wake};
use crate::rooms::RoomLinks;
use crate::stray::Strays;
use crate::tunnel::{Streams, TunnelInput};
use crate::turn::udp::{self as relay, Relayed, TurnUdp};
use crate::udp::{ReceiveBuffers, Udp};
use mio::{Events, Poll, Token};
use room::media::{MediaCommand, MediaEvent};
use rtc::Datagram;
use sfu::{Arrival, Origin, Outbox, RelayMessage, RoomKey, RoomRef, Shard, ShardStats, TunnelId, Via, Way};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

pub(crate) const SOCKET: Token = Token(0);
pub(crate) const WAKER: Token = Token(1);
pub(crate) const TURN_SOCKET: Token = Token(2);
/// Receive calls in one turn: then what came is sent on, however much more is waiting.
const RECEIVES_A_TURN: usize = 8;
/// Commands in one turn.
const COMMANDS_A_TURN: usize = 256;
/// Parcels from other shards in one turn.
const PARCELS_A_TURN: usize = 4096;
/// Datagrams from tunnels in one turn.
const TUNNEL_INPUTS_A_TURN: usize = 1024;
/// With something that found no place, look again soon.
const RETRY: Duration = Duration::from_millis(2);
/// How often counts are published and tables tidied.
const HOUSEKEEPING: Duration = Duration::from_millis(250);

/// To a shard from a room task.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) room: Arc<RoomRef>,
    pub(crate) events: mpsc::Sender<MediaEvent>,
    pub(crate) command: MediaCommand,
    /// The shard of a subscription's publisher.
    pub(crate) owner: u8,
}

/// What a shard's thread shares with the pool.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) peers: AtomicUsize,
    pub(crate) stop: AtomicBool,
    pub(crate) egress: EgressCounts,
    /// Datagrams that the kernel gave to the wrong shard (one port for all).
    pub(crate) handed_over: AtomicU64,
    /// Datagrams that a connection's task was too slow for.
    pub(crate) stream_dropped: AtomicU64,
    /// Payloads in and out, bytes in the last second.
    pub(crate) bytes_per_s: AtomicU64,
    pub(crate) stats: arc_swap::ArcSwap<ShardStats>,
    pub(crate) turn: arc_swap::ArcSwap<turn::Stats>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            peers: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            egress: EgressCounts::default(),
            handed_over: AtomicU64::new(0),
            stream_dropped: AtomicU64::new(0),
            bytes_per_s: AtomicU64::new(0),
            stats: arc_swap::ArcSwap::from_pointee(ShardStats::default()),
            turn: arc_swap::ArcSwap::from_pointee(turn::Stats::default()),
        }
    }
}

/// Over which payloads are counted for `bytes_per_s`.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// How fast a total rises.
#[derive(Debug)]
struct ByteRate {
    since: Instant,
    bytes: u64,
}

impl ByteRate {
    fn new(now: Instant) -> Self {
        Self { since: now, bytes: 0 }
    }

    /// Bytes in a second, once a window is over.
    fn measure(&mut self, now: Instant, total: u64) -> Option<u64> {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < RATE_WINDOW {
            return None;
        }
        let bytes = total.saturating_sub(std::mem::replace(&mut self.bytes, total));
        self.since = now;
        Some((bytes as f64 / elapsed.as_secs_f64()) as u64)
    }
}

/// Everything a shard's thread owns.
pub(crate) struct Thread {
    pub(crate) index: u8,
    pub(crate) poll: Poll,
    pub(crate) wake: Wake,
    pub(crate) udp: Udp,
    pub(crate) shard: Shard,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) mesh: Mesh,
    pub(crate) tunnels: mpsc::Receiver<TunnelInput>,
    /// The relay's socket, and this shard's part of it.
    pub(crate) turn: Option<(Udp, TurnUdp)>,
    pub(crate) shared: Arc<Shared>,
    /// One port for all shards.
    pub(crate) single_port: bool,
}

/// Where the media graph's output goes: socket, rooms and other shards.
struct Ways<'a> {
    now: Instant,
    index: u8,
    udp: &'a Udp,
    gather: &'a mut Gather,
    shared: &'a Shared,
    rooms: &'a mut RoomLinks,
    mesh: &'a mut Mesh,
    streams: &'a mut Streams,
    turn_udp: Option<&'a Udp>,
    turn: Option<&'a mut TurnUdp>,
}

impl Outbox for Ways<'_> {
    fn datagram(&mut self, way: Way, datagram: Datagram) {
        match way.origin.via {
            Via::Udp => {
                let destination = datagram.destination;
                self.gather.push(self.udp, &self.shared.egress, Some(way.local), destination, datagram.bytes());
            }
            Via::Tcp(tunnel) | Via::Relay(tunnel) => self.tunnel(tunnel, datagram.source, datagram.bytes()),
        }
    }
    fn close_tunnel(&mut self, tunnel: TunnelId) {
        match relay::home(tunnel) {
            None => self.streams.close(tunnel),
            Some(home) if home == self.index => self.turn.iter_mut().for_each(|turn| turn.close(tunnel)),
            Some(home) => self.mesh.send(home, Parcel::CloseRelay { tunnel }),
        }
    }
    fn event(&mut self, room: RoomKey, event: MediaEvent) {
        self.rooms.send(room, event);
    }
    fn relay(&mut self, shard: u8, message: RelayMessage) {
        self.mesh.send(shard, Parcel::Relay(message));
    }
}

impl Ways<'_> {
    /// Into a connection, or to the client of a relay here or on another shard.
    fn tunnel(&mut self, tunnel: TunnelId, local: SocketAddr, datagram: &[u8]) {
        match relay::home(tunnel) {
            None => self.streams.send(tunnel, local, datagram),
            Some(home) if home == self.index => {
                if let (Some(turn), Some(udp)) = (&mut self.turn, self.turn_udp) {
                    turn.send(self.now, (udp, &self.shared.egress), tunnel, local, datagram);
                }
            }
            Some(home) => self.mesh.send(home, Parcel::ToRelay { tunnel, local, datagram: datagram.to_vec() }),
        }
    }

    /// A relay has ended: its peer's shard is told.
    fn relay_ended(&mut self, shard: &mut Shard, (owner, origin): (u8, Origin)) {
        if owner == self.index {
            shard.tunnel_closed(&origin);
        } else {
            self.mesh.send(owner, Parcel::RelayEnded { origin });
        }
    }

    /// Sends what was gathered.
    fn flush(&mut self) {
        self.gather.flush(self.udp, &self.shared.egress);
        if let (Some(turn), Some(udp)) = (&mut self.turn, self.turn_udp) {
            turn.flush(udp, &self.shared.egress);
        }
    }
}

impl Thread {
    /// Runs until it is told to stop.
    #[allow(clippy::disallowed_methods, reason = "the media plane's clock is read here, once a turn")]
    pub(crate) fn run(self) {
        let Self {
            index,
            mut poll,
            wake,
            udp,
            mut shard,
            mut commands,
            mut mesh,
            mut tunnels,
            turn,
            shared,
            single_port,
        } = self;
        let (turn_udp, mut turn) = turn.unzip();
        let mut events = Events::with_capacity(8);
        let mut buffers = ReceiveBuffers::new();
        let mut gather = Gather::new(udp.max_segments());
        let mut rooms = RoomLinks::default();
        let mut strays = Strays::default();
        let mut streams = Streams::default();
        let mut pace = ByteRate::new(Instant::now());
        let mut waiting = false;
        let mut tidy_at = Instant::now() + HOUSEKEEPING;
        let mut more = false;
        while !shared.stop.load(Ordering::Acquire) {
            let wake_at = shard.poll_timeout().min(tidy_at);
            let mut sleep = wake_at.saturating_duration_since(Instant::now());
            if waiting {
                sleep = sleep.min(RETRY);
            }
            if more {
                sleep = Duration::ZERO;
            }
            if let Err(error) = poll.poll(&mut events, Some(sleep))
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                tracing::error!(%error, shard = index, "poll failed");
            }
            wake.seen();
            let now = Instant::now();
            let mut ways = Ways {
                now,
                index,
                udp: &udp,
                gather: &mut gather,
                shared: &shared,
                rooms: &mut rooms,
                mesh: &mut mesh,
                streams: &mut streams,
                turn_udp: turn_udp.as_ref(),
                turn: turn.as_mut(),
            };
            obey(now, &mut shard, &mut commands, &mut ways);
            take_parcels(now, &mut shard, &mut strays, &mut ways);
            let shared_port = single_port.then_some((index, &mut strays));
            more = receive(now, &mut shard, &mut buffers, shared_port, &mut ways);
            more |= take_from_tunnels(now, &mut shard, &mut tunnels, &mut ways);
            more |= receive_relayed(now, &mut shard, &mut buffers, &mut ways);
            shard.handle_timeout(now, &mut ways);
            shard.flush(now, &mut ways);
            ways.flush();
            if tidy_at <= now {
                expire_relays(&mut shard, &mut ways);
            }
            waiting = mesh.finish_turn() | rooms.retry();
            if tidy_at <= now {
                tidy_at = now + HOUSEKEEPING;
                rooms.tidy();
                strays.age(now);
                let stats = shard.stats();
                if let Some(rate) = pace.measure(now, stats.bytes_in + stats.bytes_out) {
                    shared.bytes_per_s.store(rate, Ordering::Relaxed);
                }
                shared.stats.store(Arc::new(stats));
                shared.turn.store(Arc::new(turn.as_ref().map(TurnUdp::stats).unwrap_or_default()));
                shared.stream_dropped.store(streams.dropped, Ordering::Relaxed);
            }
            shared.peers.store(shard.peers(), Ordering::Relaxed);
        }
        let mut ways = Ways {
            now: Instant::now(),
            index,
            udp: &udp,
            gather: &mut gather,
            shared: &shared,
            rooms: &mut rooms,
            mesh: &mut mesh,
            streams: &mut streams,
            turn_udp: turn_udp.as_ref(),
            turn: turn.as_mut(),
        };
        shard.close(&mut ways);
        ways.flush();
    }
}

fn obey(now: Instant, shard: &mut Shard, commands: &mut mpsc::Receiver<Command>, ways: &mut Ways<'_>) {
    for _ in 0..COMMANDS_A_TURN {
        let Ok(Command { room, events, command, owner }) = commands.try_recv() else { return };
        ways.rooms.open(room.key, &events);
        shard.handle_command(now, &room, command, owner, ways);
    }
}

fn take_parcels(now: Instant, shard: &mut Shard, strays: &mut Strays, ways: &mut Ways<'_>) {
    for _ in 0..PARCELS_A_TURN {
        let Some((from, parcel)) = ways.mesh.receive() else { return };
        match parcel {
            Parcel::Relay(message) => shard.handle_relay(now, message, ways),
            Parcel::Relayed { arrival, datagram } => {
                shard.handle_datagram(now, &arrival, &datagram, ways);
            }
            Parcel::ToRelay { tunnel, local, datagram } => ways.tunnel(tunnel, local, &datagram),
            Parcel::RelayEnded { origin } => shard.tunnel_closed(&origin),
            Parcel::CloseRelay { tunnel } => ways.close_tunnel(tunnel),
            Parcel::Mine { source } => strays.learn(source, from, now),
            Parcel::Stray { local, source, datagram } => {
                let stun = rtc::stun::is_stun(&datagram);
                if shard.handle_datagram(now, &Arrival::udp(local, source), &datagram, ways) && stun {
                    ways.mesh.send(from, Parcel::Mine { source });
                }
            }
        }
    }
}

/// Takes in what connections and relays carried. True: there may be more.
fn take_from_tunnels(
    now: Instant,
    shard: &mut Shard,
    tunnels: &mut mpsc::Receiver<TunnelInput>,
    ways: &mut Ways<'_>,
) -> bool {
    for _ in 0..TUNNEL_INPUTS_A_TURN {
        match tunnels.try_recv() {
            Ok(TunnelInput::Opened { tunnel, outbox }) => ways.streams.open(tunnel, outbox),
            Ok(TunnelInput::Datagram { arrival, datagram }) => {
                shard.handle_datagram(now, &arrival, &datagram, ways);
            }
            Ok(TunnelInput::Closed { origin }) => {
                shard.tunnel_closed(&origin);
                origin.via.tunnel().into_iter().for_each(|tunnel| ways.streams.close(tunnel));
            }
            Err(_) => return false,
        }
    }
    true
}

/// Takes in what the relay's socket has. True: there may be more.
fn receive_relayed(now: Instant, shard: &mut Shard, buffers: &mut ReceiveBuffers, ways: &mut Ways<'_>) -> bool {
    let Some(udp) = ways.turn_udp else { return false };
    for _ in 0..RECEIVES_A_TURN {
        match udp.receive(buffers, |local, source, datagram| relayed(now, shard, (local, source), datagram, ways)) {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => tracing::trace!(%error, "receive"),
        }
    }
    true
}

fn relayed(now: Instant, shard: &mut Shard, ends: (SocketAddr, SocketAddr), datagram: &[u8], ways: &mut Ways<'_>) {
    let (Some(turn), Some(udp)) = (&mut ways.turn, ways.turn_udp) else { return };
    match turn.handle(now, (udp, &ways.shared.egress), ends, datagram) {
        Some(Ok(Relayed { owner, arrival, datagram })) if owner == ways.index => {
            shard.handle_datagram(now, &arrival, datagram, ways);
        }
        Some(Ok(Relayed { owner, arrival, datagram })) => {
            ways.mesh.send(owner, Parcel::Relayed { arrival, datagram: datagram.to_vec() });
        }
        Some(Err(ended)) => ways.relay_ended(shard, ended),
        None => {}
    }
}

fn expire_relays(shard: &mut Shard, ways: &mut Ways<'_>) {
    let now = ways.now;
    for ended in ways.turn.as_mut().map(|turn| turn.expired(now)).unwrap_or_default() {
        ways.relay_ended(shard, ended);
    }
}

/// Takes in what the socket has. True: there may be more.
fn receive(
    now: Instant,
    shard: &mut Shard,
    buffers: &mut ReceiveBuffers,
    mut strays: Option<(u8, &mut Strays)>,
    ways: &mut Ways<'_>,
) -> bool {
    let udp = ways.udp;
    for _ in 0..RECEIVES_A_TURN {
        let received = udp.receive(buffers, |local, source, datagram| {
            handle(now, shard, &mut strays, local, source, datagram, ways);
        });
        match received {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            // ICMP port unreachable of some peer comes out here; it names nobody.
            Err(error) => tracing::trace!(%error, "receive"),
        }
    }
    true
}

fn handle(
    now: Instant,
    shard: &mut Shard,
    strays: &mut Option<(u8, &mut Strays)>,
    local: SocketAddr,
    source: SocketAddr,
    datagram: &[u8],
    ways: &mut Ways<'_>,
) {
    if let Some((own, strays)) = strays
        && let Some(owner) = strays.owner(*own, now, &source, datagram)
    {
        ways.shared.handed_over.fetch_add(1, Ordering::Relaxed);
        ways.mesh.send(owner, Parcel::Stray { local, source, datagram: datagram.to_vec() });
        return;
    }
    let taken = shard.handle_datagram(now, &Arrival::udp(local, source), datagram, ways);
    if let Some((_, strays)) = strays
        && taken
        && rtc::stun::is_stun(datagram)
    {
        strays.forget(&source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do to begin at")]
    fn a_rate_is_that_of_the_last_window() {
        let begin = Instant::now();
        let mut rate = ByteRate::new(begin);
        assert_eq!(rate.measure(begin + RATE_WINDOW / 2, 500), None);
        assert_eq!(rate.measure(begin + RATE_WINDOW * 2, 2_000), Some(1_000));
        assert_eq!(rate.measure(begin + RATE_WINDOW * 3, 2_000), Some(0));
    }
}
