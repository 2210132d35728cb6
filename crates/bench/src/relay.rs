//! A small UDP relay with a bad network inside: browsers and our own clients are sent through it, unmodified.
//!
//! Each client address gets a socket of its own towards the server, so that the server sees as many peers as there
//! are. Loss and delay come from `str0m-netem`, seeded: the same seed loses the same packets of the same sequence.

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use str0m_netem::{Bitrate, DataSize, Input, Netem, NetemConfig, Output, Probability, RandomLoss, WithLen};

/// Of a direction's losses.
const UP: u64 = 0;
const DOWN: u64 = 1 << 63;
const LISTEN: Token = Token(0);
const WAKE: Token = Token(usize::MAX);
/// A relay for tests: more clients than this are not served.
const MAX_FLOWS: usize = 1024;
/// The longest sleep between looks at the stop flag.
const MAX_SLEEP: Duration = Duration::from_millis(100);

/// How bad the network is, the same both ways.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Share of the packets that is lost, 0..=1.
    pub loss: f32,
    /// One way.
    pub delay: Duration,
    /// One way, on top of the delay, uniform.
    pub jitter: Duration,
    /// Towards clients, bit/s; 0: no limit.
    pub down_rate: u64,
    /// Decides which packets are lost.
    pub seed: u64,
}

/// What waits where the rate is limited: a home router's queue.
const QUEUE_BYTES: i64 = 64 * 1024;

impl Weather {
    fn config(self, direction: u64) -> NetemConfig {
        NetemConfig::new()
            .latency(self.delay)
            .jitter(self.jitter)
            .loss(RandomLoss::new(Probability::new(self.loss)))
            .seed(self.seed ^ direction)
    }

    fn netem_down(self, rate: u64) -> NetemConfig {
        let config = self.config(DOWN);
        if rate == 0 { config } else { config.link(Bitrate::bps(rate), DataSize::bytes(QUEUE_BYTES)) }
    }
}

#[derive(Clone, Debug)]
struct Parcel {
    flow: usize,
    bytes: Vec<u8>,
}

impl WithLen for Parcel {
    fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// A running relay; it ends when dropped.
#[derive(Debug)]
pub struct Relay {
    listen: SocketAddr,
    stop: Arc<AtomicBool>,
    counts: Arc<Counts>,
    down_rate: Arc<AtomicU64>,
    waker: Waker,
    thread: Option<thread::JoinHandle<()>>,
}

/// What passed, both ways together.
#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    given: AtomicU64,
}

impl Relay {
    /// Listens on `listen` (port 0 draws one) and relays to `to`.
    ///
    /// # Errors
    /// When the socket or the thread can't be had.
    pub fn start(listen: SocketAddr, to: SocketAddr, weather: Weather) -> io::Result<Self> {
        let mut socket = UdpSocket::bind(listen)?;
        let listen = socket.local_addr()?;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        poll.registry().register(&mut socket, LISTEN, Interest::READABLE)?;
        let down_rate = Arc::new(AtomicU64::new(weather.down_rate));
        let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
        let work = Work {
            socket,
            to,
            poll,
            flows: Vec::new(),
            by_client: HashMap::new(),
            up: Netem::new(weather.config(UP)),
            down: Netem::new(weather.netem_down(weather.down_rate)),
            weather,
            down_rate: down_rate.clone(),
            counts: counts.clone(),
            stop: stop.clone(),
        };
        let thread = thread::Builder::new().name("bench-relay".into()).spawn(move || work.run())?;
        Ok(Self { listen, stop, counts, down_rate, waker, thread: Some(thread) })
    }

    /// Where clients send to.
    pub fn addr(&self) -> SocketAddr {
        self.listen
    }

    /// Towards clients it carries so much from now on, bit/s; 0: everything.
    pub fn limit_down(&self, rate: u64) {
        self.down_rate.store(rate, Ordering::Relaxed);
    }

