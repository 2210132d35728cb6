//! The shards as one thing: where room tasks send their media commands.

use crate::addresses::{candidates, normal};
use crate::counts;
use crate::mesh::{Mesh, Wake};
use crate::shard::{Command, SOCKET, Shared, TURN_SOCKET, Thread, WAKER};
use crate::tls::rustls::ServerConfig;
use crate::tunnel::Door;
use crate::tunnel::listener::{self, Accepted, Admission};
use crate::tunnel::stream::{IceTcp, Stream};
use crate::turn::stream::TurnDoor;
use crate::turn::udp::TurnUdp;
use crate::turn::{Bound, RelayServer, TurnConfig, TurnServer};
use crate::udp::Udp;
use mio::{Interest, Poll, Waker};
use room::SessionId;
use room::media::{MediaCommand, MediaEvent};
use rtc::crypto::Certificate;
use rtc::{Candidates, ConnectionConfig};
pub use sfu::{CallAnswer, DataDialect, DataTrackPacket, RoomKey, ShardStats, StampedPacket};
use sfu::{RoomRef, Shard, ShardConfig};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Shards at most: the shard stands in the ICE ufrag.
pub const MAX_SHARDS: u16 = RoomRef::MAX_SHARDS;

/// Commands that may wait for a shard before rooms wait for it.
const INBOX: usize = 1024;

/// Settings of the media plane.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Threads, and UDP ports unless `single_port`.
    pub shards: u16,
    /// The address to listen on (a wildcard is allowed; `::` takes IPv4 too).
    pub bind: IpAddr,
    /// Shard i listens on `udp_port + i`; 0 draws free ports.
    pub udp_port: u16,
    /// One port for all shards by SO_REUSEPORT.
    pub single_port: bool,
    /// TCP port where media is taken too, for networks that let no UDP through; 0 draws a free one.
    pub tcp_port: Option<u16>,
    /// The built-in relay.
    pub turn: Option<TurnConfig>,
    /// Addresses offered to clients instead of the local ones (`node_ip`).
    pub advertise: Vec<IpAddr>,
    /// Offer loopback addresses too.
    pub loopback: bool,
    /// Which shard a new peer goes to.
    pub placement: Placement,
    /// Estimate what each subscriber's way carries, and send what fits.
    pub congestion_control: bool,
}

/// Which shard a new peer goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Placement {
    /// The one with the fewest peers.
    #[default]
    LeastLoaded,
    /// Each in turn, starting at 0.
    RoundRobin,
}

/// The running media plane: cheap to clone, shared by all room tasks.
#[derive(Clone, Debug)]
pub struct MediaPool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shards: Vec<Handle>,
    placement: Placement,
    next_shard: AtomicUsize,
    next_room: AtomicU64,
    addresses: Vec<SocketAddr>,
    tcp: Option<SocketAddr>,
    streams: Admission,
    turn_door: Option<TurnDoor>,
    acceptors: Vec<AbortHandle>,
    /// Taken once, at the end.
    threads: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Handle {
    commands: mpsc::Sender<Command>,
    wake: Wake,
    shared: Arc<Shared>,
}

