//! What goes in and out of a connection.

use crate::codec::Codec;
use crate::descriptor::Descriptor;
use crate::scalability::{Scalability, Temporal};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use str0m::net::DatagramSend;
use str0m::rtp::{Ssrc, Vp8Descriptor};

/// An m-line's id within a connection (RFC 8843), at most 16 alphanumeric characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mid(pub(crate) str0m::media::Mid);

impl Mid {
    /// As SDP says it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Mid {
    fn from(text: &str) -> Self {
        Self(str0m::media::Mid::from(text))
    }
}

/// A simulcast stream's id (RFC 8851), at most 8 alphanumeric characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rid(pub(crate) str0m::media::Rid);

impl Rid {
    /// As SDP says it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Rid {
    fn from(text: &str) -> Self {
        Self(str0m::media::Rid::from(text))
    }
}

/// A data channel of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ChannelId(pub(crate) str0m::channel::ChannelId);

/// What a candidate is reached by. What came through a relay counts as UDP: that is what the relay speaks to us.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Protocol {
    /// Datagrams.
    #[default]
    Udp,
    /// Frames in a TCP connection that the client opened (RFC 6544, passive).
    Tcp,
}

impl Protocol {
    pub(crate) fn to_strom(self) -> str0m::net::Protocol {
        match self {
            Self::Udp => str0m::net::Protocol::Udp,
            Self::Tcp => str0m::net::Protocol::Tcp,
        }
    }
}

/// The two ends of a datagram that came, as ICE sees them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Route {
    /// As what it came.
    pub protocol: Protocol,
    /// Who sent it.
    pub source: SocketAddr,
    /// Our candidate that it was sent to.
    pub destination: SocketAddr,
}

/// Something for the socket.
#[derive(Debug)]
pub struct Datagram {
    /// The local candidate it leaves from.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// As what.
    pub protocol: Protocol,
    pub(crate) contents: DatagramSend,
}

impl Datagram {
    /// The bytes on the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.contents
    }
}

/// A decrypted RTP packet. The payload is stored once and shared by everything that forwards it.
#[derive(Clone, Debug)]
pub struct IngressPacket {
    /// Of the m-line it belongs to.
    pub mid: Mid,
    /// Of the simulcast stream.
    pub rid: Option<Rid>,
    /// Main stream's, also for a packet that came as a retransmission.
    pub ssrc: u32,
    /// What it carries.
    pub codec: Codec,
    /// Extended: never wraps.
    pub sequence: u64,
    /// In the codec's clock, wraps at 2^32.
    pub timestamp: u32,
    /// RTP marker bit.
    pub marker: bool,
    /// RFC 6464: 0 loudest … 127 silence.
    pub audio_level: Option<u8>,
    /// RFC 6464's V bit.
    pub voice: Option<bool>,
    /// 3GPP coordination of video orientation, as received.
    pub orientation: Option<Orientation>,
    /// Without header and extensions.
    pub payload: Arc<[u8]>,
    /// The payload's VP8 descriptor, if it is VP8 and well-formed.
    pub vp8: Option<Vp8>,
    /// Where it stands in its stream, if that has several layers (VP9 and AV1).
    pub scalability: Option<Scalability>,
    /// Its temporal layer, if its stream says so.
    pub temporal: Option<Temporal>,
    /// What AV1's receivers need beside the payload.
    pub descriptor: Option<Descriptor>,
    /// When the datagram came.
    pub arrival: Instant,
}

impl IngressPacket {
    /// The spatial layer, where one stream holds several; `None` in simulcast, where each layer has a stream.
    pub fn spatial_layer(&self) -> Option<u8> {
        self.scalability.filter(|_| self.rid.is_none()).map(|scalability| scalability.spatial)
    }
}

/// Rotation that a receiver must apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Orientation(pub(crate) str0m::rtp::VideoOrientation);

/// A parsed VP8 payload descriptor (RFC 7741 section 4.2), valid for its own packet's payload.
#[derive(Clone, Copy, Debug)]
pub struct Vp8(Vp8Descriptor);

impl Vp8 {
    /// Reads the descriptor at the start of an RTP payload. `None`: malformed.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        Vp8Descriptor::parse(payload).ok().map(Self)
    }

    /// 7 or 15 bits.
    pub fn picture_id(&self) -> Option<u16> {
        self.0.picture_id()
    }

    /// TL0PICIDX.
    pub fn tl0_pic_idx(&self) -> Option<u8> {
        self.0.tl0_pic_idx()
    }

    pub(crate) fn patch(&self, rewrite: Vp8Rewrite) -> Option<str0m::rtp::Vp8Patch> {
        let mut patch = self.0.patch();
        if let Some(id) = rewrite.picture_id {
            patch = patch.picture_id(id);
        }
        if let Some(index) = rewrite.tl0_pic_idx {
            patch = patch.tl0_pic_idx(index);
        }
        patch.build().ok()
    }
}

/// New values for one receiver's copy of a VP8 payload descriptor. Must fit the width that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Vp8Rewrite {
    /// PictureID.
    pub picture_id: Option<u16>,
    /// TL0PICIDX.
    pub tl0_pic_idx: Option<u8>,
}

/// Where to send packets of one m-line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendStream {
    pub(crate) ssrc: Ssrc,
}

impl SendStream {
    /// SSRC on the wire.
    pub fn ssrc(self) -> u32 {
        *self.ssrc
    }
}

/// A packet to send: the ingress packet, with what this receiver's stream needs changed.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingPacket<'a> {
    /// Whose payload, level and orientation go on.
    pub from: &'a IngressPacket,
    /// Of the receiver's m-line.
    pub payload_type: u8,
    /// Extended; the first of a stream is under 2^16 (RFC 3711 section 3.3.1: the receiver begins at ROC 0).
    pub sequence: u64,
    /// In the codec's clock.
    pub timestamp: u32,
    /// What changes in the VP8 payload descriptor.
    pub vp8: Option<Vp8Rewrite>,
    /// RTP marker bit: of scalable video the last packet of the highest layer that this receiver gets has it.
    pub marker: bool,
    /// Without its payload, so that a place in the receiver's numbering that is taken already is not missed there.
    pub hollow: bool,
}
