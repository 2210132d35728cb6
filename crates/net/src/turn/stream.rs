//! The relay over a connection (RFC 8656 section 3.1): its messages say themselves how long they are.

use crate::quota::Permit;
use crate::tls::TlsAcceptor;
use crate::tls::rustls::ServerConfig;
use crate::tunnel::Door;
use crate::tunnel::listener::{Accepted, Admission};
use crate::tunnel::stream::{Dialect, Ended, Steps, Stream};
use crate::turn::{RelayGrants, RelayServer, unix_now};
use bytes::BytesMut;
use sfu::{Origin, TunnelId, Via};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use turn::message::length_in_stream;
use turn::{Client, Event, Now, Relay, Server};

/// From the connection to the end of the TLS handshake: three round trips of a bad mobile network.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// What serving a connection needs.
#[derive(Clone, Debug)]
pub(crate) struct TurnDoor {
    pub(crate) relay: Arc<RelayServer>,
    pub(crate) doors: Arc<[Door]>,
    pub(crate) admission: Admission,
}

impl TurnDoor {
    /// A connection whose first bytes are TURN's.
    pub(crate) async fn serve(
        self,
        socket: impl AsyncRead + AsyncWrite,
        remote: SocketAddr,
        unproven: Permit,
    ) -> Ended {
        let dialect = TurnStream::new(self.relay.server(), remote);
        Stream::new(dialect, self.doors, self.admission.counts, unproven).run(socket).await
    }

    /// A connection to a port of ours: TLS first, unless it is the one for plain TCP or somebody in front has done that.
    pub(crate) async fn open(self, accepted: Accepted, tls: Option<Arc<ServerConfig>>) -> Ended {
        let Accepted { socket, remote, unproven, .. } = accepted;
        let Some(tls) = tls else { return self.serve(socket, remote, unproven).await };
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(tls).accept(socket)).await {
            Ok(Ok(socket)) => self.serve(socket, remote, unproven).await,
            Ok(Err(error)) => Ended::Io(error),
            Err(_) => Ended::Unproven,
        }
    }
}

/// One client's connection, and a server for it alone.
pub(crate) struct TurnStream {
    server: Server<RelayGrants>,
    client: Client,
    relay: Option<Relay>,
    scratch: Vec<u8>,
}

impl TurnStream {
    pub(crate) fn new(server: Server<RelayGrants>, remote: SocketAddr) -> Self {
        Self { server, client: Client { address: remote, in_stream: true }, relay: None, scratch: Vec::new() }
    }

    fn message(&mut self, now: Instant, message: &[u8], steps: &mut Steps) -> Result<(), Ended> {
        let outcome = self.server.handle(Now { at: now, unix_s: unix_now() }, self.client, message);
        steps.replies.extend_from_slice(&outcome.reply.unwrap_or_default());
        match outcome.event {
            Some(Event::ToPeer { relay, peer, data }) => {
                self.relay = Some(relay);
                steps.datagrams.push((peer, BytesMut::from(data)));
                Ok(())
            }
            Some(Event::Closed(_)) => Err(Ended::Done),
            None => Ok(()),
        }
    }
}

impl Dialect for TurnStream {
    fn take(&mut self, now: Instant, buffer: &mut BytesMut, steps: &mut Steps) -> Result<(), Ended> {
        while let Some(length) = length_in_stream(buffer).map_err(|error| Ended::Foreign(error.to_string()))? {
            if buffer.len() < length {
                break;
            }
            let message = buffer.split_to(length);
            self.message(now, &message, steps)?;
        }
        Ok(())
    }

    #[allow(clippy::disallowed_methods, reason = "a connection's clock is read here")]
    fn put(&mut self, peer: SocketAddr, datagram: &[u8], out: &mut BytesMut) {
        let Some(relay) = self.relay else { return };
        self.scratch.clear();
        if self.server.wrap(Instant::now(), relay, peer, datagram, &mut self.scratch).is_some() {
            out.extend_from_slice(&self.scratch);
        }
    }

    fn origin(&self, tunnel: TunnelId) -> Option<Origin> {
        self.relay.map(|relay| Origin { via: Via::Relay(tunnel), address: relay.address })
    }

    fn is_proven(&self) -> bool {
        self.server.has(&self.client.address)
    }

    fn expires(&self) -> Option<Instant> {
        self.server.expires(&self.client.address)
    }
}
