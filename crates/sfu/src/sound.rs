//! Opus and RED (RFC 2198) of one track: each receiver gets the one that it takes (L-64).
//!
//! A RED packet and the Opus packet in it have the same sequence number and timestamp, so receivers of either kind count
//! alike. What was lost on the way to us and is repeated in a later packet goes to the receivers of Opus in its place;
//! those of RED find it themselves. A packet of padding alone (a sender that probes its way) goes on as it is, empty: it has
//! a sequence number, and a gap would be a loss to receivers. Each form is made once a packet, when the first receiver needs it.

use crate::fanout::send_on;
use crate::lines::SendLine;
use crate::peer::Peer;
use crate::select::Verdict;
use crate::shard::Shard;
use crate::track::{Track, TrackKey};
use rtc::red::{MAX_RED_OFFSET, Red, RedBlock, write_red};
use rtc::{Codec, IngressPacket};
use smallvec::SmallVec;
use std::slice;
use std::sync::Arc;

/// Opus' payload type wherever RED is taken: libwebrtc's, and ours in our own offers. It is written into RED's blocks,
/// which are made once for all receivers; who numbers it otherwise gets Opus.
const OPUS: u8 = 111;
/// Largest payload that we make, bytes: with headers and SRTP it is within the 1,200 of a safe datagram.
const MAX_MADE_BYTES: usize = 1100;

impl Shard {
    /// Sends sound to the receivers on this shard.
    pub(crate) fn forward_sound(&mut self, key: TrackKey, packet: &IngressPacket) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        let Track { receivers, converter, may_make_red, .. } = track;
        let mut forms = Forms::new(packet, converter, *may_make_red);
        for receiver in receivers.iter_mut().filter(|receiver| receiver.cap().is_some()) {
            let Some(peer) = self.peers.get_mut(receiver.peer) else { continue };
            let mut queued = 0;
            for form in forms.for_receiver(red_of(peer, receiver.line)) {
                // Every sound is a place to begin.
                let begins = receiver.selector.judge(0, true, 0) == Verdict::Switch;
                if send_on(peer, receiver.line, begins, form) {
                    queued += 1;
                    self.stats.bytes_out += form.payload.len() as u64;
                }
            }
            self.stats.packets_out += queued;
            if queued > 0 && !std::mem::replace(&mut peer.dirty, true) {
                self.dirty.push(receiver.peer);
            }
        }
    }
}

/// The payload type of Opus of a receiver that takes RED, looked up once.
fn red_of(peer: &mut Peer, line: u16) -> Option<u8> {
    let connection = match &peer.subscriber {
        Some(link) => &link.connection,
        None => &peer.publisher.connection,
    };
    let line = peer.send_lines.get_mut(usize::from(line)).filter(|line| line.open)?;
    let SendLine { mid, red, .. } = line;
    *red.get_or_insert_with(|| {
        connection.payload_type(*mid, Codec::Red).and_then(|_| connection.payload_type(*mid, Codec::Opus))
    })
}

/// What a track's conversion remembers.
#[derive(Debug, Default)]
pub(crate) struct Converter {
    given: Given,
    /// The Opus packet before this one: (sequence, timestamp, payload).
    before: Option<(u64, u32, Arc<[u8]>)>,
}

impl Converter {
    /// The Opus packets in a RED packet that were not given yet, oldest first.
    fn unwrap(&mut self, packet: &IngressPacket) -> OpusPackets {
        let before = self.given.newest;
        let fresh = self.given.insert(packet);
        let Ok(red) = Red::parse(&packet.payload) else {
            let padding = fresh && packet.payload.is_empty();
            return padding.then(|| as_opus(packet, &[])).into_iter().collect();
        };
        let mut packets = match before {
            Some((newest, timestamp)) if newest < packet.sequence => self.recover(packet, &red, timestamp),
            _ => OpusPackets::new(),
        };
        if fresh {
            packets.push(as_opus(packet, red.primary));
        }
        packets
    }

