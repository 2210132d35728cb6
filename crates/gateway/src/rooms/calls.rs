//! Calls to participants that a backend waits for (RoomService.PerformRpc): what the shards hear goes to whoever asked.

use room::SessionId;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Calls in one room that may be open at a time: each is a waiting request of a backend, which gives up by itself.
const MAX_OPEN_CALLS: usize = 1_024;

/// Answers of one call that may wait: there is one acknowledgement and one response.
const MAX_ANSWERS: usize = 4;

/// A call to one participant.
#[derive(Clone, Debug)]
pub struct Call {
    /// Names it in the answers; nobody else's.
    pub id: String,
    /// The request, in the receiver's dialect.
    pub packet: Arc<[u8]>,
}

/// What comes back, as the participant's dialect writes it. It ends when the participant leaves.
pub type Answers = mpsc::Receiver<Arc<[u8]>>;

/// A room's open calls.
#[derive(Debug, Default)]
pub(super) struct Calls(HashMap<String, OpenCall>);

#[derive(Debug)]
struct OpenCall {
    session: SessionId,
    answers: mpsc::Sender<Arc<[u8]>>,
}

impl Calls {
    /// `None`: too many are open.
    pub(super) fn open(&mut self, id: &str, session: SessionId) -> Option<Answers> {
        self.0.retain(|_, call| !call.answers.is_closed());
        if self.0.len() >= MAX_OPEN_CALLS {
            return None;
        }
        let (answers, receiver) = mpsc::channel(MAX_ANSWERS);
        self.0.insert(id.to_owned(), OpenCall { session, answers });
        Some(receiver)
    }

    /// Whoever asked may have given up; and who answers more than twice isn't heard.
    pub(super) fn answered(&mut self, id: &str, session: SessionId, packet: Arc<[u8]>) {
        if let Some(call) = self.0.get(id).filter(|call| call.session == session) {
            drop(call.answers.try_send(packet));
        }
    }

    /// Ends the calls to those who have left.
    pub(super) fn keep(&mut self, is_there: impl Fn(SessionId) -> bool) {
        self.0.retain(|_, call| is_there(call.session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(byte: u8) -> Arc<[u8]> {
        vec![byte].into()
    }

    #[tokio::test]
    async fn answers_of_whom_was_called_reach_who_asked() {
        let mut calls = Calls::default();
        let mut answers = calls.open("a", SessionId(1)).expect("room for it");
        calls.answered("a", SessionId(2), packet(9));
        calls.answered("b", SessionId(1), packet(9));
        calls.answered("a", SessionId(1), packet(1));
        assert_eq!(answers.recv().await, Some(packet(1)));
        calls.keep(|session| session != SessionId(1));
        assert_eq!(answers.recv().await, None, "it has left");
    }

    #[test]
    fn calls_are_bounded_and_those_given_up_make_room() {
        let mut calls = Calls::default();
        let mut open: Vec<_> = (0..MAX_OPEN_CALLS).filter_map(|id| calls.open(&id.to_string(), SessionId(1))).collect();
        assert_eq!(open.len(), MAX_OPEN_CALLS);
        assert!(calls.open("more", SessionId(1)).is_none());
        open.pop();
        assert!(calls.open("more", SessionId(1)).is_some());
    }
}
