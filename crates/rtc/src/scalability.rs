//! Where a packet stands in scalable video (SVC): several spatial and temporal layers in one RTP stream.
//!
//! VP9 says it in its payload descriptor (RFC 9628 section 4.2), AV1 in the dependency descriptor, an RTP header extension
//! (AV1 RTP payload format, appendix A). Of the latter only what forwarding needs is read: which template a frame
//! follows, and at keyframes which layer each template is of.

use smallvec::SmallVec;

/// Templates of a dependency structure: their ids have six bits.
pub const MAX_TEMPLATES: usize = 64;
/// Bytes of a dependency descriptor: what the length of a two-byte header extension can say.
pub const MAX_DESCRIPTOR_BYTES: usize = 255;

/// The layer of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scalability {
    /// 0 lowest.
    pub spatial: u8,
    /// 0 lowest.
    pub temporal: u8,
    /// Higher temporal layers may begin to be sent with this frame: for all that the stream says, no frame from here on
    /// needs an older one of theirs.
    pub switches: bool,
    /// Last packet of its layer's frame.
    pub ends_frame: bool,
}

impl Scalability {
    /// The temporal part of it.
    pub(crate) fn temporal(self) -> Temporal {
        Temporal { layer: self.temporal, switches: self.switches }
    }
}

/// Which of a stream's temporal layers a frame is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Temporal {
    /// 0 lowest.
    pub layer: u8,
    /// Who was not sent this layer may be from this frame on; at the lowest layer: all higher ones.
    pub switches: bool,
}

/// Reads it from a VP8 payload descriptor (RFC 7741 section 4.2: TID and Y). `None`: malformed, or without layers.
pub fn vp8(payload: &[u8]) -> Option<Temporal> {
    let &[first, extension, ..] = payload else { return None };
    if first & 0x80 == 0 || extension & 0x20 == 0 {
        return None;
    }
    let mut at = 2;
    if extension & 0x80 != 0 {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    at += usize::from(extension & 0x40 != 0);
    let octet = *payload.get(at)?;
    let (layer, synchronises) = (octet >> 6, octet & 0x20 != 0);
    Some(Temporal { layer, switches: layer > 0 && synchronises })
}

/// Reads a VP9 payload descriptor. `None`: malformed, or without layers.
pub fn vp9(payload: &[u8]) -> Option<Scalability> {
    let first = *payload.first()?;
    let (picture_id, layered) = (first & 0x80 != 0, first & 0x20 != 0);
    if !layered {
        return None;
    }
    let wide = picture_id && *payload.get(1)? & 0x80 != 0;
    let layer = *payload.get(1 + usize::from(picture_id) + usize::from(wide))?;
    let (temporal, switches) = (layer >> 5, layer & 0x10 != 0);
    let spatial = (layer >> 1) & 0x07;
    Some(Scalability { spatial, temporal, switches: temporal > 0 && switches, ends_frame: first & 0x04 != 0 })
}

/// The templates of one stream, as its last keyframe gave them.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    offset: u8,
    /// (spatial, temporal) of each.
    layers: SmallVec<[(u8, u8); 16]>,
}

impl Templates {
    /// Reads a dependency descriptor; keeps the structure that it may bring. `None`: malformed, or of a template that
    /// nobody gave.
    pub fn read(&mut self, descriptor: &[u8]) -> Option<Scalability> {
        if descriptor.len() > MAX_DESCRIPTOR_BYTES {
            return None;
        }
        let mut bits = Bits { bytes: descriptor, at: 0 };
        let (_starts, ends) = (bits.read(1)?, bits.read(1)?);
        let template = bits.read(6)? as u8;
        let _frame_number = bits.read(16)?;
        if descriptor.len() > 3 {
            let structure = bits.read(1)? == 1;
            let _active_targets_dtis_fdiffs_chains = bits.read(4)?;
            if structure {
                *self = structure_of(&mut bits)?;
            }
        }
        let index = (template + MAX_TEMPLATES as u8 - self.offset) % MAX_TEMPLATES as u8;
        let &(spatial, temporal) = self.layers.get(usize::from(index))?;
        // The descriptor's own word on switching (DTI) isn't read: encoders of layers begin anew with each lowest frame.
        Some(Scalability { spatial, temporal, switches: temporal == 0, ends_frame: ends == 1 })
    }
}

