//! The threads that turn peers: each waits in epoll for its peers' sockets, hands datagrams in, sends datagrams out,
//! and makes the media that is due.

use crate::peer::{Peer, PeerEvent};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc as async_mpsc, oneshot};

/// The waker's token; peers count up from 0.
const WAKE: Token = Token(usize::MAX);
/// The longest sleep: a lost wake-up costs no more than this.
const MAX_SLEEP: Duration = Duration::from_millis(100);
/// Bytes of one receive buffer: a GRO batch is at most 64 KiB.
const BUFFER: usize = 65_536;
/// Bytes asked of the kernel for each socket; it gives what `rmem_max` allows.
const SOCKET_BUFFER: usize = 1 << 20;

type Job = Box<dyn FnOnce(&mut Peer, Instant) + Send>;

enum Command {
    Add(Token, Box<Slot>),
    With(Token, Job),
    Remove(Token),
}

/// How the threads work.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Threads.
    pub threads: usize,
    /// Receive several packets of one sender in one buffer (UDP_GRO). Off by default: on loopback it spares the
    /// *server* the segmentation of its GSO sends, which a real network card's queue would not.
    pub gro: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { threads: 1, gro: false }
    }
}

#[derive(Debug)]
struct Worker {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
}

/// All threads; peers are spread over them in turn. The threads end when it and all handles are dropped.
#[derive(Debug)]
pub struct Engine {
    workers: Vec<Arc<Worker>>,
    next: AtomicUsize,
    began: Instant,
    gro: bool,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// When epoll or a thread can't be had.
    pub fn start(options: EngineOptions) -> io::Result<Arc<Self>> {
        let workers = (0..options.threads.max(1)).map(start_worker).collect::<io::Result<_>>()?;
        Ok(Arc::new(Self { workers, next: AtomicUsize::new(0), began: Instant::now(), gro: options.gro }))
    }

    /// The zero of the stamps' clock.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// A new peer with a socket of its own, on the address from which `server` is reached.
    ///
    /// # Errors
    /// When the socket can't be had.
    pub fn add_peer(
        &self,
        server: IpAddr,
        via: Option<SocketAddr>,
        events: async_mpsc::UnboundedSender<PeerEvent>,
    ) -> io::Result<PeerHandle> {
        let socket = std::net::UdpSocket::bind(SocketAddr::new(local_ip(server)?, 0))?;
        let reference = socket2::SockRef::from(&socket);
        reference.set_recv_buffer_size(SOCKET_BUFFER)?;
        reference.set_send_buffer_size(SOCKET_BUFFER)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let udp = if self.gro { Some(UdpSocketState::new(UdpSockRef::from(&socket))?) } else { None };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let worker = self.workers[number % self.workers.len()].clone();
        let peer = Peer::new(local, self.began, via, events);
        let slot = Slot { peer, socket: UdpSocket::from_std(socket), udp, deadline: None, media_due: None };
        let handle = PeerHandle { worker, token: Token(number), local };
        handle.command(Command::Add(handle.token, Box::new(slot)));
        Ok(handle)
    }
}

/// A peer that lives on one of the threads. Dropping it closes the peer.
#[derive(Debug)]
pub struct PeerHandle {
    worker: Arc<Worker>,
    token: Token,
    local: SocketAddr,
}

impl PeerHandle {
    /// The address of its socket.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Runs `job` on the peer's thread; `None` if the thread is gone.
    pub async fn with<R: Send + 'static>(&self, job: impl FnOnce(&mut Peer) -> R + Send + 'static) -> Option<R> {
        let (answer, question) = oneshot::channel();
        // Nobody waits any more when the caller was cancelled: the answer is then of no use.
        self.command(Command::With(self.token, Box::new(move |peer, _| drop(answer.send(job(peer))))));
        question.await.ok()
    }

    /// Runs `job` on the peer's thread some time soon.
    pub fn post(&self, job: impl FnOnce(&mut Peer) + Send + 'static) {
        self.command(Command::With(self.token, Box::new(move |peer, _| job(peer))));
    }

    fn command(&self, command: Command) {
        // The thread ends only with the engine: a command after that has nothing to act on.
        if self.worker.commands.send(command).is_ok() {
            let _ = self.worker.waker.wake();
        }
    }
}

impl Drop for PeerHandle {
    fn drop(&mut self) {
        self.command(Command::Remove(self.token));
    }
}

