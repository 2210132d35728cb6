//! One client's chat on its way to the others: what the room forbids goes no further, and what passes the room overhears.

use room::media::{ChatPart, DataSender};
use std::collections::VecDeque;
use std::time::Instant;

/// Streams of one client that are told apart at a time; of more, the oldest counts as something else than chat.
const MAX_STREAMS: usize = 8;

/// What is to be done with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It is no chat.
    Other,
    /// It passes, and the room hears of it.
    Passes,
    /// It goes nowhere.
    Refused,
}

/// One client's chat.
#[derive(Debug, Default)]
pub(crate) struct ChatGate {
    /// Streams of chat that have begun and not ended, and whether they pass.
    streams: VecDeque<(String, bool)>,
    last: Option<Instant>,
}

impl ChatGate {
    /// Judges a packet of theirs.
    pub(crate) fn judge(&mut self, now: Instant, sender: &DataSender, part: Option<&ChatPart>) -> Verdict {
        match part {
            // Nobody knows that the hidden are there, and so the log does not either.
            None => Verdict::Other,
            Some(_) if sender.hidden => Verdict::Other,
            Some(ChatPart::Whole) => verdict(self.admit(now, sender)),
            Some(ChatPart::Begins { stream }) => {
                let passes = self.admit(now, sender);
                self.open(stream, passes);
                verdict(passes)
            }
            Some(ChatPart::GoesOn { stream, last }) => self.go_on(stream, *last),
        }
    }

    fn admit(&mut self, now: Instant, sender: &DataSender) -> bool {
        let waits = self.last.is_some_and(|last| now.saturating_duration_since(last) < sender.chat_apart);
        if sender.silenced || waits {
            return false;
        }
        self.last = Some(now);
        true
    }

    fn open(&mut self, stream: &str, passes: bool) {
        self.streams.retain(|(known, _)| known != stream);
        if self.streams.len() >= MAX_STREAMS {
            self.streams.pop_front();
        }
        self.streams.push_back((stream.to_owned(), passes));
    }

    fn go_on(&mut self, stream: &str, last: bool) -> Verdict {
        let Some(at) = self.streams.iter().position(|(known, _)| known == stream) else { return Verdict::Other };
        let passes = self.streams.get(at).is_some_and(|(_, passes)| *passes);
        if last {
            self.streams.remove(at);
        }
        verdict(passes)
    }
}

fn verdict(passes: bool) -> Verdict {
    if passes { Verdict::Passes } else { Verdict::Refused }
}

#[cfg(test)]
mod tests {
    use super::*;
    use room::{Identity, ParticipantSid};
    use std::time::Duration;

    fn sender() -> DataSender {
        DataSender::new(ParticipantSid::new("PA_1"), Identity::token("alice"))
    }

    fn begins(stream: &str) -> Option<ChatPart> {
        Some(ChatPart::Begins { stream: stream.into() })
    }

    fn goes_on(stream: &str, last: bool) -> Option<ChatPart> {
        Some(ChatPart::GoesOn { stream: stream.into(), last })
    }

    #[test]
    fn a_stream_that_began_as_chat_is_chat_to_its_end_and_others_are_not() {
        let (mut gate, now, sender) = (ChatGate::default(), Instant::now(), sender());
        let mut judge = |part: Option<ChatPart>| gate.judge(now, &sender, part.as_ref());
        assert_eq!(judge(goes_on("file", false)), Verdict::Other);
        assert_eq!(judge(begins("words")), Verdict::Passes);
        assert_eq!(judge(goes_on("words", false)), Verdict::Passes);
        assert_eq!(judge(goes_on("words", true)), Verdict::Passes);
        assert_eq!(judge(goes_on("words", false)), Verdict::Other, "it has ended");
        assert_eq!(judge(None), Verdict::Other);
    }

    #[test]
    fn who_is_silenced_is_heard_by_nobody_whatever_they_began_before() {
        let (mut gate, now) = (ChatGate::default(), Instant::now());
        let silenced = DataSender { silenced: true, ..sender() };
        assert_eq!(gate.judge(now, &sender(), begins("before").as_ref()), Verdict::Passes);
        assert_eq!(gate.judge(now, &silenced, Some(&ChatPart::Whole)), Verdict::Refused);
        assert_eq!(gate.judge(now, &silenced, begins("words").as_ref()), Verdict::Refused);
        assert_eq!(gate.judge(now, &sender(), goes_on("words", true).as_ref()), Verdict::Refused, "without its head");
        assert_eq!(gate.judge(now, &sender(), Some(&ChatPart::Whole)), Verdict::Passes);
    }

    #[test]
    fn slow_mode_holds_between_messages_and_not_within_one() {
        let (mut gate, now) = (ChatGate::default(), Instant::now());
        let slow = DataSender { chat_apart: Duration::from_secs(10), ..sender() };
        assert_eq!(gate.judge(now, &slow, begins("one").as_ref()), Verdict::Passes);
        assert_eq!(gate.judge(now, &slow, goes_on("one", true).as_ref()), Verdict::Passes);
        let soon = now + Duration::from_secs(9);
        assert_eq!(gate.judge(soon, &slow, Some(&ChatPart::Whole)), Verdict::Refused);
        let later = now + Duration::from_secs(10);
        assert_eq!(gate.judge(later, &slow, Some(&ChatPart::Whole)), Verdict::Passes);
    }

    #[test]
    fn a_flood_of_streams_is_bounded() {
        let (mut gate, now, sender) = (ChatGate::default(), Instant::now(), sender());
        for number in 0..100 {
            gate.judge(now, &sender, begins(&format!("stream {number}")).as_ref());
        }
        assert_eq!(gate.streams.len(), MAX_STREAMS);
    }
}