/// `template_dependency_structure`, as far as the layers go (A.8.3).
fn structure_of(bits: &mut Bits<'_>) -> Option<Templates> {
    const NEXT_TEMPORAL: u32 = 1;
    const NEXT_SPATIAL: u32 = 2;
    const END: u32 = 3;
    let mut templates = Templates { offset: bits.read(6)? as u8, layers: SmallVec::new() };
    let _decode_targets = bits.read(5)?;
    let (mut spatial, mut temporal) = (0, 0);
    while templates.layers.len() < MAX_TEMPLATES {
        templates.layers.push((spatial, temporal));
        match bits.read(2)? {
            NEXT_TEMPORAL => temporal += 1,
            NEXT_SPATIAL => (spatial, temporal) = (spatial + 1, 0),
            END => return Some(templates),
            _ => {}
        }
    }
    None
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next bits, most significant first; `None` beyond the end.
    fn read(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |value, _| {
            let byte = *self.bytes.get(self.at / 8)?;
            let bit = byte >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(value << 1 | u32::from(bit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as text, spaces for the reader.
    fn bytes(bits: &str) -> Vec<u8> {
        let bits: Vec<_> = bits.bytes().filter(|bit| *bit != b' ').map(|bit| bit - b'0').collect();
        bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |all, (at, bit)| all | bit << (7 - at))).collect()
    }

    /// A keyframe's descriptor with L2T2's layers: templates from 62 on, so that ids wrap.
    fn keyframe() -> Vec<u8> {
        bytes("1 0 111110 0000000000000001 1 1000 111110 00011 01 10 01 11")
    }

    #[test]
    fn l_62_a_vp9_packet_names_its_layers() {
        let of = |payload: &[u8]| vp9(payload).map(|s| (s.spatial, s.temporal, s.ends_frame));
        assert_eq!(of(&[0xa8, 0x12, 0x02]), Some((1, 0, false)), "7-bit picture id");
        assert_eq!(of(&[0xac, 0x81, 0x12, 0x45]), Some((2, 2, true)), "15 bits, end of frame; TID 2, SID 2");
        assert_eq!(of(&[0x20, 0x20]), Some((0, 1, false)), "no picture id");
        assert_eq!(of(&[0x88, 0x12, 0]), None, "no layers");
        assert_eq!(of(&[0xa8, 0x12]), None, "cut short");
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn l_62_a_vp8_packet_names_its_temporal_layer() {
        let of = |payload: &[u8]| vp8(payload).map(|temporal| (temporal.layer, temporal.switches));
        assert_eq!(of(&[0x90, 0xe0, 0x81, 0x02, 7, 0x60]), Some((1, true)), "15 bits of picture id, TL0, Y");
        assert_eq!(of(&[0x90, 0xa0, 0x01, 0x80]), Some((2, false)), "7 bits, no TL0");
        assert_eq!(of(&[0x90, 0x20, 0x20]), Some((0, false)), "Y says nothing at the lowest");
        assert_eq!([of(&[0x90, 0x80, 1, 0]), of(&[0x10, 0x20]), of(&[0x90, 0xe0, 0x81, 2, 7]), of(&[])], [None; 4]);
    }

    #[test]
    fn l_62_an_av1_frame_is_of_its_templates_layer() {
        let mut templates = Templates::default();
        let later = |template: u8, ends: u8| [ends << 6 | template, 0, 2];
        assert_eq!(templates.read(&later(62, 0)), None, "before any keyframe");
        let layer = |s: Option<Scalability>| s.map(|s| (s.spatial, s.temporal, s.ends_frame));
        assert_eq!(layer(templates.read(&keyframe())), Some((0, 0, false)));
        assert_eq!(layer(templates.read(&later(63, 1))), Some((0, 1, true)));
        assert_eq!(layer(templates.read(&later(0, 0))), Some((1, 0, false)), "ids wrap");
        assert_eq!(layer(templates.read(&later(1, 1))), Some((1, 1, true)));
        assert_eq!(templates.read(&later(2, 1)), None, "a template that nobody gave");
    }

    #[test]
    fn a_descriptor_cut_short_or_without_end_is_refused_and_changes_nothing() {
        let mut templates = Templates::default();
        templates.read(&keyframe()).unwrap();
        let whole = keyframe();
        for length in 0..whole.len() {
            assert_eq!(templates.read(&whole[..length]).is_some(), length == 3, "{length}");
        }
        let endless = [&whole[..5], &[0; 60]].concat();
        assert_eq!(templates.read(&endless), None);
        assert!(templates.read(&[62, 0, 2]).is_some(), "the structure is still there");
        assert_eq!(templates.read(&[0; MAX_DESCRIPTOR_BYTES + 1]), None);
    }
}
