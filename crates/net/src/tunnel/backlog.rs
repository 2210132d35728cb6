//! What waits for a slow connection: bounded, and what is oldest goes first.

use std::collections::VecDeque;

/// Bytes that wait at most: a third of a second at 6 Mbit/s. What is older than that nobody wants to see.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;

/// Datagrams on their way into a stream.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    datagrams: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lost so far.
    pub(crate) dropped: u64,
}

impl Backlog {
    pub(crate) fn push(&mut self, datagram: Vec<u8>) {
        self.bytes += datagram.len();
        self.datagrams.push_back(datagram);
        while self.bytes > MAX_BACKLOG_BYTES {
            self.drop_one();
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        let datagram = self.datagrams.pop_front()?;
        self.bytes -= datagram.len();
        Some(datagram)
    }

    /// The oldest media; only when there is none, the oldest of ICE, DTLS and SCTP: media can be asked for again cheaply.
    fn drop_one(&mut self) {
        let media = self.datagrams.iter().position(|datagram| is_media(datagram));
        if let Some(datagram) = self.datagrams.remove(media.unwrap_or_default()) {
            self.bytes -= datagram.len();
            self.dropped += 1;
        }
    }
}

/// RTP and RTCP by their first byte (RFC 7983).
fn is_media(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (128..=191).contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_media_goes_and_handshakes_stay() {
        let mut backlog = Backlog::default();
        backlog.push(vec![22; 1000]);
        let packets = MAX_BACKLOG_BYTES / 1000 + 10;
        for number in 0..packets {
            let mut packet = vec![128; 1000];
            packet[1..3].copy_from_slice(&(number as u16).to_be_bytes());
            backlog.push(packet);
        }
        assert!(backlog.bytes <= MAX_BACKLOG_BYTES && backlog.dropped >= 9);
        assert_eq!(backlog.pop().unwrap()[0], 22, "the handshake is still first");
        let oldest = backlog.pop().unwrap();
        assert_eq!(u64::from(u16::from_be_bytes([oldest[1], oldest[2]])), backlog.dropped);
    }

    #[test]
    fn a_queue_of_handshakes_is_bounded_too() {
        let mut backlog = Backlog::default();
        (0..1000).for_each(|_| backlog.push(vec![22; 1000]));
        assert!(backlog.bytes <= MAX_BACKLOG_BYTES);
    }
}
