//! Redundant audio: the payload format of RFC 2198.
//!
//! A RED payload repeats what earlier packets carried in front of its own sound, so that a receiver fills a gap without
//! waiting. Sequence numbers are not in it: what the blocks of a payload belong to is the media graph's to say.

/// Blocks before the primary one. libwebrtc sends 1, 9 at most, and takes 32: more is nobody's.
pub const MAX_RED_BLOCKS: usize = 32;
/// A block's length has 10 bits.
pub const MAX_RED_BLOCK_BYTES: usize = 0x3ff;
/// A block's timestamp offset has 14 bits: 341 ms of a 48 kHz clock.
pub const MAX_RED_OFFSET: u32 = 0x3fff;
/// Bytes of a redundant block's header.
const HEADER: usize = 4;

/// Why a payload is no RED.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RedError {
    /// Ends within its headers or blocks.
    #[error("redundant payload is cut short")]
    Truncated,
    /// Over [`MAX_RED_BLOCKS`].
    #[error("more than {MAX_RED_BLOCKS} redundant blocks")]
    TooManyBlocks,
}

/// What an earlier packet carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedBlock<'a> {
    /// Payload type as the sender negotiated it.
    pub payload_type: u8,
    /// How much earlier, in the codec's clock.
    pub offset: u32,
    /// As that packet carried it; may be empty.
    pub payload: &'a [u8],
}

/// A parsed payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Red<'a> {
    headers: &'a [u8],
    blocks: &'a [u8],
    /// Of the packet's own sound.
    pub payload_type: u8,
    /// The packet's own sound.
    pub primary: &'a [u8],
}

impl<'a> Red<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// See [`RedError`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, RedError> {
        let (mut count, mut bytes) = (0, 0);
        let mut rest = payload;
        while rest.first().is_some_and(|first| first & 0x80 != 0) {
            let (header, after) = rest.split_first_chunk::<HEADER>().ok_or(RedError::Truncated)?;
            if count == MAX_RED_BLOCKS {
                return Err(RedError::TooManyBlocks);
            }
            (count, bytes, rest) = (count + 1, bytes + block_header(*header).2, after);
        }
        let (payload_type, body) = rest.split_first().ok_or(RedError::Truncated)?;
        let (blocks, primary) = body.split_at_checked(bytes).ok_or(RedError::Truncated)?;
        let headers = payload.get(..count * HEADER).ok_or(RedError::Truncated)?;
        Ok(Self { headers, blocks, payload_type: *payload_type, primary })
    }

    /// What earlier packets carried, oldest first.
    pub fn redundant(&self) -> impl ExactSizeIterator<Item = RedBlock<'a>> + use<'a> {
        let mut rest = self.blocks;
        self.headers.chunks_exact(HEADER).map(move |header| {
            let (payload_type, offset, length) = block_header([header[0], header[1], header[2], header[3]]);
            // `parse` has added the lengths up.
            let (payload, after) = rest.split_at_checked(length).unwrap_or_default();
            rest = after;
            RedBlock { payload_type, offset, payload }
        })
    }
}

/// (payload type, offset, length) of a header: 1 bit "another follows", 7, 14 and 10 bits.
fn block_header(header: [u8; HEADER]) -> (u8, u32, usize) {
    let word = u32::from_be_bytes(header);
    ((word >> 24) as u8 & 0x7f, (word >> 10) & MAX_RED_OFFSET, (word & 0x3ff) as usize)
}

/// Writes a payload: `redundant` oldest first. A block that is too long or too old to be said is left out.
pub fn write_red(redundant: &[RedBlock<'_>], payload_type: u8, primary: &[u8]) -> Vec<u8> {
    let fits = |block: &&RedBlock<'_>| block.payload.len() <= MAX_RED_BLOCK_BYTES && block.offset <= MAX_RED_OFFSET;
    let blocks = || redundant.iter().filter(fits).take(MAX_RED_BLOCKS);
    let size = blocks().map(|block| HEADER + block.payload.len()).sum::<usize>() + 1 + primary.len();
    let mut payload = Vec::with_capacity(size);
    for block in blocks() {
        let kind = u32::from(0x80 | block.payload_type) << 24;
        payload.extend_from_slice(&(kind | block.offset << 10 | block.payload.len() as u32).to_be_bytes());
    }
    payload.push(payload_type & 0x7f);
    blocks().for_each(|block| payload.extend_from_slice(block.payload));
    payload.extend_from_slice(primary);
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;

    /// As browsers write it: one block, 20 ms earlier. Three bytes of sound each.
    const CHROMIUM: [u8; 11] = [0xef, 0x0f, 0x00, 0x03, 0x6f, 0x78, 0x01, 0x02, 0x78, 0x03, 0x04];

    fn block(offset: u32, payload: &[u8]) -> RedBlock<'_> {
        RedBlock { payload_type: 111, offset, payload }
    }

    #[test]
    fn l_64_a_browsers_payload_is_read() {
        let red = Red::parse(&CHROMIUM).unwrap();
        assert_eq!((red.payload_type, red.primary), (111, &[0x78, 3, 4][..]));
        assert_eq!(red.redundant().collect::<Vec<_>>(), [block(960, &[0x78, 1, 2])]);
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for blocks in [&[][..], &[block(1920, &[1; 40]), block(960, &[])], &[block(MAX_RED_OFFSET, &[9; 1023])]] {
            let payload = write_red(blocks, 111, &[7; 20]);
            let red = Red::parse(&payload).unwrap();
            assert_eq!((red.payload_type, red.primary), (111, &[7; 20][..]));
            assert_eq!(red.redundant().collect::<Vec<_>>(), blocks);
        }
    }

    #[test]
    fn what_can_not_be_said_is_left_out() {
        let payload = write_red(&[block(MAX_RED_OFFSET + 1, &[1]), block(960, &[1; 1024])], 111, &[7]);
        assert_eq!(payload, [111, 7]);
    }

    #[test]
    fn what_is_cut_short_or_endless_is_refused() {
        for cut in 0..8 {
            assert_eq!(Red::parse(&CHROMIUM[..cut]), Err(RedError::Truncated), "{cut} bytes");
        }
        assert!(Red::parse(&CHROMIUM[..8]).is_ok(), "no sound of its own (discontinuous transmission)");
        let endless = [0x80; 4 * (MAX_RED_BLOCKS + 1)];
        assert_eq!(Red::parse(&endless), Err(RedError::TooManyBlocks));
    }

    /// every truncation, every bit.
    #[test]
    fn q_6_damaged_payloads_are_read_or_refused() {
        let long = write_red(&[block(1920, &[1; 60]), block(960, &[2; 60])], 111, &[3; 60]);
        for payload in [&CHROMIUM[..], &long] {
            for cut in 0..payload.len() {
                fuzz::red(&payload[..cut]);
            }
            for bit in 0..payload.len() * 8 {
                let mut flipped = payload.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                fuzz::red(&flipped);
            }
        }
    }
}