impl MediaPool {
    /// Binds the sockets and starts one thread for each shard. With `tcp_port`, connections are served on the tokio
    /// runtime that this is called in.
    ///
    /// # Errors
    /// A port is taken, an address isn't ours, or the configuration asks for no or too many shards.
    pub fn start(config: &PoolConfig, dialect: Arc<dyn DataDialect>) -> io::Result<Self> {
        if config.shards == 0 || config.shards > RoomRef::MAX_SHARDS {
            return Err(io::Error::other(format!("shards must be 1 to {}", RoomRef::MAX_SHARDS)));
        }
        let certificate =
            Certificate::generate().ok_or_else(|| io::Error::other("no DTLS certificate could be made"))?;
        let sockets = bind_all(config)?;
        let listener = config.tcp_port.map(|port| listener::bind(SocketAddr::new(config.bind, port))).transpose()?;
        let tcp = listener.as_ref().map(|listener| listener.local_addr().map(normal)).transpose()?;
        let addresses = sockets.iter().map(|udp| normal(udp.bound)).collect();
        let told = |bound| candidates(bound, &config.advertise, config.loopback);
        let tcp_candidates = tcp.map(told).unwrap_or_default();
        let udp_candidates: Vec<_> = sockets.iter().map(|udp| told(normal(udp.bound))).collect();
        let relay = config.turn.as_ref().map(|turn| bind_relay(config, turn, &udp_candidates.concat())).transpose()?;
        let (relay, mut relay_sockets, relay_listeners) = relay
            .map_or((None, Vec::new(), [None, None]), |(relay, sockets, listeners)| (Some(relay), sockets, listeners));
        let mut polls = Vec::new();
        for _ in &sockets {
            let poll = Poll::new()?;
            let wake = Wake::new(Waker::new(poll.registry(), WAKER)?);
            polls.push((poll, wake));
        }
        let wakes: Vec<_> = polls.iter().map(|(_, wake)| wake.clone()).collect();
        let meshes = Mesh::between(&wakes);
        let (mut shards, mut threads, mut doors) = (Vec::new(), Vec::new(), Vec::new());
        for (index, ((mut udp, (poll, wake)), mesh)) in sockets.into_iter().zip(polls).zip(meshes).enumerate() {
            poll.registry().register(&mut udp.socket, SOCKET, Interest::READABLE)?;
            let (commands, inbox) = mpsc::channel(INBOX);
            let shared = Arc::new(Shared::new());
            let candidates = Candidates { udp: udp_candidates[index].clone(), tcp: tcp_candidates.clone() };
            let connection = ConnectionConfig {
                certificate: certificate.clone(),
                candidates,
                congestion_control: config.congestion_control,
                playout_delay: None,
            };
            let (door, tunnels) = Door::new(wake.clone());
            doors.push(door);
            let turn = relay.as_ref().and_then(|relay| Some((relay_sockets.pop()?, relay.server())));
            let turn = turn.map(|(mut socket, server)| {
                poll.registry().register(&mut socket.socket, TURN_SOCKET, Interest::READABLE)?;
                let turn = TurnUdp::new(index as u8, server, &socket);
                io::Result::Ok((socket, turn))
            });
            let shard_config = ShardConfig { index: index as u8, connection, dialect: Arc::clone(&dialect), entropy };
            let thread = Thread {
                index: index as u8,
                poll,
                wake: wake.clone(),
                udp,
                shard: new_shard(shard_config),
                commands: inbox,
                mesh,
                tunnels,
                turn: turn.transpose()?,
                shared: Arc::clone(&shared),
                single_port: config.single_port,
            };
            let name = format!("shard-{index}");
            threads.push(std::thread::Builder::new().name(name).spawn(|| thread.run())?);
            shards.push(Handle { commands, wake, shared });
        }
        let (doors, streams): (Arc<[Door]>, _) = (doors.into(), Admission::default());
        let mut acceptors: Vec<_> =
            listener.map(|listener| serve_tcp(listener, Arc::clone(&doors), streams.clone())).into_iter().collect();
        let turn_door = relay.map(|relay| TurnDoor { relay, doors, admission: Admission::default() });
        let tls = config.turn.as_ref().and_then(|turn| turn.tls.clone());
        for (listener, tls) in relay_listeners.into_iter().zip([None, tls]) {
            acceptors.extend(turn_door.clone().zip(listener).map(|(door, listener)| serve_turn(listener, door, tls)));
        }
        Ok(Self(Arc::new(Inner {
            shards,
            placement: config.placement,
            next_shard: AtomicUsize::new(0),
            next_room: AtomicU64::new(1),
            addresses,
            tcp,
            streams,
            turn_door,
            acceptors,
            threads: tokio::sync::Mutex::new(threads),
        })))
    }

    /// A room's way into the media plane. Events of its peers come out of `events`; the pool drops none of them
    /// but levels and quality (newest wins).
    pub fn open_room(&self, events: mpsc::Sender<MediaEvent>) -> RoomMedia {
        let key = RoomKey(self.0.next_room.fetch_add(1, Ordering::Relaxed));
        RoomMedia {
            pool: self.clone(),
            room: Arc::new(RoomRef::new(key)),
            events,
            sessions: HashMap::new(),
            elsewhere: HashMap::new(),
        }
    }

