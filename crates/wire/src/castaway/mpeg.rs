//! Frames of MPEG audio (ISO/IEC 11172-3, 13818-3) and of ADTS (13818-7): how long they last, and how pieces become one
//! file.
//!
//! Pieces may be files of their own, each with its tags, or one stream that was cut anywhere. Either way the frames
//! alone are kept, one after the other.

/// Longest frame, in bytes: ADTS has 13 bits for it.
const MAX_FRAME_BYTES: usize = 8191;

/// Shortest header that says how long a frame is.
const HEADER_BYTES: usize = 7;

/// Bytes of an ID3v2 tag's head.
const TAG_HEAD_BYTES: usize = 10;

/// Kilobits a second of layer II and III in MPEG-1, and of both in MPEG-2; 0 is none.
const LAYER_2: [u32; 16] = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0];
const LAYER_3: [u32; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
const LOW: [u32; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
const RATES: [u32; 3] = [44_100, 48_000, 32_000];
const ADTS_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// What frames these are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// MPEG audio, layer II or III.
    Mp3,
    /// AAC.
    Adts,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Frame {
    kind: Kind,
    bytes: usize,
    samples: u32,
    rate: u32,
}

/// What begins here; a tag alone counts as mp3, whose tag it is.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    match tag(bytes) {
        Some(length) => Some(bytes.get(length..).and_then(first).unwrap_or(Kind::Mp3)),
        None => first(bytes),
    }
}

/// Two frames, or one that ends with the bytes: a header alone is soon found in noise.
fn first(bytes: &[u8]) -> Option<Kind> {
    let frame = frame(bytes)?;
    let next = bytes.get(frame.bytes..).unwrap_or_default();
    (next.len() < HEADER_BYTES || self::frame(next).is_some_and(|next| next.kind == frame.kind)).then_some(frame.kind)
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    let &[sync, b1, b2, b3, b4, b5, _, ..] = bytes else { return None };
    if sync != 0xff || b1 & 0xe0 != 0xe0 {
        return None;
    }
    // The layer's bits are 0 in ADTS, and in nothing else.
    if b1 & 0xf6 == 0xf0 { adts(b1, b2, b3, b4, b5) } else { mpeg(b1, b2) }
}

fn adts(b1: u8, b2: u8, b3: u8, b4: u8, b5: u8) -> Option<Frame> {
    let rate = *ADTS_RATES.get(usize::from(b2 >> 2 & 0x0f))?;
    let bytes = usize::from(b3 & 0x03) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
    let head = if b1 & 0x01 == 0 { 9 } else { 7 };
    // One block in a frame is what every encoder writes.
    (bytes > head).then_some(Frame { kind: Kind::Adts, bytes, samples: 1024, rate })
}

fn mpeg(b1: u8, b2: u8) -> Option<Frame> {
    let rate = *RATES.get(usize::from(b2 >> 2 & 0x03))?;
    let (divided, one) = match b1 >> 3 & 0x03 {
        3 => (1, true),
        2 => (2, false),
        0 => (4, false),
        _ => return None,
    };
    let third = match b1 >> 1 & 0x03 {
        1 => true,
        2 => false,
        _ => return None,
    };
    let index = usize::from(b2 >> 4);
    let kbps = match (one, third) {
        (true, true) => LAYER_3[index],
        (true, false) => LAYER_2[index],
        (false, _) => LOW[index],
    };
    let rate = rate / divided;
    let samples = if third && !one { 576 } else { 1152 };
    let padding = usize::from(b2 >> 1 & 1);
    let bytes = usize::try_from(samples / 8 * kbps * 1000 / rate).ok()? + padding;
    (kbps > 0).then_some(Frame { kind: Kind::Mp3, bytes, samples, rate })
}

/// Length of the ID3v2 tag that begins here.
fn tag(bytes: &[u8]) -> Option<usize> {
    let &[b'I', b'D', b'3', version, revision, flags, a, b, c, d, ..] = bytes else { return None };
    let valid = version != 0xff && revision != 0xff && [a, b, c, d].iter().all(|byte| byte & 0x80 == 0);
    let size = [a, b, c, d].iter().fold(0usize, |size, byte| size << 7 | usize::from(*byte));
    let footer = if flags & 0x10 != 0 { TAG_HEAD_BYTES } else { 0 };
    valid.then_some(TAG_HEAD_BYTES + size + footer)
}