    /// What a packet repeats that came after the one of timestamp `since`, the newest before, and never reached us.
    fn recover(&mut self, packet: &IngressPacket, red: &Red<'_>, since: u32) -> OpusPackets {
        let gap = packet.timestamp.wrapping_sub(since);
        let blocks = red.redundant();
        let count = blocks.len() as u64;
        let mut packets = OpusPackets::new();
        for (index, block) in (0..).zip(blocks) {
            // Blocks carry the packets right before this one (RFC 2198 doesn't say so; all senders do).
            let Some(sequence) = packet.sequence.checked_sub(count - index) else { continue };
            let usable = block.payload_type == red.payload_type && !block.payload.is_empty();
            // Of the same age as the newest one is that one: between them there was only padding.
            if usable && (1..gap).contains(&block.offset) && self.given.mark(sequence) {
                packets.push(recovered(packet, sequence, &block));
            }
        }
        packets
    }

    /// An Opus packet and the one before it as RED.
    fn wrap(&mut self, packet: &IngressPacket) -> IngressPacket {
        let before = self.before.as_ref().and_then(|(sequence, timestamp, payload)| {
            let offset = packet.timestamp.wrapping_sub(*timestamp);
            let next = sequence.wrapping_add(1) == packet.sequence && (1..=MAX_RED_OFFSET).contains(&offset);
            let fits = payload.len() + packet.payload.len() <= MAX_MADE_BYTES;
            (next && fits).then_some(RedBlock { payload_type: OPUS, offset, payload })
        });
        let payload = write_red(before.as_slice(), OPUS, &packet.payload);
        if self.before.as_ref().is_none_or(|(sequence, ..)| *sequence < packet.sequence) {
            self.before = Some((packet.sequence, packet.timestamp, Arc::clone(&packet.payload)));
        }
        IngressPacket { codec: Codec::Red, payload: payload.into(), ..packet.clone() }
    }
}

type OpusPackets = SmallVec<[IngressPacket; 2]>;

/// The packet with this as its sound.
fn as_opus(packet: &IngressPacket, sound: &[u8]) -> IngressPacket {
    IngressPacket { codec: Codec::Opus, payload: sound.into(), ..packet.clone() }
}

/// A packet that never came, from what a later one repeats. Level and marker were its own and are lost.
fn recovered(from: &IngressPacket, sequence: u64, block: &RedBlock<'_>) -> IngressPacket {
    let timestamp = from.timestamp.wrapping_sub(block.offset);
    let opus = as_opus(from, block.payload);
    IngressPacket { sequence, timestamp, marker: false, audio_level: None, voice: None, ..opus }
}

/// One packet in the forms that its receivers take.
pub(crate) struct Forms<'a> {
    packet: &'a IngressPacket,
    converter: &'a mut Converter,
    /// RED may be made of it.
    may_make: bool,
    /// The payload type of Opus in its blocks, if it is RED.
    inside: Option<u8>,
    opus: Option<OpusPackets>,
    red: Option<IngressPacket>,
}

impl<'a> Forms<'a> {
    pub(crate) fn new(packet: &'a IngressPacket, converter: &'a mut Converter, may_make: bool) -> Self {
        let is_red = packet.codec == Codec::Red;
        let inside = is_red.then(|| Red::parse(&packet.payload).ok().map(|red| red.payload_type)).flatten();
        Self { packet, converter, may_make, inside, opus: None, red: None }
    }

    /// What goes to a receiver. `red`: the payload type that it has for Opus, if it takes RED.
    pub(crate) fn for_receiver(&mut self, red: Option<u8>) -> &[IngressPacket] {
        match self.packet.codec {
            Codec::Red if red.is_some() && red == self.inside => slice::from_ref(self.packet),
            Codec::Red => self.opus(),
            Codec::Opus if self.may_make && red == Some(OPUS) && !self.packet.payload.is_empty() => self.red(),
            Codec::Opus if !self.converter.given.is_new() => self.opus(),
            _ => slice::from_ref(self.packet),
        }
    }

    fn opus(&mut self) -> &[IngressPacket] {
        let Self { packet, converter, opus, .. } = self;
        opus.get_or_insert_with(|| match packet.codec {
            Codec::Red => converter.unwrap(packet),
            // A publisher of RED sends what is too long to be repeated as Opus.
            _ => converter.given.insert(packet).then(|| (*packet).clone()).into_iter().collect(),
        })
    }

    fn red(&mut self) -> &[IngressPacket] {
        let Self { packet, converter, red, .. } = self;
        slice::from_ref(red.get_or_insert_with(|| converter.wrap(packet)))
    }
}