    /// Where the shards listen, for the start-up banner and the tests.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.0.addresses.clone()
    }

    /// Where media is taken over TCP.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.0.tcp
    }

    /// The relay as a participant is told of it, with a login of its own; `tls_only` leaves out what is not over TLS.
    pub fn turn_server(&self, participant: &str, tls_only: bool) -> Option<TurnServer> {
        let door = self.0.turn_door.as_ref()?;
        door.relay.server_for(participant, tls_only, crate::turn::unix_now())
    }

    /// Takes over a connection that came by another door (HTTPS on the same port) and turned out to be for the relay.
    /// Closed at once if there is none, or if they are too many.
    pub fn take_turn(&self, socket: impl AsyncRead + AsyncWrite + Send + 'static, remote: SocketAddr) {
        let Some(door) = &self.0.turn_door else { return };
        let remote = normal(remote);
        if let Some(unproven) = door.admission.admit(remote) {
            door.admission.spawn(door.clone().serve(socket, remote, unproven));
        }
    }

    /// Peers on each shard.
    pub fn peers_per_shard(&self) -> Vec<usize> {
        self.0.shards.iter().map(|shard| shard.shared.peers.load(Ordering::Relaxed)).collect()
    }

    /// Each shard's totals and gauges, as of its last turn.
    pub fn stats(&self) -> Vec<ShardStats> {
        self.0.shards.iter().map(|shard| **shard.shared.stats.load()).collect()
    }

    /// What it carries now, for limits.
    pub fn load(&self) -> Load {
        self.0.shards.iter().map(|shard| &shard.shared).fold(Load::default(), |load, shard| {
            let stats = shard.stats.load();
            Load {
                tracks: load.tracks + stats.tracks + stats.receivers,
                bytes_per_s: load.bytes_per_s + shard.bytes_per_s.load(Ordering::Relaxed),
            }
        })
    }

    /// Hands the counts to the metrics recorder: before each scrape.
    pub fn publish_metrics(&self) {
        for (index, shard) in self.0.shards.iter().enumerate() {
            counts::publish_shard(&index.to_string(), &shard.shared);
        }
        counts::publish_streams("ice", &self.0.streams.counts);
        if let Some(door) = &self.0.turn_door {
            counts::publish_streams("turn", &door.admission.counts);
        }
        counts::publish_profiles();
    }

    /// Ends the threads: peers are told (DTLS close_notify), sockets close. Waits for them, some milliseconds.
    pub fn stop(&self) {
        self.0.acceptors.iter().for_each(AbortHandle::abort);
        for shard in &self.0.shards {
            shard.shared.stop.store(true, Ordering::Release);
            shard.wake.wake();
        }
        let threads = self.0.threads.try_lock().map(|mut threads| std::mem::take(&mut *threads)).unwrap_or_default();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a shard's thread had panicked");
            }
        }
    }

    fn place(&self) -> u8 {
        let shards = &self.0.shards;
        let load = |index: &usize| shards[*index].shared.peers.load(Ordering::Relaxed);
        let chosen = match self.0.placement {
            Placement::RoundRobin => self.0.next_shard.fetch_add(1, Ordering::Relaxed) % shards.len(),
            Placement::LeastLoaded => (0..shards.len()).min_by_key(load).unwrap_or_default(),
        };
        // Counted at once: a burst of joins must not all go to the same shard. The shard corrects it.
        shards[chosen].shared.peers.fetch_add(1, Ordering::Relaxed);
        chosen as u8
    }
}

/// What the media plane carries, a quarter of a second ago at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Tracks in, and out to each receiver.
    pub tracks: u64,
    /// Payloads in and out, bytes a second, over one second.
    pub bytes_per_s: u64,
}

/// One room's handle: it remembers which shard each of its sessions lives on.
#[derive(Debug)]
pub struct RoomMedia {
    pool: MediaPool,
    room: Arc<RoomRef>,
    events: mpsc::Sender<MediaEvent>,
    sessions: HashMap<SessionId, u8>,
    /// Whose media comes from another room, and the shard that it is on.
    elsewhere: HashMap<SessionId, u8>,
}

/// The shard that somebody's media is on, for another room that receives it too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MediaHome(u8);

impl RoomMedia {
    /// Hands a command to the shard of its session; waits while that shard's inbox is full. A command for a session
    /// that no `AddPeer` introduced (or that is gone) is ignored.
    pub async fn command(&mut self, command: MediaCommand) {
        let Some(shard) = self.shard_of(&command) else { return };
        let owner = match &command {
            MediaCommand::Subscribe { publisher, .. } | MediaCommand::SubscribeDataTrack { publisher, .. } => {
                self.home(*publisher).map_or(shard, |MediaHome(home)| home)
            }
            _ => shard,
        };
        let Some(handle) = self.pool.0.shards.get(usize::from(shard)) else { return };
        let command = Command { room: Arc::clone(&self.room), events: self.events.clone(), command, owner };
        if handle.commands.send(command).await.is_ok() {
            handle.wake.wake();
        }
    }

    /// Where somebody's media is.
    pub fn home(&self, session: SessionId) -> Option<MediaHome> {
        self.sessions.get(&session).or_else(|| self.elsewhere.get(&session)).copied().map(MediaHome)
    }

    /// A session without a peer of its own publishes what is there. Shards know tracks by their sids, whatever room somebody
    /// receives them in.
    pub fn borrow(&mut self, session: SessionId, MediaHome(shard): MediaHome) {
        self.elsewhere.insert(session, shard);
    }

    /// It has gone.
    pub fn give_back(&mut self, session: SessionId) {
        self.elsewhere.remove(&session);
    }

