//! Which part of a file is asked for (RFC 9110, 14.2).

use std::ops::RangeInclusive;

/// What is to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// All of it; also where several parts are asked for, which no player does.
    Whole,
    /// These bytes (206).
    Part(RangeInclusive<u64>),
    /// There are no such bytes (416).
    Nothing,
}

/// Reads a `Range` header for a file of `length` bytes. What is no range of bytes is as if it were not there.
pub fn parse(header: Option<&str>, length: u64) -> Wanted {
    let spec = header.and_then(|header| header.trim().strip_prefix("bytes="));
    let Some((first, last)) = spec.and_then(|spec| spec.split_once('-')) else {
        return Wanted::Whole;
    };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        (None, Some(count)) if first.is_empty() => part(length.saturating_sub(count), u64::MAX, length),
        (Some(from), None) if last.is_empty() => part(from, u64::MAX, length),
        (Some(from), Some(to)) if from <= to => part(from, to, length),
        _ => Wanted::Whole,
    }
}

fn part(from: u64, to: u64, length: u64) -> Wanted {
    match length.checked_sub(1) {
        Some(end) if from <= end => Wanted::Part(from..=to.min(end)),
        _ => Wanted::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // C-19: range requests.
    #[test]
    fn c_19_a_part_of_a_file_is_what_players_ask_for() {
        let wanted = |header| parse(Some(header), 100);
        assert_eq!(wanted("bytes=0-"), Wanted::Part(0..=99));
        assert_eq!(wanted("bytes=10-19"), Wanted::Part(10..=19));
        assert_eq!(wanted("bytes=90-1000"), Wanted::Part(90..=99));
        assert_eq!(wanted("bytes=-30"), Wanted::Part(70..=99));
        assert_eq!(wanted("bytes=-300"), Wanted::Part(0..=99));
        assert_eq!(wanted("bytes=100-"), Wanted::Nothing);
        for whole in ["", "bytes=", "bytes=-", "items=0-1", "bytes=5-1", "bytes=0-1,5-6", "bytes=+1-2", "bytes=x-"] {
            assert_eq!(wanted(whole), Wanted::Whole, "{whole}");
        }
        assert_eq!(parse(None, 100), Wanted::Whole);
        assert_eq!(parse(Some("bytes=0-"), 0), Wanted::Nothing);
        assert_eq!(wanted("bytes=99999999999999999999-"), Wanted::Whole);
    }
}
