//! What lies between a client and the shards: one emulated link for each direction.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m_netem::{
    Bitrate, DataSize, GilbertElliot, Input, Netem, NetemConfig, Output, Probability, RandomLoss, WithLen,
};

/// A link's character.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LinkConfig {
    /// One way.
    pub delay: Duration,
    /// Share of datagrams lost, 0..=1, at random.
    pub loss: f32,
    /// bit/s; 0: no limit. Its queue holds [`QUEUE_BYTES`].
    pub rate: u64,
    /// Losses come in bursts of this many packets on average; 0: each by itself.
    pub burst: f32,
}

/// A home router's: what comes beyond is lost.
const QUEUE_BYTES: i64 = 64 * 1024;

impl Default for LinkConfig {
    /// A LAN.
    fn default() -> Self {
        Self { delay: Duration::from_millis(1), loss: 0.0, rate: 0, burst: 0.0 }
    }
}

/// A datagram under way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sent: Instant,
}

impl WithLen for Parcel {
    fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// One direction.
pub(crate) struct Link {
    netem: Netem<Parcel>,
    config: LinkConfig,
    seed: u64,
    /// Of the last parcel that arrived, beyond the link's delay.
    pub(crate) queued: Duration,
}

impl Link {
    pub(crate) fn new(config: LinkConfig, seed: u64) -> Self {
        Self { netem: Netem::new(netem(config, seed)), config, seed, queued: Duration::ZERO }
    }

    /// The network changes; what is under way stays so.
    pub(crate) fn change(&mut self, config: LinkConfig) {
        self.config = config;
        self.seed += 1;
        self.netem.set_config(netem(config, self.seed));
    }

    pub(crate) fn send(&mut self, now: Instant, parcel: Parcel) {
        self.netem.handle_input(Input::Packet(now, parcel));
    }

    /// What has arrived by now.
    pub(crate) fn arrived(&mut self, now: Instant) -> Vec<Parcel> {
        self.netem.handle_input(Input::Timeout(now));
        let mut arrived = Vec::new();
        while let Some(output) = self.netem.poll_output() {
            match output {
                Output::Packet(parcel) => {
                    self.queued = (now - parcel.sent).saturating_sub(self.config.delay);
                    arrived.push(parcel);
                }
                Output::Timeout(_) => break,
            }
        }
        arrived
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        (!self.netem.is_empty()).then(|| self.netem.poll_timeout())
    }
}

fn netem(config: LinkConfig, seed: u64) -> NetemConfig {
    let mut netem = NetemConfig::new().latency(config.delay).seed(seed);
    if config.burst > 0.0 && config.loss > 0.0 {
        netem = netem.loss(bursts(config.loss, config.burst));
    } else if config.loss > 0.0 {
        netem = netem.loss(RandomLoss::new(Probability::new(config.loss)));
    }
    if config.rate > 0 {
        netem = netem.link(Bitrate::bps(config.rate), DataSize::bytes(QUEUE_BYTES));
    }
    netem
}

/// Gilbert's channel: all is lost in bad times and nothing in good ones.
fn bursts(loss: f32, burst: f32) -> GilbertElliot {
    GilbertElliot::new()
        .bad_duration(burst)
        .good_duration(burst * (1.0 - loss) / loss)
        .loss_in_bad(Probability::ONE)
        .loss_in_good(Probability::ZERO)
}
