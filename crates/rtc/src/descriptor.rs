//! AV1's dependency descriptor, an RTP header extension (AV1 RTP payload format, appendix A): it passes as it came.
//!
//! Chromium decodes no AV1 without it. What it says of layers that a receiver isn't sent is missed by nobody: no frame
//! below them depends on them.

use smallvec::SmallVec;
use std::sync::Arc;
use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

/// How SDP names it.
pub(crate) const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// What a one-byte header extension holds (RFC 8285 section 4.2); longer ones need the two-byte form.
const MAX_SHORT_BYTES: usize = 16;

/// One packet's, shared by all who forward it. At most [`crate::scalability::MAX_DESCRIPTOR_BYTES`] long, by what a header
/// extension can hold.
#[derive(Clone, Debug)]
pub struct Descriptor(Arc<Raw>);

/// Its bytes. A type of its own, because extensions are found by type.
#[derive(Debug)]
struct Raw(SmallVec<[u8; 32]>);

impl Descriptor {
    /// The one that came with a packet.
    pub(crate) fn of(values: &ExtensionValues) -> Option<Self> {
        values.user_values.get_arc().map(Self)
    }

    /// Makes it leave with a packet.
    pub(crate) fn put_into(&self, values: &mut ExtensionValues) {
        values.user_values.set_arc(Arc::clone(&self.0));
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.0
    }
}

/// For the extension map of a connection.
pub(crate) fn extension() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(Raw(bytes)) = values.user_values.get() else { return 0 };
        let Some(place) = buffer.get_mut(..bytes.len()) else { return 0 };
        place.copy_from_slice(bytes);
        bytes.len()
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        values.user_values.set(Raw(SmallVec::from_slice(bytes)));
        true
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        values.user_values.get().is_some_and(|Raw(bytes)| bytes.len() > MAX_SHORT_BYTES)
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_62_a_descriptor_leaves_as_it_came_whatever_its_length() {
        for length in [3, MAX_SHORT_BYTES, MAX_SHORT_BYTES + 1, crate::scalability::MAX_DESCRIPTOR_BYTES] {
            let bytes: Vec<_> = (0..length).map(|at| at as u8).collect();
            let (mut came, mut leaves) = (ExtensionValues::default(), ExtensionValues::default());
            assert!(Serializer.parse_value(&bytes, &mut came));
            Descriptor::of(&came).unwrap().put_into(&mut leaves);
            let mut buffer = [0xff; 300];
            assert_eq!(Serializer.write_to(&mut buffer, &leaves), length);
            assert_eq!(buffer[..length], bytes);
            assert_eq!(Serializer.requires_two_byte_form(&leaves), length > MAX_SHORT_BYTES);
        }
    }

    #[test]
    fn what_has_none_or_no_room_for_it_writes_nothing() {
        let mut values = ExtensionValues::default();
        assert_eq!(Serializer.write_to(&mut [0; 8], &values), 0);
        assert!(Descriptor::of(&values).is_none() && !Serializer.requires_two_byte_form(&values));
        Serializer.parse_value(&[1; 9], &mut values);
        assert_eq!(Serializer.write_to(&mut [0; 8], &values), 0);
    }
}