    /// (packets taken, packets passed on), both ways together.
    pub fn counts(&self) -> (u64, u64) {
        (self.counts.taken.load(Ordering::Relaxed), self.counts.given.load(Ordering::Relaxed))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // If waking fails, the thread still looks at the flag within its longest sleep.
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Flow {
    client: SocketAddr,
    socket: UdpSocket,
}

struct Work {
    socket: UdpSocket,
    to: SocketAddr,
    poll: Poll,
    flows: Vec<Flow>,
    by_client: HashMap<SocketAddr, usize>,
    up: Netem<Parcel>,
    down: Netem<Parcel>,
    weather: Weather,
    down_rate: Arc<AtomicU64>,
    counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn run(mut self) {
        let mut events = Events::with_capacity(256);
        let mut buffer = vec![0; 65_536];
        while !self.stop.load(Ordering::Relaxed) {
            let rate = self.down_rate.load(Ordering::Relaxed);
            if rate != self.weather.down_rate {
                self.weather.down_rate = rate;
                self.down.set_config(self.weather.netem_down(rate));
            }
            let next = self.up.poll_timeout().min(self.down.poll_timeout());
            let sleep = next.saturating_duration_since(Instant::now()).min(MAX_SLEEP);
            if self.poll.poll(&mut events, Some(sleep)).is_err() {
                continue;
            }
            for event in &events {
                match event.token() {
                    WAKE => {}
                    LISTEN => self.take_up(&mut buffer),
                    Token(flow) => self.take_down(flow - 1, &mut buffer),
                }
            }
            self.deliver();
        }
    }

    fn take_up(&mut self, buffer: &mut [u8]) {
        while let Ok((len, client)) = self.socket.recv_from(buffer) {
            if let Some(flow) = self.flow_of(client) {
                self.counts.taken.fetch_add(1, Ordering::Relaxed);
                self.up.handle_input(Input::Packet(Instant::now(), Parcel { flow, bytes: buffer[..len].to_vec() }));
            }
        }
    }

    fn take_down(&mut self, flow: usize, buffer: &mut [u8]) {
        while let Some(Ok(len)) = self.flows.get(flow).map(|f| f.socket.recv(buffer)) {
            self.counts.taken.fetch_add(1, Ordering::Relaxed);
            self.down.handle_input(Input::Packet(Instant::now(), Parcel { flow, bytes: buffer[..len].to_vec() }));
        }
    }

    fn flow_of(&mut self, client: SocketAddr) -> Option<usize> {
        if let Some(flow) = self.by_client.get(&client) {
            return Some(*flow);
        }
        if self.flows.len() == MAX_FLOWS {
            return None;
        }
        let any: SocketAddr = if self.to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let mut socket = UdpSocket::bind(any).ok()?;
        socket.connect(self.to).ok()?;
        let flow = self.flows.len();
        self.poll.registry().register(&mut socket, Token(flow + 1), Interest::READABLE).ok()?;
        self.flows.push(Flow { client, socket });
        self.by_client.insert(client, flow);
        Some(flow)
    }

    fn deliver(&mut self) {
        let now = Instant::now();
        self.up.handle_input(Input::Timeout(now));
        self.down.handle_input(Input::Timeout(now));
        // A full socket buffer loses the packet: that is what this relay is for.
        while let Some(parcel) = due(&mut self.up) {
            drop(self.flows[parcel.flow].socket.send(&parcel.bytes));
            self.counts.given.fetch_add(1, Ordering::Relaxed);
        }
        while let Some(parcel) = due(&mut self.down) {
            drop(self.socket.send_to(&parcel.bytes, self.flows[parcel.flow].client));
            self.counts.given.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn due(netem: &mut Netem<Parcel>) -> Option<Parcel> {
    loop {
        match netem.poll_output()? {
            Output::Packet(parcel) => return Some(parcel),
            Output::Timeout(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_delays_both_ways_and_loses_its_share() {
        let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let weather =
            Weather { loss: 0.2, delay: Duration::from_millis(20), jitter: Duration::ZERO, down_rate: 0, seed: 1 };
        let relay = Relay::start("127.0.0.1:0".parse().unwrap(), server.local_addr().unwrap(), weather).unwrap();
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(relay.addr()).unwrap();
        for socket in [&server, &client] {
            socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        }
        let began = Instant::now();
        (0..100u8).for_each(|n| drop(client.send(&[n])));
        let mut buffer = [0; 16];
        let mut came = 0;
        while let Ok((len, from)) = server.recv_from(&mut buffer) {
            came += 1;
            server.send_to(&buffer[..len], from).unwrap();
        }
        assert!((65..95).contains(&came), "{came} of 100 came");
        assert!(client.recv(&mut buffer).is_ok());
        assert!(began.elapsed() >= Duration::from_millis(40));
    }
}
