//! Engine.IO 4, on which Socket.IO travels: packets in WebSocket messages, and several of them in the body of a poll.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Between two packets of a polling body.
const SEPARATOR: char = '\x1e';

/// Packets in one polling body: a piece of sound is two or three, and a client gathers some while a request is on its way.
pub const MAX_PACKETS: usize = 256;

/// What travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Packet {
    /// The client asks whether we are there; answered with the same word (`2probe`).
    Ping(String),
    /// It is.
    Pong,
    /// Goes away.
    Close,
    /// Has finished changing to a WebSocket.
    Upgrade,
    /// Says nothing.
    Noop,
    /// A Socket.IO packet.
    Text(String),
    /// An attachment of one.
    Binary(Vec<u8>),
}

/// No packet, or over a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is no packet of Engine.IO 4")]
pub struct Malformed;

/// Reads a text message of a WebSocket. Binary ones are attachments as they are.
///
/// # Errors
/// It is none that clients send.
pub fn decode(text: &str) -> Result<Packet, Malformed> {
    let kind = *text.as_bytes().first().ok_or(Malformed)?;
    let rest = text.get(1..).ok_or(Malformed)?;
    match kind {
        b'1' => Ok(Packet::Close),
        b'2' => Ok(Packet::Ping(rest.to_owned())),
        b'3' => Ok(Packet::Pong),
        b'4' => Ok(Packet::Text(rest.to_owned())),
        b'5' => Ok(Packet::Upgrade),
        b'6' => Ok(Packet::Noop),
        _ => Err(Malformed),
    }
}

/// Reads the body of a POST.
///
/// # Errors
/// Something in it is no packet, or there are more than [`MAX_PACKETS`].
pub fn decode_payload(body: &[u8]) -> Result<Vec<Packet>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed)?;
    let mut packets = Vec::new();
    for part in text.split(SEPARATOR) {
        if packets.len() == MAX_PACKETS {
            return Err(Malformed);
        }
        packets.push(match part.strip_prefix('b') {
            Some(coded) => Packet::Binary(BASE64.decode(coded).map_err(|_| Malformed)?),
            None => decode(part)?,
        });
    }
    Ok(packets)
}

/// What the server says first.
pub fn open(sid: &str, upgrades: bool, ping_interval_ms: u64, ping_timeout_ms: u64, max_payload: usize) -> String {
    let upgrades = if upgrades { r#"["websocket"]"# } else { "[]" };
    format!(
        r#"0{{"sid":"{sid}","upgrades":{upgrades},"pingInterval":{ping_interval_ms},"pingTimeout":{ping_timeout_ms},"maxPayload":{max_payload}}}"#
    )
}

/// Puts together the answer of a poll.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    body: String,
    packets: usize,
}

impl Payload {
    /// A packet as text, its type before it.
    pub fn text(&mut self, packet: &str) {
        self.separate();
        self.body.push_str(packet);
    }

    /// An attachment.
    pub fn binary(&mut self, bytes: &[u8]) {
        self.separate();
        self.body.push('b');
        BASE64.encode_string(bytes, &mut self.body);
    }

    fn separate(&mut self) {
        if self.packets > 0 {
            self.body.push(SEPARATOR);
        }
        self.packets += 1;
    }

    /// The body.
    pub fn finish(self) -> String {
        self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packets_of_engine_io_client_6_are_read() {
        assert_eq!(decode("2probe"), Ok(Packet::Ping("probe".into())));
        assert_eq!(decode("3"), Ok(Packet::Pong));
        assert_eq!(decode("40/listener,"), Ok(Packet::Text("0/listener,".into())));
        assert_eq!((decode("5"), decode("1"), decode("6")), (Ok(Packet::Upgrade), Ok(Packet::Close), Ok(Packet::Noop)));
        for text in ["", "0", "7", "x", "é", "b"] {
            assert_eq!(decode(text), Err(Malformed), "{text}");
        }
    }

    // C-10: binary untouched, by polling too.
    #[test]
    fn c_10_a_polling_body_holds_packets_and_attachments() {
        let body = "451-/streamer,[\"upload\",{\"_placeholder\":true,\"num\":0}]\x1ebAP8C\x1e3";
        let packets = decode_payload(body.as_bytes()).unwrap();
        assert_eq!(packets[1..], [Packet::Binary(vec![0, 255, 2]), Packet::Pong]);
        let mut payload = Payload::default();
        payload.text("4x");
        payload.binary(&[0, 255, 2]);
        assert_eq!(payload.finish(), "4x\x1ebAP8C");
    }

    #[test]
    fn a_body_that_is_none_is_refused() {
        for body in [&b""[..], b"\xff", b"bA", b"4a\x1e", b"\x1e4a"] {
            assert_eq!(decode_payload(body), Err(Malformed), "{body:?}");
        }
        let many = vec!["6"; MAX_PACKETS + 1].join("\x1e");
        assert_eq!(decode_payload(many.as_bytes()), Err(Malformed));
    }

    #[test]
    fn the_first_packet_says_what_clients_must_know() {
        let first =
            r#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1}"#;
        assert_eq!(open("abc", true, 25_000, 20_000, 1), first);
    }
}