    fn shard_of(&mut self, command: &MediaCommand) -> Option<u8> {
        let session = command.session();
        match command {
            MediaCommand::AddPeer { .. } => {
                let shard = self.pool.place();
                self.sessions.insert(session, shard);
                Some(shard)
            }
            MediaCommand::RemovePeer { .. } => self.sessions.remove(&session),
            _ => self.sessions.get(&session).copied(),
        }
    }
}

impl Drop for RoomMedia {
    /// A room task that ended without removing its peers (a panic) must not leave them behind.
    fn drop(&mut self) {
        for (session, shard) in self.sessions.drain() {
            let Some(handle) = self.pool.0.shards.get(usize::from(shard)) else { continue };
            let command = MediaCommand::RemovePeer { session };
            let command = Command { room: Arc::clone(&self.room), events: self.events.clone(), command, owner: shard };
            if handle.commands.try_send(command).is_err() {
                tracing::error!(?session, "a peer was left on its shard");
            }
            handle.wake.wake();
        }
    }
}

fn bind_all(config: &PoolConfig) -> io::Result<Vec<Udp>> {
    let mut sockets: Vec<Udp> = Vec::new();
    for index in 0..config.shards {
        let port = match (config.single_port, config.udp_port, sockets.first()) {
            (true, 0, Some(first)) => first.bound.port(),
            (true, port, _) | (false, port @ 0, _) => port,
            (false, port, _) => port.checked_add(index).ok_or_else(|| io::Error::other("UDP ports end at 65535"))?,
        };
        let address = SocketAddr::new(config.bind, port);
        let socket = Udp::bind(address, config.single_port)
            .map_err(|error| io::Error::new(error.kind(), format!("UDP {address}: {error}")))?;
        sockets.push(socket);
    }
    Ok(sockets)
}

/// ICE over TCP (RFC 6544): connections end with the shards that they lead to.
fn serve_tcp(listener: TcpListener, doors: Arc<[Door]>, admission: Admission) -> AbortHandle {
    let counts = Arc::clone(&admission.counts);
    let accepting = listener::accept(listener, admission, move |accepted| {
        let Accepted { socket, local, remote, unproven } = accepted;
        Stream::new(IceTcp { local, remote }, Arc::clone(&doors), Arc::clone(&counts), unproven).run(socket)
    });
    tokio::spawn(accepting).abort_handle()
}

/// The relay over TCP or, with `tls`, over TLS, on a port of its own.
fn serve_turn(listener: TcpListener, door: TurnDoor, tls: Option<Arc<ServerConfig>>) -> AbortHandle {
    let admission = door.admission.clone();
    let accepting = listener::accept(listener, admission, move |accepted| door.clone().open(accepted, tls.clone()));
    tokio::spawn(accepting).abort_handle()
}

/// With its listeners for TCP and for TLS.
type BoundRelay = (Arc<RelayServer>, Vec<Udp>, [Option<TcpListener>; 2]);

/// Binds the relay: over UDP one socket for each shard, all on one port.
fn bind_relay(config: &PoolConfig, turn: &TurnConfig, candidates: &[SocketAddr]) -> io::Result<BoundRelay> {
    let mut sockets: Vec<Udp> = Vec::new();
    for _ in 0..turn.udp_port.map_or(0, |_| config.shards) {
        let port = sockets.first().map_or(turn.udp_port.unwrap_or_default(), |first| first.bound.port());
        let address = SocketAddr::new(config.bind, port);
        let socket = Udp::bind(address, true);
        sockets.push(socket.map_err(|error| io::Error::new(error.kind(), format!("TURN, UDP {address}: {error}")))?);
    }
    let listen = |port: Option<u16>| port.map(|port| listener::bind(SocketAddr::new(config.bind, port))).transpose();
    let listeners = [listen(turn.tcp_port)?, listen(turn.stream_port)?];
    let [tcp, tls] = listeners.each_ref().map(|listener| listener.as_ref().and_then(|it| it.local_addr().ok()));
    let mut secret = [0; 32];
    entropy(&mut secret);
    let udp = sockets.first().map(|udp| udp.bound);
    let bound = Bound { udp, tcp, tls };
    Ok((Arc::new(RelayServer::new(turn, candidates, &bound, &secret)), sockets, listeners))
}

#[allow(clippy::disallowed_methods, reason = "a shard's time begins here")]
fn new_shard(config: ShardConfig) -> Shard {
    Shard::new(config, Instant::now())
}

/// Secure randomness for ICE credentials. Without any there is no safe way on: the process must not serve.
fn entropy(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        tracing::error!(%error, "no randomness");
        std::process::abort();
    }
}
