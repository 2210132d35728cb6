//! One connection: what it carries goes to a shard, what the shard answers goes back into it.

use crate::quota::Permit;
use crate::tunnel::backlog::Backlog;
use crate::tunnel::{Door, Outbound, TunnelInput, next_stream, outbox};
use bytes::{Buf, BytesMut};
use rtc::Credentials;
use sfu::{Arrival, Origin, TunnelId, Via};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// For a first check that a shard verifies, or an allocation. Who proves nothing in this time goes.
const PROOF_TIMEOUT: Duration = Duration::from_secs(5);
/// Nothing came for so long: ICE renews its consent every 5 s (RFC 7675 section 5.1), so the other end is gone.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// With something to send and nothing taken for so long, the other end is stuck.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Handed to the kernel at a time.
const WRITE_BYTES: usize = 16 * 1024;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    /// The other end closed it, or it broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It carries something else.
    #[error("not what this port is for: {0}")]
    Foreign(String),
    /// It proved nothing in time.
    #[error("it proved nothing")]
    Unproven,
    /// Nothing came, or nothing was taken.
    #[error("silent or stuck")]
    Silent,
    /// Its peer has gone.
    #[error("its peer has gone")]
    Done,
}

/// What speaks inside of a connection.
pub(crate) trait Dialect {
    /// Reads what has come, from the front of `buffer`, and says what follows from it.
    fn take(&mut self, now: Instant, buffer: &mut BytesMut, steps: &mut Steps) -> Result<(), Ended>;
    /// Packs a shard's datagram for the other end; it leaves from `local`.
    fn put(&mut self, local: SocketAddr, datagram: &[u8], out: &mut BytesMut);
    /// What shards see of whoever is at the other end, in this tunnel.
    fn origin(&self, tunnel: TunnelId) -> Option<Origin>;
    /// The other end has shown by itself that it belongs here.
    fn is_proven(&self) -> bool;
    /// When it ends by itself.
    fn expires(&self) -> Option<Instant>;
}

/// What follows from what came.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// For shards: the address of ours that it is for, and the datagram.
    pub(crate) datagrams: Vec<(SocketAddr, BytesMut)>,
    /// For the other end.
    pub(crate) replies: BytesMut,
}

/// What connections have carried.
#[derive(Debug, Default)]
pub(crate) struct StreamCounts {
    /// Open now.
    pub(crate) open: AtomicU64,
    /// Taken so far.
    pub(crate) accepted: AtomicU64,
    /// Turned away: too many, or from one address too many.
    pub(crate) refused: AtomicU64,
    /// Bytes of datagrams, both ways.
    pub(crate) bytes: AtomicU64,
    /// Datagrams dropped for a slow one.
    pub(crate) dropped: AtomicU64,
}

/// A connection at work.
pub(crate) struct Stream<D> {
    dialect: D,
    doors: Arc<[Door]>,
    counts: Arc<StreamCounts>,
    tunnel: TunnelId,
    /// The shard that its peer lives on, and what comes back from there.
    owner: Option<(u8, mpsc::Receiver<Outbound>)>,
    backlog: Backlog,
    pending: BytesMut,
    /// Held until it has shown that it belongs here.
    unproven: Option<Permit>,
    /// Its peer has gone: what is left is sent, and no more.
    done: bool,
}

impl<D: Dialect> Stream<D> {
    pub(crate) fn new(dialect: D, doors: Arc<[Door]>, counts: Arc<StreamCounts>, unproven: Permit) -> Self {
        Self {
            dialect,
            doors,
            counts,
            tunnel: next_stream(),
            owner: None,
            backlog: Backlog::default(),
            pending: BytesMut::new(),
            unproven: Some(unproven),
            done: false,
        }
    }

    /// Until it ends.
    pub(crate) async fn run(mut self, socket: impl AsyncRead + AsyncWrite) -> Ended {
        let Err(ended) = self.carry(socket).await;
        self.leave().await;
        self.counts.dropped.fetch_add(self.backlog.dropped, Ordering::Relaxed);
        ended
    }

    async fn carry(&mut self, socket: impl AsyncRead + AsyncWrite) -> Result<Infallible, Ended> {
        let (mut reader, mut writer) = tokio::io::split(socket);
        let mut buffer = BytesMut::with_capacity(WRITE_BYTES);
        let began = now();
        let (mut heard, mut taken) = (began, began);
        loop {
            self.refill();
            if self.pending.is_empty() {
                if self.done {
                    return Err(Ended::Done);
                }
                taken = now();
            }
            let deadline = self.deadline(began, heard, taken);
            tokio::select! {
                read = reader.read_buf(&mut buffer) => {
                    if read? == 0 {
                        return Err(Ended::Io(io::ErrorKind::UnexpectedEof.into()));
                    }
                    heard = now();
                    self.take(heard, &mut buffer).await?;
                }
                datagram = next(&mut self.owner), if !self.done => self.answer(datagram),
                written = writer.write(&self.pending), if !self.pending.is_empty() => {
                    self.pending.advance(written?);
                    taken = now();
                }
                () = tokio::time::sleep_until(deadline.into()) => {
                    return Err(if self.unproven.is_some() { Ended::Unproven } else { Ended::Silent });
                }
            }
        }
    }

