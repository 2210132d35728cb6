//! The address by which the world sees this machine: asked of STUN servers (RFC 8489), once for each address of its own.

use rtc::binding::{TRANSACTION, mapped_address, request};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// When a request is sent again, each time twice as long after the last (RFC 8489, 6.2.1: at least 500 ms; a server that is
/// near answers in 50).
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Servers that are asked at a time at most; the first answer counts.
const MAX_SERVERS: usize = 8;
/// Addresses of this machine that are asked for at most.
const MAX_ADDRESSES: usize = 16;
/// Bytes of a response at most: one without authentication has about a hundred.
const MAX_RESPONSE_BYTES: usize = 1500;

/// An address of this machine, and what the world sees in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Ours.
    pub local: IpAddr,
    /// What a server saw; the same where there is no NAT.
    pub external: IpAddr,
}

/// Asks `servers` (`host:port`) how they see each of `addresses`, from the UDP port `from`: that of media shows whether a
/// firewall lets it through, 0 is any. Loopback is not asked for. Takes `timeout` at most; an
/// address that no server answered for is missing in what comes back.
pub async fn discover(addresses: &[IpAddr], from: u16, servers: &[String], timeout: Duration) -> Vec<Mapping> {
    let servers = tokio::time::timeout(timeout, resolve(servers)).await.unwrap_or_default();
    let mut asked = JoinSet::new();
    for local in addresses.iter().filter(|address| !address.is_loopback()).take(MAX_ADDRESSES) {
        asked.spawn(first_answer(SocketAddr::new(*local, from), servers.clone(), timeout));
    }
    let mut mappings: Vec<_> = asked.join_all().await.into_iter().flatten().collect();
    // In the order of the machine's own addresses: candidates keep it.
    mappings.sort_by_key(|mapping| addresses.iter().position(|address| *address == mapping.local));
    mappings
}

async fn resolve(servers: &[String]) -> Vec<SocketAddr> {
    let mut lookups = JoinSet::new();
    for server in servers.iter().take(MAX_SERVERS).cloned() {
        lookups.spawn(async move { tokio::net::lookup_host(server).await.map(Iterator::collect::<Vec<_>>) });
    }
    lookups.join_all().await.into_iter().filter_map(Result::ok).flatten().collect()
}

async fn first_answer(local: SocketAddr, servers: Vec<SocketAddr>, timeout: Duration) -> Option<Mapping> {
    let mut asked = JoinSet::new();
    for server in servers.into_iter().filter(|server| server.is_ipv4() == local.is_ipv4()).take(MAX_SERVERS) {
        asked.spawn(tokio::time::timeout(timeout, ask(local, server)));
    }
    while let Some(answer) = asked.join_next().await {
        if let Ok(Ok(Ok(external))) = answer {
            return Some(Mapping { local: local.ip(), external: external.ip().to_canonical() });
        }
    }
    None
}

/// Asks `server` how it sees `local` (port 0 is any), again and again until it answers: the caller limits the time.
///
/// # Errors
/// `local` is not ours, there is no randomness, or the system says that nobody is there.
pub async fn ask(local: SocketAddr, server: SocketAddr) -> io::Result<SocketAddr> {
    let socket = bind(local)?;
    // From now on the kernel drops what comes from anybody else.
    socket.connect(server).await?;
    let mut transaction = [0; TRANSACTION];
    getrandom::fill(&mut transaction).map_err(io::Error::other)?;
    let mut patience = FIRST_RETRY;
    loop {
        socket.send(&request(&transaction)).await?;
        match tokio::time::timeout(patience, answer(&socket, &transaction)).await {
            Ok(answered) => return answered,
            Err(_) => patience *= 2,
        }
    }
}

// Several servers are asked from one port at a time: each socket is connected to its own, and gets what comes from there.
fn bind(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&local.into())?;
    UdpSocket::from_std(socket.into())
}

async fn answer(socket: &UdpSocket, transaction: &[u8; TRANSACTION]) -> io::Result<SocketAddr> {
    let mut response = [0; MAX_RESPONSE_BYTES];
    loop {
        let length = socket.recv(&mut response).await?;
        if let Some(address) = mapped_address(&response[..length], transaction) {
            return Ok(address);
        }
    }
}

#[cfg(test)]
#[path = "external_tests.rs"]
mod tests;
