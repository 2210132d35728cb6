//! Other rooms that show somebody of this one. A room's task never waits for another: it leaves the newest state where
//! the follower finds it.

use super::limits::MAX_FORWARDS;
use net::pool::MediaHome;
use room::input::Mirrored;
use room::media::{AudioLevel, MediaEvent};
use room::{Room, SessionId};
use std::collections::HashMap;
use tokio::sync::watch;

/// Why somebody can't be followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotFollowed {
    /// They are not in the room.
    NotThere,
    /// They have no media (somebody of the bus).
    NoMedia,
    /// As many rooms as may be show them already.
    TooMany,
}

/// The follower's end. When `state` is closed they have left.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) home: MediaHome,
    pub(super) state: watch::Receiver<Mirrored>,
    /// Of the last window in which they were heard.
    pub(super) levels: watch::Receiver<Vec<AudioLevel>>,
}

#[derive(Debug)]
struct Follower {
    state: watch::Sender<Mirrored>,
    levels: watch::Sender<Vec<AudioLevel>>,
}

/// All followers of a room's people.
#[derive(Debug, Default)]
pub(super) struct Followers(HashMap<SessionId, Vec<Follower>>);

impl Followers {
    pub(super) fn add(
        &mut self,
        session: SessionId,
        home: MediaHome,
        mirrored: Mirrored,
    ) -> Result<Followed, NotFollowed> {
        let followers = self.0.entry(session).or_default();
        followers.retain(|follower| !follower.state.is_closed());
        if followers.len() >= MAX_FORWARDS {
            return Err(NotFollowed::TooMany);
        }
        let (state, followed_state) = watch::channel(mirrored);
        let (levels, followed_levels) = watch::channel(Vec::new());
        followers.push(Follower { state, levels });
        Ok(Followed { home, state: followed_state, levels: followed_levels })
    }

    /// After every change of the room.
    pub(super) fn tell(&mut self, room: &Room) {
        self.0.retain(|session, followers| {
            let Some(now) = room.mirrored(*session) else { return false };
            followers.retain(|follower| !follower.state.is_closed());
            for follower in followers.iter() {
                follower.state.send_if_modified(|known| {
                    let changed = !known.is(&now);
                    known.clone_from(&now);
                    changed
                });
            }
            !followers.is_empty()
        });
    }

    /// How loud they are: the newest counts.
    pub(super) fn hear(&self, event: &MediaEvent) {
        let MediaEvent::Levels { levels } = event else { return };
        for (session, followers) in &self.0 {
            let theirs: Vec<_> = levels.iter().filter(|level| level.session == *session).cloned().collect();
            if theirs.is_empty() {
                continue;
            }
            for follower in followers {
                follower.levels.send_replace(theirs.clone());
            }
        }
    }
}
