//! Forwarding (L-55): somebody of one room is shown in another, with the tracks that they publish. Their media stays where
//! it is: shards know tracks by their sids, so whoever receives one over there is one receiver more of the same track, on
//! this shard or by a relay.
//!
//! It lasts until they leave their own room, are removed from the other, or one of the rooms ends.

use super::access::Credential;
use super::followers::{Followed, NotFollowed};
use super::handle::{JoinTicket, SessionHandle};
use super::outbox::OutboxReceiver;
use super::registry::{JoinError, Registry};
use room::input::{Join, Mirrored};
use room::media::{AudioLevel, ConnectionMode, MediaEvent};
use room::participant::DisconnectReason;
use room::{Identity, RoomInput, SessionId};

/// Why somebody was not forwarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ForwardError {
    /// There is no such room.
    #[error("requested room does not exist")]
    NoRoom,
    /// They are not in it.
    #[error("participant does not exist")]
    NotThere,
    /// Somebody without WebRTC.
    #[error("the participant has no media to forward")]
    NoMedia,
    /// They are forwarded to as many rooms as may be.
    #[error("the participant is forwarded to as many rooms as may be")]
    TooMany,
    /// The other room doesn't take them.
    #[error(transparent)]
    Refused(#[from] JoinError),
}

impl From<NotFollowed> for ForwardError {
    fn from(why: NotFollowed) -> Self {
        match why {
            NotFollowed::NotThere => Self::NotThere,
            NotFollowed::NoMedia => Self::NoMedia,
            NotFollowed::TooMany => Self::TooMany,
        }
    }
}

impl Registry {
    /// Shows somebody of `room` in `destination` too. They and their tracks are there when it returns.
    ///
    /// # Errors
    /// Says why not.
    pub async fn forward(&self, room: &str, identity: Identity, destination: &str) -> Result<(), ForwardError> {
        let source = self.find(room).ok_or(ForwardError::NoRoom)?;
        let followed = source.follow(identity).await.map_err(|_| ForwardError::NoRoom)??;
        let join = join(self.next_session(), &followed.state.borrow());
        let hidden = join.permission.is_hidden();
        let ticket = JoinTicket { join, credential: Credential::Token, address: None, config: None };
        let (handle, outbox) = self.join(destination, ticket).await?;
        let home = followed.home;
        let mut shown = Forward { handle, followed, hidden };
        let begun = shown.handle.borrow(home).await.is_ok() && shown.show().await;
        if !begun {
            return Err(JoinError::Gone.into());
        }
        tokio::spawn(shown.run(outbox));
        Ok(())
    }
}

/// Their place in the other room.
struct Forward {
    handle: SessionHandle,
    followed: Followed,
    /// As they came.
    hidden: bool,
}

impl Forward {
    async fn run(mut self, mut outbox: OutboxReceiver) {
        loop {
            let goes_on = tokio::select! {
                // What happens over there is nobody's business here but its end.
                event = outbox.recv() => event.is_some(),
                changed = self.followed.state.changed() => changed.is_ok() && self.show().await,
                heard = self.followed.levels.changed() => heard.is_ok() && self.sound().await,
            };
            if !goes_on {
                break;
            }
        }
        self.handle.leave(DisconnectReason::ClientInitiated).await;
    }

    /// Tells the other room how they are now. False: no more. Somebody who is hidden from now on, or no longer, would have
    /// to come or go over there.
    async fn show(&mut self) -> bool {
        let mirrored = self.followed.state.borrow_and_update().clone();
        let hidden = mirrored.participant.permission.is_hidden();
        if hidden != self.hidden {
            return false;
        }
        let session = self.handle.id();
        self.handle.send(RoomInput::Mirror { session, mirrored: Box::new(mirrored) }).await.is_ok()
    }

    async fn sound(&mut self) -> bool {
        let session = self.handle.id();
        let levels = self.followed.levels.borrow_and_update().clone();
        let levels = levels.into_iter().map(|level| AudioLevel { session, ..level }).collect();
        self.handle.send(RoomInput::Media(MediaEvent::Levels { levels })).await.is_ok()
    }
}

fn join(session: SessionId, mirrored: &Mirrored) -> Join {
    let there = &mirrored.participant;
    Join {
        name: there.name.clone(),
        metadata: there.metadata.clone(),
        attributes: there.attributes.clone(),
        kind: there.kind,
        client: there.client.clone(),
        mode: ConnectionMode::Elsewhere,
        ..Join::without_media(session, there.identity.clone(), there.permission.clone())
    }
}
