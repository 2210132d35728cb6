//! The door with TLS. Where TURN shares its port (443, the one that every firewall opens), clients are told apart here.

use net::tls::dispatch::{Purpose, by_first_byte, by_handshake};
use net::tls::{Certificates, TlsAcceptor, TlsStream, alpn};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncBufReadExt;
use tokio::net::TcpStream;

/// Who takes TURN clients over, and the name that only those ask for.
#[derive(Clone)]
pub struct TurnDoor {
    /// TURN's own domain, if it has one.
    pub domain: Option<String>,
    /// Takes a client whose handshake is done. It has its own limits, and must not block.
    pub take: Arc<dyn Fn(TlsStream<TcpStream>, SocketAddr) + Send + Sync>,
}

impl fmt::Debug for TurnDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnDoor").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// How TLS is spoken behind a door.
pub struct Https {
    acceptor: TlsAcceptor,
    turn: Option<TurnDoor>,
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").field("turn", &self.turn).finish_non_exhaustive()
    }
}

impl Https {
    /// With these certificates; `challenges` where an ACME authority knocks here, `turn` where TURN shares the port.
    ///
    /// # Errors
    /// See [`Certificates::server_config`].
    pub fn new(certificates: &Arc<Certificates>, challenges: bool, turn: Option<TurnDoor>) -> io::Result<Self> {
        let mut protocols = vec![alpn::HTTP_1_1];
        protocols.extend(turn.is_some().then_some(alpn::TURN));
        protocols.extend(challenges.then_some(alpn::ACME));
        let config = certificates.server_config(&protocols).map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(config), turn })
    }

    /// Takes a connection in. `None`: it has ended, or it was TURN's. The whole of it, with the byte that tells what an
    /// undecided client has come for, takes `timeout` at most.
    pub(super) async fn open(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        timeout: Duration,
    ) -> Option<TlsStream<TcpStream>> {
        match tokio::time::timeout(timeout, self.welcome(stream)).await {
            Ok(Ok((stream, Purpose::Http))) => return Some(stream),
            Ok(Ok((stream, Purpose::Turn))) => self.hand_over(stream, peer),
            Ok(Ok((_, Purpose::Challenge | Purpose::Unsaid))) => {}
            Ok(Err(error)) => failed("broken", &error),
            Err(late) => failed("late", &late),
        }
        None
    }

    async fn welcome(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Purpose)> {
        let mut stream = self.acceptor.accept(stream).await?;
        let Some(turn) = &self.turn else {
            let challenge = stream.get_ref().1.alpn_protocol() == Some(alpn::ACME);
            return Ok((stream, if challenge { Purpose::Challenge } else { Purpose::Http }));
        };
        let purpose = match by_handshake(stream.get_ref().1, turn.domain.as_deref()) {
            // Looked at, not taken: whoever it is for reads it again.
            Purpose::Unsaid => stream.fill_buf().await?.first().map_or(Purpose::Unsaid, |byte| by_first_byte(*byte)),
            said => said,
        };
        Ok((stream, purpose))
    }

    fn hand_over(&self, stream: TlsStream<TcpStream>, peer: SocketAddr) {
        if let Some(turn) = &self.turn {
            (turn.take)(stream, peer);
        }
    }
}

// Scanners and people who mistrust the certificate: counted, and told at debug only.
fn failed(why: &'static str, error: &dyn fmt::Display) {
    metrics::counter!("odeon_tls_handshakes_failed_total", "why" => why).increment(1);
    tracing::debug!(%error, "no TLS connection came about");
}

#[cfg(test)]
#[path = "https_tests.rs"]
mod tests;
