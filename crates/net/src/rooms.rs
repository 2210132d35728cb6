//! The ways from a shard back to the room tasks.

use room::media::MediaEvent;
use sfu::RoomKey;
use std::collections::{HashMap, VecDeque};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// A room's inbox and what found no place in it.
#[derive(Debug)]
struct Link {
    events: Sender<MediaEvent>,
    backlog: VecDeque<MediaEvent>,
}

/// All rooms with peers on this shard.
#[derive(Debug, Default)]
pub(crate) struct RoomLinks(HashMap<RoomKey, Link>);

impl RoomLinks {
    /// Events of this room go there.
    pub(crate) fn open(&mut self, room: RoomKey, events: &Sender<MediaEvent>) {
        self.0.entry(room).or_insert_with(|| Link { events: events.clone(), backlog: VecDeque::new() });
    }

    /// Tells a room. Life-cycle events wait when its inbox is full; levels and quality are dropped, newer ones follow.
    /// So are answers to calls: a client may say the same one as often as it likes, and whoever waits gives up in time.
    /// And so is chat: what a room has no place for is not kept.
    pub(crate) fn send(&mut self, room: RoomKey, event: MediaEvent) {
        let Some(link) = self.0.get_mut(&room) else { return };
        let passing = matches!(
            event,
            MediaEvent::Levels { .. }
                | MediaEvent::Quality { .. }
                | MediaEvent::CallAnswered { .. }
                | MediaEvent::Overheard { .. }
        );
        if !link.backlog.is_empty() {
            if !passing {
                link.backlog.push_back(event);
            }
            return;
        }
        if let Err(TrySendError::Full(event)) = link.events.try_send(event)
            && !passing
        {
            link.backlog.push_back(event);
        }
    }

    /// Tries again what had to wait. True: something still waits.
    pub(crate) fn retry(&mut self) -> bool {
        let mut waiting = false;
        for link in self.0.values_mut() {
            while let Some(event) = link.backlog.pop_front() {
                if let Err(TrySendError::Full(event)) = link.events.try_send(event) {
                    link.backlog.push_front(event);
                    waiting = true;
                    break;
                }
            }
        }
        waiting
    }

    /// Forgets rooms that have ended.
    pub(crate) fn tidy(&mut self) {
        self.0.retain(|_, link| !link.events.is_closed());
    }
}
