//! What strangers get: never more bytes than they sent, and few answers, so that nobody makes us flood a third one by
//! sending in its name.
//!
//! A client that asks without a nonce is answered once it has sent as much as the answer is long. Clients repeat their
//! first request after 250 to 500 ms, so that costs them one repetition.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Answers to a source in a second.
const MAX_REPLIES: u32 = 10;
const SECOND: Duration = Duration::from_secs(1);
/// Sources remembered: 2 MiB. When they are more than that, newcomers get no answer until some have been silent.
const MAX_SOURCES: usize = 16_384;
/// Silent so long, a source is forgotten: longer than a client takes from one repetition to the next.
const MEMORY_TTL: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
struct Source {
    /// Bytes that came and were not yet answered with as many.
    credit: usize,
    replies: u32,
    /// When the current second of replies began.
    second: Instant,
    seen: Instant,
}

/// All strangers together.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    sources: HashMap<IpAddr, Source>,
    tidied: Option<Instant>,
}

impl Budget {
    /// A stranger sent `received` bytes. May it have an answer of `reply` bytes?
    pub(crate) fn allows(&mut self, now: Instant, source: IpAddr, received: usize, reply: usize) -> bool {
        let source = one_source(source);
        if !self.sources.contains_key(&source) && !self.has_room(now) {
            return false;
        }
        let fresh = Source { credit: 0, replies: 0, second: now, seen: now };
        let source = self.sources.entry(source).or_insert(fresh);
        source.seen = now;
        source.credit = source.credit.saturating_add(received);
        if now.saturating_duration_since(source.second) >= SECOND {
            (source.second, source.replies) = (now, 0);
        }
        let allowed = source.credit >= reply && source.replies < MAX_REPLIES;
        if allowed {
            source.credit -= reply;
            source.replies += 1;
        }
        allowed
    }

    fn has_room(&mut self, now: Instant) -> bool {
        let tidied = self.tidied.is_some_and(|tidied| now.saturating_duration_since(tidied) < SECOND);
        if self.sources.len() >= MAX_SOURCES && !tidied {
            self.tidied = Some(now);
            self.sources.retain(|_, source| now.saturating_duration_since(source.seen) < MEMORY_TTL);
        }
        self.sources.len() < MAX_SOURCES
    }
}

/// With IPv6, whoever has one address has 2^64 (RFC 4291 section 2.5.1).
fn one_source(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: usize = 52;

    #[test]
    fn a_source_gets_no_more_bytes_than_it_sent() {
        let (mut budget, now) = (Budget::default(), Instant::now());
        let source = IpAddr::from([192, 0, 2, 1]);
        assert!(!budget.allows(now, source, 28, REPLY), "the first is too short");
        assert!(budget.allows(now, source, 28, REPLY), "with its repetition it is enough");
        assert!(!budget.allows(now, source, 28, REPLY));
    }

    #[test]
    fn a_source_gets_ten_answers_a_second() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        let source = IpAddr::from([192, 0, 2, 1]);
        let answers = |budget: &mut Budget, now| (0..1000).filter(|_| budget.allows(now, source, 100, REPLY)).count();
        assert_eq!(answers(&mut budget, start), 10);
        assert_eq!(answers(&mut budget, start + SECOND / 2), 0);
        assert_eq!(answers(&mut budget, start + SECOND), 10);
    }

    #[test]
    fn a_flood_of_sources_is_remembered_within_bounds() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        for number in 0..100_000u32 {
            budget.allows(start, IpAddr::from(number.to_be_bytes()), 100, REPLY);
        }
        assert_eq!(budget.sources.len(), MAX_SOURCES);
        let newcomer = IpAddr::from([255, 255, 255, 1]);
        assert!(!budget.allows(start, newcomer, 100, REPLY));
        assert!(budget.allows(start + MEMORY_TTL, newcomer, 100, REPLY), "the flood is forgotten");
    }
}
