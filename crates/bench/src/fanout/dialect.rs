//! What is said inside the WebSocket, and how a conversation begins.

use clap::ValueEnum;

/// Characters of a message without its envelope: what P-6 calls a message of 100 bytes, envelope included on the bus.
const MESSAGE_BYTES: usize = 100;

/// A server's language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Dialect {
    /// Odeon's bus; and a bare relay, which passes on whatever it is given.
    Bus,
    /// Socket.IO 4 (Engine.IO 4), by WebSocket alone.
    SocketIo,
}

impl Dialect {
    /// Path and query of the upgrade.
    pub fn path(self) -> &'static str {
        match self {
            Self::Bus => "/",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// What is heard and said before messages flow: `(begins with, answer)`.
    pub fn greeting(self) -> &'static [(&'static str, Option<&'static str>)] {
        match self {
            Self::Bus => &[],
            // Engine.IO's open; then the default namespace is connected to.
            Self::SocketIo => &[("0{", Some("40")), ("40", None)],
        }
    }

    /// The answer to a text that keeps the conversation alive.
    pub fn answer(self, text: &[u8]) -> Option<&'static str> {
        (self == Self::SocketIo && text == b"2").then_some("3")
    }

    /// A message that everybody gets, stamped with `stamp`.
    pub fn message(self, stamp: u64) -> String {
        let bare = |value: &str| match self {
            Self::Bus => format!(r#"{{"type":"ANYTHING","channel":"bench","value":"{value}"}}"#),
            Self::SocketIo => format!(r#"42["message","{value}"]"#),
        };
        let pad = MESSAGE_BYTES.saturating_sub(bare(&stamped(stamp)).len());
        bare(&(stamped(stamp) + &"x".repeat(pad)))
    }

    /// A step of somebody who moves (E-06), stamped.
    pub fn step(self, who: usize, stamp: u64) -> String {
        let (x, y) = (stamp % 997, stamp % 991);
        let step = format!(
            r#"{{"type":"CHANNEL_USER_UPDATE","channel":"bench","userId":"mover{who}","value":{{"userX":{x},"userY":{y},"s":"{}"}}}}"#,
            stamped(stamp)
        );
        match self {
            Self::Bus => step,
            Self::SocketIo => format!(r#"42["message",{step}]"#),
        }
    }
}

/// Digits of a stamp.
const DIGITS: usize = 16;
/// Before the digits.
const MARK: &[u8] = b"t=";

fn stamped(stamp: u64) -> String {
    format!("t={stamp:016}")
}

/// The stamp of a message: the last one in it.
pub fn stamp_in(text: &[u8]) -> Option<u64> {
    let at = text.windows(MARK.len()).rposition(|window| window == MARK)?;
    let digits = text.get(at + MARK.len()..at + MARK.len() + DIGITS)?;
    digits.iter().try_fold(0_u64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_size_and_its_stamp() {
        for dialect in [Dialect::Bus, Dialect::SocketIo] {
            let message = dialect.message(1_234_567);
            assert_eq!(message.len(), MESSAGE_BYTES);
            assert_eq!(stamp_in(message.as_bytes()), Some(1_234_567));
            assert_eq!(stamp_in(dialect.step(3, 42).as_bytes()), Some(42));
        }
        assert_eq!(stamp_in(br#"{"type":"CHANNELS_UPDATED"}"#), None);
        assert_eq!(stamp_in(b"t=12"), None);
    }
}