/// Which of the last 64 packets were given to receivers of Opus.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    /// Sequence and timestamp.
    newest: Option<(u64, u32)>,
    /// Bit n: the one n before the newest was given.
    window: u64,
}

impl Given {
    /// Nothing was ever given.
    fn is_new(&self) -> bool {
        self.newest.is_none()
    }

    /// Notes a packet that came. False: it was given already, or is too old to tell.
    fn insert(&mut self, packet: &IngressPacket) -> bool {
        let sequence = packet.sequence;
        if self.newest.is_some_and(|(newest, _)| sequence <= newest) {
            return self.mark(sequence);
        }
        self.window = match self.newest {
            // What was before the first packet is nobody's.
            None => u64::MAX,
            Some((newest, _)) => {
                let shift = u32::try_from(sequence - newest).unwrap_or(u32::MAX);
                self.window.checked_shl(shift).unwrap_or(0) | 1
            }
        };
        self.newest = Some((sequence, packet.timestamp));
        true
    }

    /// Notes one that is older than the newest. False as for `insert`.
    fn mark(&mut self, sequence: u64) -> bool {
        let age = self.newest.and_then(|(newest, _)| newest.checked_sub(sequence));
        let age = age.and_then(|age| u32::try_from(age).ok());
        let Some(bit) = age.and_then(|age| 1_u64.checked_shl(age)) else { return false };
        let unmarked = self.window & bit == 0;
        self.window |= bit;
        unmarked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::Mid;
    use std::time::Instant;

    fn packet(codec: Codec, sequence: u64, payload: &[u8]) -> IngressPacket {
        IngressPacket {
            mid: Mid::from("0"),
            rid: None,
            ssrc: 1,
            codec,
            sequence,
            timestamp: (sequence as u32).wrapping_mul(960),
            marker: false,
            audio_level: Some(20),
            voice: None,
            orientation: None,
            payload: payload.into(),
            scalability: None,
            temporal: None,
            descriptor: None,
            vp8: None,
            arrival: Instant::now(),
        }
    }

    /// The packet of a browser: its own sound and that of `back` packets before.
    fn red(sequence: u64, back: u64) -> IngressPacket {
        let sounds: Vec<_> = (1..=back).rev().map(|back| (back, [(sequence - back) as u8; 3])).collect();
        let blocks: Vec<_> = sounds
            .iter()
            .map(|(back, payload)| RedBlock { payload_type: OPUS, offset: *back as u32 * 960, payload })
            .collect();
        packet(Codec::Red, sequence, &write_red(&blocks, OPUS, &[sequence as u8; 3]))
    }

    /// What a receiver without RED gets of packets in this order: (sequence, first byte of the sound).
    fn opus_of(packets: &[IngressPacket]) -> Vec<(u64, u8)> {
        let mut converter = Converter::default();
        let mut got = Vec::new();
        for packet in packets {
            for opus in Forms::new(packet, &mut converter, true).for_receiver(None) {
                assert_eq!((opus.codec, opus.timestamp), (Codec::Opus, (opus.sequence as u32).wrapping_mul(960)));
                got.push((opus.sequence, opus.payload[0]));
            }
        }
        got
    }

    #[test]
    fn l_64_red_becomes_opus_with_the_same_numbers() {
        assert_eq!(opus_of(&[red(7, 1), red(8, 1), red(9, 1)]), [(7, 7), (8, 8), (9, 9)]);
    }

    #[test]
    fn l_64_what_was_lost_is_taken_from_the_next_packet() {
        assert_eq!(opus_of(&[red(7, 1), red(9, 1), red(10, 1)]), [(7, 7), (8, 8), (9, 9), (10, 10)]);
        assert_eq!(opus_of(&[red(7, 2), red(10, 2)]), [(7, 7), (8, 8), (9, 9), (10, 10)], "two at once");
        assert_eq!(opus_of(&[red(7, 1), red(200, 1)]), [(7, 7), (199, 199), (200, 200)], "all that is there");
    }

    #[test]
    fn l_64_nothing_is_given_twice() {
        assert_eq!(opus_of(&[red(7, 1), red(9, 1), red(8, 1), red(9, 1)]), [(7, 7), (8, 8), (9, 9)], "late, repeated");
        assert_eq!(opus_of(&[red(100, 1), red(101, 1), red(3, 1)]), [(100, 100), (101, 101)], "from long ago");
    }

    #[test]
    fn l_64_a_packet_too_long_for_red_comes_as_opus_in_its_place() {
        let plain = packet(Codec::Opus, 8, &[8; 1200]);
        assert_eq!(opus_of(&[red(7, 1), plain.clone(), red(9, 1)]), [(7, 7), (8, 8), (9, 9)]);
        assert_eq!(opus_of(&[red(7, 1), red(9, 1), plain]), [(7, 7), (8, 8), (9, 9)], "and not twice");
    }

    #[test]
    fn l_64_padding_keeps_its_number_and_is_no_loss() {
        let sound = |sequence: u64, of: u64| IngressPacket { timestamp: of as u32 * 960, ..red(sequence, 1) };
        let padding = IngressPacket { timestamp: 7 * 960, ..packet(Codec::Red, 8, &[]) };
        let mut converter = Converter::default();
        let mut got = Vec::new();
        // The second sound has the third number, and repeats the first.
        for packet in [sound(7, 7), padding, sound(9, 8), sound(10, 9)] {
            let mut forms = Forms::new(&packet, &mut converter, true);
            assert_eq!(forms.for_receiver(Some(OPUS)).len(), 1, "receivers of RED have no gap either");
            got.extend(forms.for_receiver(None).iter().map(|opus| (opus.sequence, opus.payload.len())));
        }
        assert_eq!(got, [(7, 3), (8, 0), (9, 3), (10, 3)]);
    }

    #[test]
    fn l_64_a_foreign_or_empty_block_is_no_sound() {
        let foreign = RedBlock { payload_type: 13, offset: 960, payload: &[1] };
        let empty = RedBlock { payload_type: OPUS, offset: 960, payload: &[] };
        let present = RedBlock { payload_type: OPUS, offset: 0, payload: &[1] };
        for block in [foreign, empty, present] {
            let odd = packet(Codec::Red, 9, &write_red(&[block], OPUS, &[9; 3]));
            assert_eq!(opus_of(&[red(7, 1), odd]), [(7, 7), (9, 9)]);
        }
        assert_eq!(opus_of(&[red(7, 1), packet(Codec::Red, 8, &[0x80])]), [(7, 7)], "damaged");
    }

    #[test]
    fn l_64_red_goes_as_it_is_to_those_who_take_it() {
        let (mut converter, sent) = (Converter::default(), red(7, 1));
        let mut forms = Forms::new(&sent, &mut converter, true);
        let got = forms.for_receiver(Some(OPUS));
        assert_eq!((got.len(), got[0].codec), (1, Codec::Red));
        assert!(Arc::ptr_eq(&got[0].payload, &sent.payload), "the same bytes");
        assert_eq!(forms.for_receiver(Some(109))[0].codec, Codec::Opus, "its Opus has another number");
    }

    #[test]
    fn l_64_opus_becomes_red_that_repeats_the_packet_before() {
        let mut converter = Converter::default();
        for (sequence, expected) in [(7, 0), (8, 1), (10, 0), (11, 1)] {
            let sent = packet(Codec::Opus, sequence, &[sequence as u8; 3]);
            let mut forms = Forms::new(&sent, &mut converter, true);
            let made = forms.for_receiver(Some(OPUS))[0].clone();
            assert_eq!((made.codec, made.sequence), (Codec::Red, sequence));
            let read = Red::parse(&made.payload).unwrap();
            assert_eq!(read.primary, [sequence as u8; 3]);
            let repeated: Vec<_> = read.redundant().map(|block| (block.offset, block.payload[0])).collect();
            assert_eq!(repeated, vec![(960, sequence as u8 - 1); expected], "packet {sequence}");
            assert_eq!(forms.for_receiver(None)[0].codec, Codec::Opus);
        }
    }

    #[test]
    fn l_64_red_is_not_made_of_what_is_encrypted_and_never_beyond_a_datagram() {
        let mut converter = Converter::default();
        let sent = packet(Codec::Opus, 7, &[7; 3]);
        assert_eq!(Forms::new(&sent, &mut converter, false).for_receiver(Some(OPUS))[0].codec, Codec::Opus);
        for sequence in 8..10 {
            let long = packet(Codec::Opus, sequence, &[1; 600]);
            let made = Forms::new(&long, &mut converter, true).for_receiver(Some(OPUS))[0].clone();
            assert_eq!(made.payload.len(), 601, "two would be too long");
        }
    }
}