    fn deadline(&self, began: Instant, heard: Instant, taken: Instant) -> Instant {
        let idle = heard + IDLE_TIMEOUT;
        let proof = self.unproven.is_some().then(|| began + PROOF_TIMEOUT);
        let stall = (!self.pending.is_empty()).then(|| taken + STALL_TIMEOUT);
        [proof, stall, self.dialect.expires()].into_iter().flatten().fold(idle, Instant::min)
    }

    async fn take(&mut self, now: Instant, buffer: &mut BytesMut) -> Result<(), Ended> {
        let mut steps = Steps::default();
        self.dialect.take(now, buffer, &mut steps)?;
        self.pending.unsplit(steps.replies);
        self.unproven.take_if(|_| self.dialect.is_proven());
        for (local, datagram) in steps.datagrams {
            self.hand_over(local, &datagram).await?;
        }
        Ok(())
    }

    /// A check says in its ufrag whose this connection is; everything after it goes there.
    async fn hand_over(&mut self, local: SocketAddr, datagram: &[u8]) -> Result<(), Ended> {
        if let Some(shard) = Credentials::addressed_ufrag(datagram).and_then(Credentials::shard_of)
            && self.owner.as_ref().is_none_or(|(owner, _)| *owner != shard)
        {
            self.open(shard).await?;
        }
        let (Some((owner, _)), Some(origin)) = (&self.owner, self.dialect.origin(self.tunnel)) else {
            return Err(Ended::Foreign("no check came first".into()));
        };
        self.counts.bytes.fetch_add(datagram.len() as u64, Ordering::Relaxed);
        let input = TunnelInput::Datagram { arrival: Arrival { origin, local }, datagram: datagram.to_vec() };
        self.tell(*owner, input).await
    }

    async fn open(&mut self, shard: u8) -> Result<(), Ended> {
        if usize::from(shard) >= self.doors.len() {
            return Err(Ended::Foreign("a check that names no shard of ours".into()));
        }
        self.leave().await;
        let (sender, receiver) = outbox();
        self.owner = Some((shard, receiver));
        self.tell(shard, TunnelInput::Opened { tunnel: self.tunnel, outbox: sender }).await
    }

    async fn tell(&self, shard: u8, input: TunnelInput) -> Result<(), Ended> {
        let Some(door) = self.doors.get(usize::from(shard)) else { return Err(Ended::Done) };
        if door.send(input).await { Ok(()) } else { Err(Ended::Done) }
    }

    async fn leave(&mut self) {
        if let (Some((owner, _)), Some(origin)) = (self.owner.take(), self.dialect.origin(self.tunnel)) {
            // A shard that has ended needs no goodbye.
            let _ = self.tell(owner, TunnelInput::Closed { origin }).await;
        }
    }

    /// The shard answers only whom it has verified, so an answer is a proof.
    fn answer(&mut self, datagram: Option<Outbound>) {
        let Some(datagram) = datagram else {
            self.done = true;
            return;
        };
        self.backlog.push(datagram);
        self.unproven = None;
        while let Some(datagram) = self.owner.as_mut().and_then(|(_, queue)| queue.try_recv().ok()) {
            self.backlog.push(datagram);
        }
    }

    fn refill(&mut self) {
        while self.pending.len() < WRITE_BYTES
            && let Some((local, datagram)) = self.backlog.pop()
        {
            self.counts.bytes.fetch_add(datagram.len() as u64, Ordering::Relaxed);
            self.dialect.put(local, &datagram, &mut self.pending);
        }
    }
}

/// The clock that the runtime's timers go by: in tests both stand still together.
#[allow(clippy::disallowed_methods, reason = "a connection's clock is read here")]
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn next(owner: &mut Option<(u8, mpsc::Receiver<Outbound>)>) -> Option<Outbound> {
    match owner {
        Some((_, queue)) => queue.recv().await,
        None => std::future::pending().await,
    }
}

/// ICE over TCP: the client connects to our candidate (RFC 6544 section 4.1, passive).
pub(crate) struct IceTcp {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

impl Dialect for IceTcp {
    fn take(&mut self, _: Instant, buffer: &mut BytesMut, steps: &mut Steps) -> Result<(), Ended> {
        loop {
            match super::frame::take(buffer) {
                Ok(Some(datagram)) => steps.datagrams.push((self.local, datagram)),
                Ok(None) => return Ok(()),
                Err(error) => return Err(Ended::Foreign(error.to_string())),
            }
        }
    }
    fn put(&mut self, _: SocketAddr, datagram: &[u8], out: &mut BytesMut) {
        super::frame::put(datagram, out);
    }
    fn origin(&self, tunnel: TunnelId) -> Option<Origin> {
        Some(Origin { via: Via::Tcp(tunnel), address: self.remote })
    }
    fn is_proven(&self) -> bool {
        false
    }
    fn expires(&self) -> Option<Instant> {
        None
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
