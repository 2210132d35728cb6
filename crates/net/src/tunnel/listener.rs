//! Where connections come in: bounded in all, and for each address while they have proved nothing.

use crate::quota::{Permit, Quotas, one_address};
use crate::tunnel::stream::{Ended, StreamCounts};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Connections at a time: a full house behind a firewall that lets no UDP through, some 128 KiB of kernel memory each.
const MAX_CONNECTIONS: usize = 8192;
/// Of one address, while they have proved nothing: a class behind one NAT that joins at once.
const MAX_UNPROVEN: u16 = 128;
/// Connections that may wait to be accepted.
const LISTEN_BACKLOG: i32 = 1024;
/// Out of descriptors, or a connection broke before it was taken: look again soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds a port for connections; IPv6's wildcard takes IPv4 too.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restart must not wait for the old connections' TIME_WAIT.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(LISTEN_BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    bind().map_err(|error| io::Error::new(error.kind(), format!("TCP {address}: {error}")))
}

/// A connection that was let in.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// Given back when it has proved that it belongs here.
    pub(crate) unproven: Permit,
}

/// Takes connections for ever; each is served in a task of its own.
pub(crate) async fn accept<F>(listener: TcpListener, counts: Arc<StreamCounts>, serve: impl Fn(Accepted) -> F)
where
    F: Future<Output = Ended> + Send + 'static,
{
    let quotas = Quotas::new(MAX_UNPROVEN);
    loop {
        match listener.accept().await {
            Ok((socket, remote)) => match admit(socket, remote, &quotas, &counts) {
                Ok(accepted) => spawn(serve(accepted), &counts),
                Err(_) => drop(counts.refused.fetch_add(1, Ordering::Relaxed)),
            },
            Err(error) => {
                tracing::debug!(%error, "accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(socket: TcpStream, remote: SocketAddr, quotas: &Arc<Quotas>, counts: &StreamCounts) -> io::Result<Accepted> {
    let remote = crate::addresses::normal(remote);
    let full = counts.open.load(Ordering::Relaxed) >= MAX_CONNECTIONS as u64;
    let permit = quotas.take(one_address(remote.ip())).filter(|_| !full);
    let unproven = permit.ok_or(io::ErrorKind::ConnectionRefused)?;
    // A datagram must not wait for the next one.
    socket.set_nodelay(true)?;
    let local = crate::addresses::normal(socket.local_addr()?);
    Ok(Accepted { socket, local, remote, unproven })
}

fn spawn(serving: impl Future<Output = Ended> + Send + 'static, counts: &Arc<StreamCounts>) {
    let counts = Arc::clone(counts);
    counts.accepted.fetch_add(1, Ordering::Relaxed);
    counts.open.fetch_add(1, Ordering::Relaxed);
    tokio::spawn(async move {
        let open = Open(&counts);
        let ended = serving.await;
        drop(open);
        tracing::debug!(%ended, "a media connection ended");
    });
}

/// Counted as open until it is dropped, also by a panic in its task.
struct Open<'a>(&'a StreamCounts);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