/// Where the sound begins in an mp3 frame: after the head, its checksum and the side information.
fn side_end(frame: &[u8]) -> usize {
    let (one, mono) = (frame[1] >> 3 & 0x03 == 3, frame[3] >> 6 == 3);
    let side = match (one, mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    4 + side
}

/// The frame that some encoders put first, with the number of those that follow. It is wrong once pieces are joined.
fn is_summary(frame: &[u8]) -> bool {
    let at = |from: usize, word: &[u8]| frame.get(from..).is_some_and(|rest| rest.starts_with(word));
    frame.len() > HEADER_BYTES && {
        let side = side_end(frame);
        // With a checksum the word is two bytes further.
        at(side, b"Xing") || at(side, b"Info") || at(side + 2, b"Xing") || at(side + 2, b"Info") || at(36, b"VBRI")
    }
}

/// Finds the frames in a stream, and measures them.
#[derive(Debug)]
pub struct Frames {
    kind: Kind,
    waiting: Vec<u8>,
    /// Of a tag, still to be passed over.
    skip: usize,
    first: Option<[u8; 4]>,
    frames: u64,
    bytes: u64,
    foreign: u64,
    nanoseconds: u64,
}

impl Frames {
    /// Of this kind only.
    pub fn of(kind: Kind) -> Self {
        Self { kind, waiting: Vec::new(), skip: 0, first: None, frames: 0, bytes: 0, foreign: 0, nanoseconds: 0 }
    }

    /// Takes some bytes; adds the frames that are complete to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.waiting.extend_from_slice(bytes);
        self.take(out, false);
    }

    /// Nothing more comes.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.take(out, true);
        self.foreign += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.frames
    }

    /// Their length together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How long they last, in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.nanoseconds / 1_000_000
    }

    /// Is this what it claims to be? A tag at the end is no frame, and a cut costs one or two.
    pub fn is_sound(&self) -> bool {
        self.frames >= 2 && self.foreign <= self.bytes / 8 + MAX_FRAME_BYTES as u64
    }

    /// A frame to be put before all others, so that players know how many there are: `None` before the first, and for
    /// ADTS, which has none.
    pub fn summary(&self) -> Option<Vec<u8>> {
        let first = self.first.filter(|_| self.kind == Kind::Mp3)?;
        summary(first, self.frames, self.bytes)
    }

    fn take(&mut self, out: &mut Vec<u8>, last: bool) {
        let waiting = std::mem::take(&mut self.waiting);
        let mut at = 0;
        while let Some(step) = self.step(waiting.get(at..).unwrap_or_default(), last, out) {
            at += step;
        }
        self.waiting = waiting.get(at..).unwrap_or_default().to_vec();
    }

    /// How many bytes are done with; `None`: more are needed.
    fn step(&mut self, rest: &[u8], last: bool, out: &mut Vec<u8>) -> Option<usize> {
        if rest.is_empty() || (rest.len() < TAG_HEAD_BYTES && !last) {
            return None;
        }
        if self.skip > 0 {
            let passed = self.skip.min(rest.len());
            self.skip -= passed;
            return Some(passed);
        }
        if let Some(length) = tag(rest) {
            self.skip = length;
            return Some(0);
        }
        match frame(rest).filter(|frame| frame.kind == self.kind) {
            Some(found) => self.frame(found, rest, last, out),
            None => Some(self.pass()),
        }
    }

    fn frame(&mut self, found: Frame, rest: &[u8], last: bool, out: &mut Vec<u8>) -> Option<usize> {
        let next = rest.get(found.bytes..).unwrap_or_default();
        if next.len() < TAG_HEAD_BYTES && !last {
            return None;
        }
        let follows = next.len() < HEADER_BYTES || tag(next).is_some() || next.starts_with(b"TAG") || {
            frame(next).is_some_and(|next| next.kind == self.kind)
        };
        match rest.get(..found.bytes) {
            Some(whole) if follows => {
                self.keep(found, whole, out);
                Some(found.bytes)
            }
            _ => Some(self.pass()),
        }
    }

    fn keep(&mut self, found: Frame, whole: &[u8], out: &mut Vec<u8>) {
        if self.kind == Kind::Mp3 && is_summary(whole) {
            return;
        }
        if self.first.is_none() {
            self.first = whole.first_chunk().copied();
        }
        self.frames += 1;
        self.bytes += whole.len() as u64;
        self.nanoseconds += u64::from(found.samples) * 1_000_000_000 / u64::from(found.rate);
        out.extend_from_slice(whole);
    }

    fn pass(&mut self) -> usize {
        self.foreign += 1;
        1
    }
}

fn summary(first: [u8; 4], frames: u64, bytes: u64) -> Option<Vec<u8>> {
    let [sync, b1, b2, b3] = first;
    let one = b1 >> 3 & 0x03 == 3;
    // Without a checksum and padding; 128 or 64 kbit/s leave room for what it says at every rate.
    let header = [sync, b1 | 0x01, (if one { 0x90 } else { 0x80 }) | b2 & 0x0c, b3];
    let length = frame(&[header[0], header[1], header[2], header[3], 0, 0, 0])?.bytes;
    let mut whole = vec![0; length];
    whole.get_mut(..4)?.copy_from_slice(&header);
    let at = side_end(&header);
    let bytes = bytes + length as u64;
    let said = [b"Xing".as_slice(), &3u32.to_be_bytes(), &saturated(frames), &saturated(bytes)].concat();
    whole.get_mut(at..at + said.len())?.copy_from_slice(&said);
    Some(whole)
}

