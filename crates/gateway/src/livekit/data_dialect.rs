//! Data packets on the shards: LiveKit's are walked and stamped by [`wire::livekit::data`].

use net::pool::{CallAnswer, DataDialect, DataTrackPacket, StampedPacket};
use room::media::DataSender;
use std::ops::Range;
use wire::livekit::data::{self, Stamped};
use wire::livekit::data_track::Header;

/// The dialect of `_reliable`, `_lossy` and `_data_track`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveKitData;

impl DataDialect for LiveKitData {
    fn stamp(&self, sender: &DataSender, reliable: bool, packet: &[u8]) -> Option<StampedPacket> {
        data::stamp(sender, reliable, packet).ok().map(stamped)
    }

    fn wrap(&self, sender: &DataSender, message: &[u8]) -> Option<StampedPacket> {
        data::wrap(sender, message).ok().map(stamped)
    }

    fn payload(&self, packet: &[u8]) -> Option<Range<usize>> {
        data::payload(packet)
    }

    fn data_track(&self, packet: &[u8]) -> Option<DataTrackPacket> {
        let header = Header::parse(packet).ok()?;
        Some(DataTrackPacket { handle: header.handle, begins_frame: header.starts_frame })
    }

    fn set_handle(&self, packet: &mut [u8], handle: u16) {
        Header::set_handle(packet, handle);
    }
}

fn stamped(stamped: Stamped) -> StampedPacket {
    StampedPacket {
        bytes: stamped.bytes.into(),
        destinations: stamped.destinations,
        sequence: stamped.sequence,
        answer: stamped.answers.map(|(id, last)| CallAnswer { id, last }),
    }
}
