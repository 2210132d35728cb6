//! Just enough STUN (RFC 8489) to find whose a datagram is, before any work is done for it.

/// Fixed header: type, length, magic cookie, transaction id (RFC 8489 section 5).
pub(crate) const HEADER: usize = 20;
pub(crate) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
/// USERNAME (RFC 8489 section 14.3).
const USERNAME: u16 = 0x0006;
/// RFC 8489 section 14.3: a user name is shorter than 509 bytes.
const MAX_USERNAME: usize = 508;
/// A binding request carries about ten attributes; more is no browser's.
pub(crate) const MAX_ATTRIBUTES: usize = 32;

/// Is this a STUN message at all? By the first two bits, the cookie and the length.
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[0] < 2 && datagram[4..8] == MAGIC_COOKIE
}

/// The USERNAME of a STUN message, `local:remote` for the ICE agent that receives it. Nothing is verified.
pub fn username(datagram: &[u8]) -> Option<&str> {
    if !is_stun(datagram) {
        return None;
    }
    let announced = usize::from(u16::from_be_bytes([datagram[2], datagram[3]]));
    let mut rest = datagram.get(HEADER..HEADER + announced)?;
    for _ in 0..MAX_ATTRIBUTES {
        let (kind, value, next) = attribute(rest)?;
        if kind == USERNAME {
            return std::str::from_utf8(value).ok().filter(|name| name.len() <= MAX_USERNAME);
        }
        rest = next;
    }
    None
}

/// Splits the first attribute off: (type, value, what follows its padding).
pub(crate) fn attribute(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let head = bytes.first_chunk::<4>()?;
    let kind = u16::from_be_bytes([head[0], head[1]]);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = bytes.get(4..4 + length)?;
    let padded = 4 + length.next_multiple_of(4);
    Some((kind, value, bytes.get(padded..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend_from_slice(&kind.to_be_bytes());
            body.extend_from_slice(&(value.len() as u16).to_be_bytes());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut message = vec![0, 1];
        message.extend_from_slice(&(body.len() as u16).to_be_bytes());
        message.extend_from_slice(&MAGIC_COOKIE);
        message.extend_from_slice(&[9; 12]);
        message.extend_from_slice(&body);
        message
    }

    #[test]
    fn the_username_is_found_behind_other_attributes() {
        let message = request(&[(0x8022, b"odd"), (USERNAME, b"00abc:remote"), (0x0008, &[0; 20])]);
        assert_eq!(username(&message), Some("00abc:remote"));
    }

    #[test]
    fn lying_lengths_find_nothing() {
        let message = request(&[(USERNAME, b"00abc:remote")]);
        for cut in 0..message.len() {
            assert_eq!(username(&message[..cut]), None, "cut at {cut}");
        }
        let mut lying = message.clone();
        lying[23] = 200;
        assert_eq!(username(&lying), None);
    }
}
