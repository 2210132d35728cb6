//! A shard's UDP socket: batched receive with GRO, send with GSO where the kernel has it.

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

/// Kernel buffers: 4 MiB hold 40 ms of a gigabit, longer than a turn takes.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// A buffer holds what GRO may put together: the largest UDP payload.
const RECEIVE_BUFFER_BYTES: usize = 65_535;
/// Datagrams (or GRO groups of them) in one receive call.
const RECEIVE_BATCH: usize = 16;

/// A socket and its kernel's abilities.
#[derive(Debug)]
pub(crate) struct Udp {
    pub(crate) socket: mio::net::UdpSocket,
    state: UdpSocketState,
    pub(crate) bound: SocketAddr,
}

/// Room for one receive call.
pub(crate) struct ReceiveBuffers {
    bytes: Vec<Vec<u8>>,
    meta: [RecvMeta; RECEIVE_BATCH],
}

impl ReceiveBuffers {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![vec![0; RECEIVE_BUFFER_BYTES]; RECEIVE_BATCH], meta: [RecvMeta::default(); RECEIVE_BATCH] }
    }
}

/// A media socket's buffer in bytes: wanted, and granted by the kernel (the smaller of both directions).
///
/// # Errors
/// The system gives no socket.
pub fn buffer_bytes() -> io::Result<(usize, usize)> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // What is refused shows in what is read back.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    let granted = socket.recv_buffer_size()?.min(socket.send_buffer_size()?);
    // Linux doubles what it grants, for its own book-keeping (socket(7)).
    Ok((SOCKET_BUFFER_BYTES, if cfg!(target_os = "linux") { granted / 2 } else { granted }))
}

impl Udp {
    /// Binds. With `shared`, other shards bind the same address (SO_REUSEPORT).
    pub(crate) fn bind(address: SocketAddr, shared: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_reuse_port(shared)?;
        socket.set_nonblocking(true)?;
        // The kernel caps these silently; what it gave is checked by `odeon doctor`, not here.
        let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
        socket.bind(&address.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let socket = mio::net::UdpSocket::from_std(socket.into());
        let bound = socket.local_addr()?;
        Ok(Self { socket, state, bound })
    }

    /// Segments that one send may carry; 1 where the kernel has no GSO.
    pub(crate) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// One receive call. `each` gets (local address, source, datagram); returns how many datagrams came, `None` when
    /// nothing is there.
    pub(crate) fn receive(
        &self,
        buffers: &mut ReceiveBuffers,
        mut each: impl FnMut(SocketAddr, SocketAddr, &[u8]),
    ) -> io::Result<Option<usize>> {
        let ReceiveBuffers { bytes, meta } = buffers;
        let mut slices = bytes.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect::<Vec<_>>();
        let received = self
            .socket
            .try_io(|| self.state.recv(UdpSockRef::from(&self.socket), &mut slices, meta))
            .map(Some)
            .or_else(|error| if error.kind() == io::ErrorKind::WouldBlock { Ok(None) } else { Err(error) })?;
        let Some(received) = received else { return Ok(None) };
        let mut datagrams = 0;
        for (meta, buffer) in meta.iter().zip(bytes.iter()).take(received) {
            let local = SocketAddr::new(meta.dst_ip.unwrap_or(self.bound.ip()), self.bound.port());
            let (local, source) = (crate::addresses::normal(local), crate::addresses::normal(meta.addr));
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                datagrams += 1;
                each(local, source, datagram);
            }
        }
        Ok(Some(datagrams))
    }

    /// Sends `contents`, cut into segments of `segment` bytes (the last may be shorter).
    pub(crate) fn send(
        &self,
        local: Option<IpAddr>,
        destination: SocketAddr,
        contents: &[u8],
        segment: usize,
    ) -> io::Result<()> {
        let destination = self.in_family(destination);
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: (segment < contents.len()).then_some(segment),
            src_ip: local.map(|ip| self.in_family(SocketAddr::new(ip, 0)).ip()),
        };
        self.socket.try_io(|| self.state.try_send(UdpSockRef::from(&self.socket), &transmit))
    }

    /// A v4 address as a v6 socket wants it.
    fn in_family(&self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(v4) if self.bound.is_ipv6() => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
            _ => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::{Duration, Instant};

    #[test]
    fn segments_of_one_send_arrive_as_datagrams() {
        let bind = || Udp::bind((Ipv4Addr::LOCALHOST, 0).into(), false).unwrap();
        let (sender, receiver) = (bind(), bind());
        let segment = if sender.max_segments() > 1 { 100 } else { 250 };
        sender.send(None, receiver.bound, &[7; 250], segment).unwrap();
        let (mut buffers, mut lengths) = (ReceiveBuffers::new(), Vec::new());
        let until = Instant::now() + Duration::from_secs(2);
        while lengths.iter().sum::<usize>() < 250 && Instant::now() < until {
            receiver.receive(&mut buffers, |_, _, datagram| lengths.push(datagram.len())).unwrap();
        }
        assert_eq!(lengths, if segment == 100 { vec![100, 100, 50] } else { vec![250] });
    }
}
