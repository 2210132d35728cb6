//! Datagrams in a stream: a length of 16 bits before each (RFC 4571 section 2, as ICE-TCP uses it, RFC 6544 section 3).

use bytes::{Buf, BytesMut};

/// Length of the length.
const HEADER: usize = 2;
/// Of one frame: WebRTC's datagrams fit an Ethernet frame, and 8 KiB is more than a jumbo frame's media needs.
pub(crate) const MAX_FRAME_BYTES: usize = 8 * 1024;

/// The stream carries something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a frame of {0} bytes")]
pub(crate) struct FrameError(pub(crate) usize);

/// Takes the first frame out of what has come. `None`: it isn't whole yet. An empty one is padding (RFC 4571) and says
/// nothing.
pub(crate) fn take(buffer: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
    while let Some(head) = buffer.first_chunk::<HEADER>() {
        let length = usize::from(u16::from_be_bytes(*head));
        if length > MAX_FRAME_BYTES {
            return Err(FrameError(length));
        }
        if buffer.len() < HEADER + length {
            return Ok(None);
        }
        buffer.advance(HEADER);
        if length > 0 {
            return Ok(Some(buffer.split_to(length)));
        }
    }
    Ok(None)
}

/// Appends a frame. What is longer than a frame can say is left out; no datagram of ours is.
pub(crate) fn put(datagram: &[u8], out: &mut BytesMut) {
    if let Ok(length) = u16::try_from(datagram.len()) {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(datagram);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cut_of_the_stream() {
        let mut stream = BytesMut::new();
        for datagram in [&b"one"[..], b"", b"three"] {
            put(datagram, &mut stream);
        }
        for cut in 0..=stream.len() {
            let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
            for part in [&stream[..cut], &stream[cut..]] {
                buffer.extend_from_slice(part);
                while let Some(frame) = take(&mut buffer).unwrap() {
                    frames.push(frame);
                }
            }
            assert_eq!(frames, [&b"one"[..], b"three"], "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_too_long_is_no_frame() {
        let mut buffer = BytesMut::from(&((MAX_FRAME_BYTES + 1) as u16).to_be_bytes()[..]);
        assert_eq!(take(&mut buffer), Err(FrameError(MAX_FRAME_BYTES + 1)));
        let mut http = BytesMut::from(&b"GET / HTTP/1.1"[..]);
        assert!(take(&mut http).is_err(), "nor is anything else that is no frame");
    }
}