/// The address that packets to `server` leave from.
fn local_ip(server: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if server.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
    let probe = std::net::UdpSocket::bind(SocketAddr::new(any, 0))?;
    // Connecting a UDP socket sends nothing; it only picks the route.
    probe.connect(SocketAddr::new(server, 9))?;
    Ok(probe.local_addr()?.ip())
}

struct Slot {
    peer: Peer,
    socket: UdpSocket,
    udp: Option<UdpSocketState>,
    deadline: Option<Instant>,
    media_due: Option<Instant>,
}

impl Slot {
    /// Lets the peer send and speak after any input.
    fn settle(&mut self) {
        let socket = &self.socket;
        // A full socket buffer drops the datagram, as a network would.
        self.deadline = self.peer.poll(|transmit| drop(socket.send_to(&transmit.contents, transmit.destination)));
    }

    fn tick(&mut self, now: Instant) {
        if self.media_due.is_some_and(|at| at <= now) {
            self.media_due = self.peer.tick(now);
            self.settle();
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.peer.handle_timeout(now);
            self.settle();
        }
    }

    fn receive(&mut self, buffers: &mut Buffers) {
        match self.udp {
            Some(_) => self.receive_batches(buffers),
            None => self.receive_singles(&mut buffers.bytes[..BUFFER]),
        }
    }

    fn receive_singles(&mut self, buffer: &mut [u8]) {
        while let Ok((len, source)) = self.socket.recv_from(buffer) {
            self.peer.handle_datagram(Instant::now(), source, &buffer[..len]);
            self.settle();
        }
    }

    fn receive_batches(&mut self, buffers: &mut Buffers) {
        let mut meta = [RecvMeta::default(); BATCH_SIZE];
        while let Some(udp) = &self.udp {
            let mut slices: Vec<IoSliceMut<'_>> = buffers.bytes.chunks_mut(BUFFER).map(IoSliceMut::new).collect();
            let Ok(count) = udp.recv(UdpSockRef::from(&self.socket), &mut slices, &mut meta) else {
                return;
            };
            let now = Instant::now();
            for (meta, bytes) in meta.iter().zip(buffers.bytes.chunks(BUFFER)).take(count) {
                for datagram in bytes[..meta.len].chunks(meta.stride.max(1)) {
                    self.peer.handle_datagram(now, meta.addr, datagram);
                    self.settle();
                }
            }
        }
    }
}

struct Buffers {
    bytes: Vec<u8>,
}

fn start_worker(index: usize) -> io::Result<Arc<Worker>> {
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    let (commands, inbox) = mpsc::channel();
    let name = format!("bench-media-{index}");
    thread::Builder::new().name(name).spawn(move || run(poll, &inbox))?;
    Ok(Arc::new(Worker { commands, waker }))
}

fn run(mut poll: Poll, inbox: &mpsc::Receiver<Command>) {
    let mut slots: BTreeMap<usize, Box<Slot>> = BTreeMap::new();
    let mut events = Events::with_capacity(1024);
    let mut buffers = Buffers { bytes: vec![0; BUFFER * BATCH_SIZE] };
    loop {
        let sleep = slots.values().filter_map(|s| s.deadline.into_iter().chain(s.media_due).min()).min();
        let sleep = sleep.map_or(MAX_SLEEP, |at| at.saturating_duration_since(Instant::now()).min(MAX_SLEEP));
        if poll.poll(&mut events, Some(sleep)).is_err() {
            continue;
        }
        for event in &events {
            if let Some(slot) = slots.get_mut(&event.token().0) {
                slot.receive(&mut buffers);
            }
        }
        loop {
            match inbox.try_recv() {
                Ok(command) => handle(command, &mut slots, &poll),
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => return,
            }
        }
        let now = Instant::now();
        slots.values_mut().for_each(|slot| slot.tick(now));
    }
}

fn handle(command: Command, slots: &mut BTreeMap<usize, Box<Slot>>, poll: &Poll) {
    match command {
        Command::Add(token, mut slot) => {
            if poll.registry().register(&mut slot.socket, token, Interest::READABLE).is_ok() {
                slot.settle();
                slots.insert(token.0, slot);
            }
        }
        Command::With(token, job) => {
            if let Some(slot) = slots.get_mut(&token.0) {
                let now = Instant::now();
                job(&mut slot.peer, now);
                slot.peer.handle_timeout(now);
                slot.media_due = Some(now);
                slot.settle();
            }
        }
        Command::Remove(token) => {
            if let Some(mut slot) = slots.remove(&token.0) {
                slot.peer.close();
                slot.settle();
            }
        }
    }
}
