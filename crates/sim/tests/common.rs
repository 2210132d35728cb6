//! What the scenarios share.
#![allow(dead_code, reason = "each test file uses its part")]

use room::track::TrackKind;
use sim::{ClientId, LinkConfig, World, WorldConfig};
use std::time::{Duration, Instant};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[allow(clippy::disallowed_methods, reason = "any instant will do to begin at")]
pub(crate) fn begin() -> Instant {
    Instant::now()
}

pub(crate) fn world(shards: u8) -> World {
    World::new(WorldConfig { shards, ..WorldConfig::default() }, begin())
}

pub(crate) fn lossy_world(loss: f32, delay_ms: u64) -> World {
    let link = LinkConfig { loss, delay: Duration::from_millis(delay_ms), ..LinkConfig::default() };
    World::new(WorldConfig { link, ..WorldConfig::default() }, begin())
}

/// A publisher with camera and microphone on one shard, a subscriber on another; both have been there for two seconds.
pub(crate) fn show(world: &mut World, publisher_shard: u8, subscriber_shard: u8) -> (ClientId, ClientId) {
    let publisher = world.join("publisher", publisher_shard);
    let subscriber = world.join("subscriber", subscriber_shard);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &[]);
    world.publish(publisher, TrackKind::Audio, &[]);
    world.run(SECOND * 2);
    (publisher, subscriber)
}

/// Every number is one more than the one before.
pub(crate) fn contiguous(sequences: &[u64]) -> bool {
    let mut sorted = sequences.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[1] == pair[0] + 1)
}
