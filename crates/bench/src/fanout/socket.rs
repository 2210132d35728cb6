//! One socket of a load: a WebSocket without anything that a load doesn't need.

use super::dialect::Dialect;
use super::frames;
use mio::net::TcpStream;
use socket2::{Domain, Socket as RawSocket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Patience with a server that is being joined.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer to an upgrade is shorter.
const MAX_HEAD: usize = 8 * 1024;

/// A socket.
#[derive(Debug)]
pub struct Socket {
    /// Non-blocking.
    pub stream: TcpStream,
    dialect: Dialect,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
    /// What the kernel has not taken yet.
    unsent: Vec<u8>,
}

impl Socket {
    /// Connects from `from` and goes through the dialect's greeting; blocking.
    ///
    /// # Errors
    /// When the server refuses, says something else, or takes longer than ten seconds.
    pub fn open(server: SocketAddr, from: Option<IpAddr>, dialect: Dialect) -> io::Result<Self> {
        let raw = RawSocket::new(Domain::for_address(server), Type::STREAM, None)?;
        if let Some(from) = from {
            raw.set_reuse_address(true)?;
            raw.bind(&SocketAddr::new(from, 0).into())?;
        }
        raw.connect_timeout(&server.into(), PATIENCE)?;
        raw.set_tcp_nodelay(true)?;
        let mut stream: std::net::TcpStream = raw.into();
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut rest = upgrade(&mut stream, server, dialect)?;
        greet(&mut stream, dialect, &mut rest)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream: TcpStream::from_std(stream), dialect, rest, unsent: Vec::new() })
    }

    /// Sends a text, or keeps it until the kernel takes it.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.unsent.extend(frames::client(1, text.as_bytes()));
        self.flush()
    }

    /// Bytes that the kernel has not taken.
    pub fn waiting(&self) -> usize {
        self.unsent.len()
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads all that is there through `buffer` and gives each text and binary frame to `hear`. Pings are answered.
    ///
    /// # Errors
    /// When the socket is gone or was closed.
    pub fn read(&mut self, buffer: &mut [u8], hear: &mut impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.take(&buffer[..count], hear)?;
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, fresh: &[u8], hear: &mut impl FnMut(&[u8])) -> io::Result<()> {
        let mut joined = std::mem::take(&mut self.rest);
        let mut bytes = if joined.is_empty() {
            fresh
        } else {
            joined.extend(fresh);
            &joined
        };
        let mut replies = Vec::new();
        while let Some((frame, length)) = frames::first(bytes) {
            bytes = &bytes[length..];
            match frame.opcode {
                1 | 2 => match self.dialect.answer(frame.payload) {
                    Some(answer) => replies.extend(frames::client(1, answer.as_bytes())),
                    None => hear(frame.payload),
                },
                8 => return Err(io::Error::other(format!("closed: {:?}", frame.payload))),
                9 => replies.extend(frames::client(10, frame.payload)),
                _ => {}
            }
        }
        self.rest = bytes.to_vec();
        if replies.is_empty() {
            return Ok(());
        }
        self.unsent.extend(replies);
        self.flush()
    }
}

/// What came behind the head.
fn upgrade(stream: &mut std::net::TcpStream, server: SocketAddr, dialect: Dialect) -> io::Result<Vec<u8>> {
    let path = dialect.path();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )?;
    let mut head = Vec::new();
    let end = loop {
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if head.len() > MAX_HEAD {
            return Err(io::Error::other("an endless head"));
        }
        read_more(stream, &mut head)?;
    };
    if !head.starts_with(b"HTTP/1.1 101") {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        return Err(io::Error::other(String::from_utf8_lossy(line).into_owned()));
    }
    Ok(head.split_off(end))
}

fn greet(stream: &mut std::net::TcpStream, dialect: Dialect, rest: &mut Vec<u8>) -> io::Result<()> {
    for (begins_with, answer) in dialect.greeting() {
        let length = loop {
            if let Some((frame, length)) = frames::first(rest) {
                if !frame.payload.starts_with(begins_with.as_bytes()) {
                    return Err(io::Error::other(format!("not {begins_with}…")));
                }
                break length;
            }
            read_more(stream, rest)?;
        };
        rest.drain(..length);
        if let Some(answer) = answer {
            stream.write_all(&frames::client(1, answer.as_bytes()))?;
        }
    }
    Ok(())
}

fn read_more(stream: &mut std::net::TcpStream, into: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 2048];
    match stream.read(&mut buffer)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        count => {
            into.extend(&buffer[..count]);
            Ok(())
        }
    }
}
