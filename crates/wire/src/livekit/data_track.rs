//! Data tracks: their packets' header, and how they are announced (livekit.md 2.6).
//!
//! ```text
//! |V    |S|E|X| reserved          | handle                        |
//! | sequence number               | frame number                  |
//! |                           timestamp                           |
//! ```
//! V: version, 0. S, E: the packet starts, ends a frame. X: extensions follow. All big endian. Frames and extensions are
//! the clients' business; only the handle is ours to write.

use super::proto;
use prost::Message as _;
use room::data_track::{DataTrack, DataTrackRequest, ReceivedDataTrack};
use room::{Origin, RoomInput, SessionId, TrackSid};

/// Bytes before extensions and payload.
pub const HEADER_BYTES: usize = 12;

/// Longest packet, in bytes: what our answers promise as `max-message-size` (livekit.md 2.5).
pub const MAX_DATA_TRACK_PACKET_BYTES: usize = 65_535;

/// Most data tracks in one subscription update: more than one session may receive.
pub const MAX_DATA_TRACK_UPDATES: usize = 4_096;

const VERSION_SHIFT: u8 = 5;
const START: u8 = 1 << 4;
const HANDLE: std::ops::Range<usize> = 2..4;

/// What forwarding needs of a packet's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The sender's number of the track, never 0.
    pub handle: u16,
    /// The packet starts a frame.
    pub starts_frame: bool,
}

/// The bytes are no packet that could be forwarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DataTrackError {
    /// Shorter than a header.
    #[error("packet is too short")]
    TooShort,
    /// Over [`MAX_DATA_TRACK_PACKET_BYTES`].
    #[error("packet is too large")]
    TooLarge,
    /// Of a later version: its handle may be elsewhere.
    #[error("packet has an unknown version")]
    Version,
    /// Handle 0 is nobody's.
    #[error("packet has no handle")]
    Handle,
}

impl Header {
    /// Reads a packet's header.
    ///
    /// # Errors
    /// See [`DataTrackError`].
    pub fn parse(packet: &[u8]) -> Result<Self, DataTrackError> {
        if packet.len() > MAX_DATA_TRACK_PACKET_BYTES {
            return Err(DataTrackError::TooLarge);
        }
        let header = packet.first_chunk::<HEADER_BYTES>().ok_or(DataTrackError::TooShort)?;
        let handle = u16::from_be_bytes([header[2], header[3]]);
        match (header[0] >> VERSION_SHIFT, handle) {
            (0, 1..) => Ok(Self { handle, starts_frame: header[0] & START != 0 }),
            (0, 0) => Err(DataTrackError::Handle),
            _ => Err(DataTrackError::Version),
        }
    }

    /// Writes another number over a packet's handle.
    pub fn set_handle(packet: &mut [u8], handle: u16) {
        if let Some(place) = packet.get_mut(HANDLE) {
            place.copy_from_slice(&handle.to_be_bytes());
        }
    }
}

/// What a client asks to publish.
pub fn request(request: proto::PublishDataTrackRequest) -> DataTrackRequest {
    DataTrackRequest {
        handle: request.pub_handle,
        name: request.name,
        encryption: request.encryption,
        frame_encoding: request.frame_encoding.map(|encoding| encoding.encode_to_vec()),
        schema: request.schema.map(|schema| schema.encode_to_vec()),
    }
}

/// A data track, as others see it.
pub fn info(track: &DataTrack) -> proto::DataTrackInfo {
    let request = &track.request;
    // Both were encoded by `request`.
    let encoding = request.frame_encoding.as_deref().map(proto::DataTrackFrameEncoding::decode);
    let schema = request.schema.as_deref().map(proto::DataTrackSchemaId::decode);
    proto::DataTrackInfo {
        pub_handle: u32::from(track.handle),
        sid: track.sid.to_string(),
        name: request.name.clone(),
        encryption: request.encryption,
        frame_encoding: encoding.and_then(Result::ok),
        schema: schema.and_then(Result::ok),
    }
}

/// Whose packets come under which handle.
pub fn handles(received: &[ReceivedDataTrack]) -> proto::DataTrackSubscriberHandles {
    let track = |received: &ReceivedDataTrack| proto::data_track_subscriber_handles::PublishedDataTrack {
        publisher_identity: received.identity.seen_from(Origin::Token).to_string(),
        publisher_sid: received.publisher.to_string(),
        track_sid: received.track.to_string(),
    };
    let sub_handles = received.iter().map(|received| (u32::from(received.handle), track(received)));
    proto::DataTrackSubscriberHandles { sub_handles: sub_handles.collect() }
}

/// Which data tracks a client wants. `None`: too many at once.
pub fn subscription(session: SessionId, update: proto::UpdateDataSubscription) -> Option<RoomInput> {
    if update.updates.len() > MAX_DATA_TRACK_UPDATES {
        return None;
    }
    let updates = update.updates.into_iter().map(|update| (TrackSid::new(update.track_sid), update.subscribe));
    Some(RoomInput::UpdateDataSubscription { session, updates: updates.collect() })
}
