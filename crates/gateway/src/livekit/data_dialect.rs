//! Data packets on the shards: LiveKit's are walked and stamped by [`wire::livekit::data`].

use net::pool::{DataDialect, StampedPacket};
use room::media::DataSender;
use wire::livekit::data;

/// The dialect of `_reliable` and `_lossy`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveKitData;

impl DataDialect for LiveKitData {
    fn stamp(&self, sender: &DataSender, reliable: bool, packet: &[u8]) -> Option<StampedPacket> {
        let stamped = data::stamp(sender, reliable, packet).ok()?;
        Some(StampedPacket { bytes: stamped.bytes.into(), destinations: stamped.destinations })
    }
}
