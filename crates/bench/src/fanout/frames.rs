//! WebSocket frames (RFC 6455, 5.2), as far as a load needs them: whole ones of a server's, and a client's own.

/// A whole frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// 1: text, 2: binary, 8: close, 9: ping, 10: pong.
    pub opcode: u8,
    /// Its payload.
    pub payload: &'a [u8],
}

/// The frame that `bytes` begin with and its whole length; `None`: there is more to come.
pub fn first(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (opcode, short) = (bytes.first()? & 0x0f, bytes.get(1)? & 0x7f);
    let (head, length): (usize, usize) = match short {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let payload = bytes.get(head..head.checked_add(length)?)?;
    Some((Frame { opcode, payload }, head + length))
}

/// A client's frame of up to 65,535 bytes. Masked with zeros: it must be masked, and a load has nothing to hide from proxies.
pub fn client(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload.iter().take(usize::from(u16::MAX)));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_whole_or_not_at_all() {
        for length in [0, 5, 125, 126, 300, 65_535] {
            let mut bytes = client(1, &vec![b'a'; length]);
            bytes[1] &= 0x7f; // as a server's: without a mask
            let head = if length < 126 { 2 } else { 4 };
            bytes.drain(head..head + 4);
            let whole = bytes.len();
            bytes.extend(b"more");
            assert_eq!(first(&bytes), Some((Frame { opcode: 1, payload: &vec![b'a'; length] }, whole)));
            assert_eq!(first(&bytes[..whole - 1]), None);
        }
    }
}
