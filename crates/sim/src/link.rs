//! What lies between a client and the shards: one emulated link for each direction.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m_netem::{Input, Netem, NetemConfig, Output, Probability, RandomLoss, WithLen};

/// A link's character.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LinkConfig {
    /// One way.
    pub delay: Duration,
    /// Share of datagrams lost, 0..=1, at random.
    pub loss: f32,
}

impl Default for LinkConfig {
    /// A LAN.
    fn default() -> Self {
        Self { delay: Duration::from_millis(1), loss: 0.0 }
    }
}

/// A datagram under way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl WithLen for Parcel {
    fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// One direction.
pub(crate) struct Link(Netem<Parcel>);

impl Link {
    pub(crate) fn new(config: LinkConfig, seed: u64) -> Self {
        let mut netem = NetemConfig::new().latency(config.delay).seed(seed);
        if config.loss > 0.0 {
            netem = netem.loss(RandomLoss::new(Probability::new(config.loss)));
        }
        Self(Netem::new(netem))
    }

    pub(crate) fn send(&mut self, now: Instant, parcel: Parcel) {
        self.0.handle_input(Input::Packet(now, parcel));
    }

    /// What has arrived by now.
    pub(crate) fn arrived(&mut self, now: Instant) -> Vec<Parcel> {
        self.0.handle_input(Input::Timeout(now));
        let mut arrived = Vec::new();
        while let Some(output) = self.0.poll_output() {
            match output {
                Output::Packet(parcel) => arrived.push(parcel),
                Output::Timeout(_) => break,
            }
        }
        arrived
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        (!self.0.is_empty()).then(|| self.0.poll_timeout())
    }
}
