//! The runs of `odeon-bench`: who joins, what flows, what is measured.

pub mod forward;
pub mod join;

use crate::client::{Client, ConnectError, Mode, Options};
use crate::engine::Engine;
use crate::token::{ApiKey, Grant};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The server that a run is made against.
#[derive(Clone, Debug)]
pub struct Target {
    /// `ws://host:port`.
    pub url: String,
    /// Signs the tokens.
    pub key: ApiKey,
    /// The server's process, if it is on this machine: for its CPU and memory.
    pub pid: Option<u32>,
    /// One PeerConnection or two.
    pub mode: Mode,
    /// A relay instead of the server's own address.
    pub via: Option<SocketAddr>,
}

impl Target {
    /// Joins `room` as `identity`.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn join(&self, engine: &Arc<Engine>, room: &str, identity: &str) -> Result<Client, ConnectError> {
        let token = self.key.token(identity, &Grant::join(room)).map_err(std::io::Error::other)?;
        let options = Options { mode: self.mode, auto_subscribe: true, via: self.via };
        Client::join(engine, &self.url, &token, &options).await
    }
}

/// A room's name that no other run has.
pub fn fresh_room(what: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("bench-{what}-{}-{}", std::process::id(), now.as_micros() % 100_000_000)
}