fn saturated(number: u64) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 128 kbit/s, 44.1 kHz, layer III: 417 bytes, 26 ms.
    fn mp3_frame(fill: u8) -> Vec<u8> {
        let mut frame = vec![fill; 417];
        frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x44]);
        frame
    }

    fn adts_frame(length: u16) -> Vec<u8> {
        let mut frame = vec![7; usize::from(length)];
        let [high, middle, low] = [length >> 11, length >> 3, (length & 7) << 5].map(|part| part as u8);
        frame[..7].copy_from_slice(&[0xff, 0xf1, 0x50, 0x80 | high, middle, low, 0xfc]);
        frame
    }

    fn tag_of(length: u8) -> Vec<u8> {
        let mut tag = b"ID3\x04\0\0\0\0\0".to_vec();
        tag.push(length);
        tag.extend(vec![0xff; usize::from(length)]);
        tag
    }

    fn split(kind: Kind, pieces: &[Vec<u8>]) -> (Vec<u8>, Frames) {
        let (mut frames, mut out) = (Frames::of(kind), Vec::new());
        pieces.iter().for_each(|piece| frames.push(piece, &mut out));
        frames.finish(&mut out);
        (out, frames)
    }

    // C-19: pieces of mp3 become one file.
    #[test]
    fn c_19_the_tags_of_pieces_go_and_their_frames_stay() {
        let mut summary = mp3_frame(0);
        summary[36..40].copy_from_slice(b"Info");
        let frames = [mp3_frame(1), mp3_frame(2)].concat();
        let piece = [tag_of(20), summary, frames.clone()].concat();
        let (out, measured) = split(Kind::Mp3, &[piece.clone(), piece]);
        assert_eq!(out, [frames.clone(), frames].concat());
        assert_eq!((measured.count(), measured.duration_ms()), (4, 104));
        assert!(measured.is_sound());
    }

    #[test]
    fn c_19_a_stream_that_was_cut_anywhere_comes_out_whole() {
        let stream: Vec<u8> = (0..20).flat_map(mp3_frame).collect();
        for size in [1, 7, 100, 416, 417, 418, 5000] {
            let pieces: Vec<_> = stream.chunks(size).map(<[u8]>::to_vec).collect();
            assert_eq!(split(Kind::Mp3, &pieces).0, stream, "pieces of {size}");
        }
        let adts: Vec<u8> = [adts_frame(200), adts_frame(371)].concat();
        let (out, frames) = split(Kind::Adts, &[adts[..250].to_vec(), adts[250..].to_vec()]);
        assert_eq!((out, frames.duration_ms()), (adts, 46));
    }

    #[test]
    fn c_19_a_frame_that_lost_its_end_does_not_eat_the_next_piece() {
        let whole = [mp3_frame(1), mp3_frame(2)].concat();
        let cut = whole[..700].to_vec();
        let (out, _) = split(Kind::Mp3, &[cut, whole.clone()]);
        assert_eq!(out, [mp3_frame(1), whole].concat());
    }

    #[test]
    fn c_19_the_summary_is_a_frame_that_says_how_many_follow() {
        let stream: Vec<u8> = (0..5).flat_map(mp3_frame).collect();
        let (out, frames) = split(Kind::Mp3, &[stream]);
        let summary = frames.summary().unwrap();
        assert!(is_summary(&summary) && frame(&summary).unwrap().bytes == summary.len());
        assert_eq!(summary[44..48], 5u32.to_be_bytes());
        assert_eq!(summary[48..52], u32::try_from(summary.len() + out.len()).unwrap().to_be_bytes());
        let (again, _) = split(Kind::Mp3, &[summary, out.clone()]);
        assert_eq!(again, out);
    }

    #[test]
    fn c_22_what_is_no_mp3_is_not_taken_for_one() {
        for bytes in [b"<html>".repeat(1000), vec![0xff; 10_000], vec![0; 10_000], Vec::new()] {
            assert!(!split(Kind::Mp3, &[bytes]).1.is_sound());
        }
        assert_eq!(kind(&mp3_frame(0)), Some(Kind::Mp3));
        assert_eq!(kind(&[mp3_frame(0), vec![0; 9]].concat()), None);
        assert_eq!(kind(&[tag_of(3), adts_frame(100)].concat()), Some(Kind::Adts));
        assert_eq!(kind(&tag_of(100)), Some(Kind::Mp3));
    }
}
