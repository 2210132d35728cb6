//! WebSocket frames of a server (RFC 6455, 5.2): they are not masked, so one framing serves every socket that gets the
//! message, and many of them go out in one write.

/// What a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Opcode {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
    /// Code and reason; the last frame.
    Close,
    /// To be answered by a pong.
    Ping,
    /// The answer.
    Pong,
}

/// Bit of the first byte: the message ends here.
const FIN: u8 = 0x80;

/// Longest payload of a control frame, in bytes (RFC 6455, 5.5).
pub const MAX_CONTROL_BYTES: usize = 125;

impl Opcode {
    fn number(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    fn numbered(number: u8) -> Option<Self> {
        [Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong].into_iter().find(|code| code.number() == number)
    }
}

/// A whole message as one frame.
pub fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 10);
    out.push(FIN | opcode.number());
    match payload.len() {
        len @ 0..=125 => out.push(len as u8),
        len @ 126..=0xFFFF => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
    out
}

/// A close frame. A reason that is too long for one is left out.
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    let reason = if reason.len() + 2 > MAX_CONTROL_BYTES { "" } else { reason };
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    frame(Opcode::Close, &payload)
}

/// What [`frame`] made: its opcode, and where its payload begins. `None` for anything else.
pub fn unframe(framed: &[u8]) -> Option<(Opcode, usize)> {
    let (first, rest) = framed.split_first()?;
    let (len, rest) = rest.split_first()?;
    let opcode = Opcode::numbered(first & !FIN).filter(|_| first & FIN != 0)?;
    let (header, len) = match len {
        0..=125 => (2, u64::from(*len)),
        126 => (4, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*rest.first_chunk()?)),
        _ => return None,
    };
    (u64::try_from(framed.len() - header).ok()? == len).then_some((opcode, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_way_and_read_back() {
        for (len, header) in [(0, 2), (1, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let payload = vec![7; len];
            let framed = frame(Opcode::Binary, &payload);
            assert_eq!((framed.len(), unframe(&framed)), (header + len, Some((Opcode::Binary, header))));
            assert_eq!(framed[header..], payload);
        }
        assert_eq!(frame(Opcode::Text, b"hi"), [0x81, 2, b'h', b'i']);
    }

    #[test]
    fn a_close_has_a_code_and_a_reason_that_fits() {
        assert_eq!(close(1013, "slow"), [0x88, 6, 0x03, 0xF5, b's', b'l', b'o', b'w']);
        assert_eq!(close(1008, &"x".repeat(124)).len(), 4);
    }

    #[test]
    fn what_is_cut_or_masked_is_not_read() {
        let framed = frame(Opcode::Text, b"hello");
        for cut in 0..framed.len() {
            assert_eq!(unframe(&framed[..cut]), None, "{cut}");
        }
        assert_eq!(unframe(&[0x81, 0x85, 1, 2, 3, 4, 0, 0, 0, 0, 0]), None);
        assert_eq!(unframe(&[0x01, 0]), None, "not the end of its message");
    }
}
