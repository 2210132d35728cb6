//! What a worker is to be told: bounded, and never waited for.

use tokio::sync::mpsc;
use wire::livekit::proto::ServerMessage;

/// Messages that wait for one worker's socket: it answers each offer, so a worker with so many unread is broken.
const MAX_WAITING_MESSAGES: usize = 1_024;

/// Where the model puts them.
#[derive(Debug)]
pub(super) struct Outbox(mpsc::Sender<ServerMessage>);

/// Where the socket takes them.
pub(super) type OutboxReceiver = mpsc::Receiver<ServerMessage>;

pub(super) fn outbox() -> (Outbox, OutboxReceiver) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING_MESSAGES);
    (Outbox(sender), receiver)
}

impl Outbox {
    /// What finds no place is dropped: an offer times out and goes to another worker.
    pub(super) fn put(&self, message: ServerMessage) {
        if self.0.try_send(message).is_err() {
            metrics::counter!("odeon_agent_messages_dropped_total").increment(1);
        }
    }
}
