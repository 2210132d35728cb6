//! Where HTTP listens.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;

/// Connections that may wait to be accepted: a full house that reconnects at once.
const BACKLOG: i32 = 4096;

/// Listens on each of `addresses` (all of the machine's when there are none), on one and the same port. A machine without
/// IPv6 is told of and not given up on, as long as there is another address. `setting` is the port's name in a refusal.
pub fn bind(addresses: &[IpAddr], port: u16, setting: &str) -> io::Result<Vec<TcpListener>> {
    let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let addresses = if addresses.is_empty() { &all[..] } else { addresses };
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut port = port;
    for address in addresses {
        match bind_one(SocketAddr::new(*address, port)) {
            Ok(listener) => {
                port = listener.local_addr()?.port();
                listeners.push(listener);
            }
            Err(error) if address.is_ipv6() && !listeners.is_empty() && is_unavailable(&error) => {
                tracing::warn!(%error, "this machine has no IPv6: it listens on IPv4 only");
            }
            Err(error) => return Err(told(&error, SocketAddr::new(*address, port), setting)),
        }
    }
    Ok(listeners)
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn is_unavailable(error: &io::Error) -> bool {
    let unsupported = matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL));
    unsupported || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn told(error: &io::Error, address: SocketAddr, setting: &str) -> io::Error {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => format!(": another program has it; end that, or choose another with --{setting}"),
        io::ErrorKind::PermissionDenied => {
            format!(": ports under 1024 need permission; choose another with --{setting}")
        }
        _ => String::new(),
    };
    io::Error::new(error.kind(), format!("can't listen on {address}: {error}{remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_addresses_share_the_port_that_was_drawn() {
        let listeners = bind(&["127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap()], 0, "http.port").unwrap();
        let ports: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.len() == 2 && ports[0] == ports[1] && ports[0] != 0);
    }

    #[tokio::test]
    async fn a_taken_port_is_told_with_its_remedy() {
        let loopback = ["127.0.0.1".parse().unwrap()];
        let held = bind(&loopback, 0, "http.port").unwrap();
        let error = bind(&loopback, held[0].local_addr().unwrap().port(), "http.port").unwrap_err();
        assert!(error.to_string().contains("--http.port"), "{error}");
    }
}
