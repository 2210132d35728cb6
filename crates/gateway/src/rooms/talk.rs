//! What a room's task does about its chat and its moderators: what is said or ordered goes to the store, and only what is
//! there is told.
//!
//! The task never waits for the store. What was given to it is finished in the order in which it was given, so that
//! everybody hears it in the order of the log.

use super::chat_dialect::ChatChange;
use super::limits::MAX_WORK;
use super::orders::{self, Scope};
use super::task::{RoomTask, answer};
use crate::clock::now;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use room::participant::DisconnectReason;
use room::{Banned, ChatMessage, ChatPost, ChatRefused, Moderation, ModerationError, Notice, RoomInput};
use std::net::IpAddr;
use std::sync::Arc;
use store::{Appended, StoreError};
use tokio::sync::oneshot;

/// What a post is answered.
pub type ChatAnswer = Result<Arc<ChatMessage>, ChatRefused>;

/// What a moderator is answered.
pub type Moderated = Result<(), ModerationError>;

/// What the store was given, in its order.
#[derive(Debug, Default)]
pub(super) struct Work(FuturesOrdered<BoxFuture<'static, Done>>);

/// What the store has done.
#[derive(Debug)]
pub(super) enum Done {
    /// It was said.
    Said { message: Arc<ChatMessage>, appended: Result<(Appended, u64), StoreError>, heard: Heard },
    /// A moderator's request.
    Moderated { request: Moderation, done: Result<(), StoreError>, reply: oneshot::Sender<Moderated> },
}

type Reply = oneshot::Sender<ChatAnswer>;

/// Who has heard a message before it is stored.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nobody; its author is answered.
    ByNobody(Reply),
    /// Those who hear data packets.
    InDataPackets,
}

impl Work {
    /// More waits than may.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_WORK
    }

    fn add(&mut self, work: impl Future<Output = Done> + Send + 'static) {
        self.0.push_back(Box::pin(work));
    }

    /// The next that is done; never, while there is none.
    pub(super) async fn next(&mut self) -> Done {
        match self.0.next().await {
            Some(done) => done,
            None => std::future::pending().await,
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl RoomTask {
    /// What was said about this room and in it before it began. Without it the room is as if nothing had been.
    pub(super) async fn remember(&mut self) {
        self.house.load().await;
        match orders::of_room(&**self.house.store(), self.room.name()).await {
            Ok(orders) => self.room.restore(orders),
            Err(error) => {
                tracing::error!(%error, "a room's bans and chat rules could not be read: it begins without them")
            }
        }
        if let Err(error) = self.chat.load().await {
            tracing::error!(%error, "a room's chat could not be read: it begins empty");
        }
    }

    /// Is somebody barred from this room, or from the house?
    pub(super) fn bars(&self, identity: Option<&room::Identity>, address: Option<IpAddr>) -> bool {
        self.house.bars(identity, address) || self.room.bans().bars(identity, address)
    }

    /// The store has more to do for this room than may wait.
    pub(super) fn has_too_much_work(&self) -> bool {
        self.work.is_full()
    }

    /// Somebody of any origin says something; they are answered when it is stored.
    pub(super) fn say(&mut self, post: ChatPost, reply: Reply) {
        if self.work.is_full() {
            return answer(reply, Err(ChatRefused::Overloaded));
        }
        if self.house.bars(Some(&post.author), None) {
            return answer(reply, Err(ChatRefused::Banned));
        }
        match self.room.say(now(), post) {
            Ok(message) => self.store(message, Heard::ByNobody(reply)),
            Err(refused) => answer(reply, Err(refused)),
        }
    }

    pub(super) fn store(&mut self, message: ChatMessage, heard: Heard) {
        let message = Arc::new(message);
        let appending = self.chat.append(message.clone());
        self.work.add(async move { Done::Said { message, appended: appending.await, heard } });
    }

    /// A moderator asks. What holds is in force at once, and answered when it is stored.
    pub(super) async fn moderate(&mut self, request: Moderation, reply: oneshot::Sender<Moderated>) {
        if self.work.is_full() {
            return answer(reply, Err(ModerationError::Full));
        }
        if matches!(&request, Moderation::DeleteMessage { id } if !self.chat.has(id)) {
            return answer(reply, Err(ModerationError::NotFound));
        }
        if let Err(refused) = self.room.moderate(now(), &request) {
            return answer(reply, Err(refused));
        }
        self.carry_out().await;
        if let Moderation::Ban(banned) = &request {
            self.expel(banned).await;
        }
        self.keep(request, reply);
    }

    fn keep(&mut self, request: Moderation, reply: oneshot::Sender<Moderated>) {
        let keeping: BoxFuture<'static, _> = match &request {
            Moderation::DeleteMessage { id } => Box::pin(self.chat.remove(id)),
            Moderation::ClearChat => Box::pin(self.chat.clear()),
            order => {
                let store = Arc::clone(self.house.store());
                let changes = orders::change(Scope::Room(self.room.name()), order).into_iter().collect();
                Box::pin(async move { store.commit(changes).await.map(drop) })
            }
        };
        self.work.add(async move { Done::Moderated { request, done: keeping.await, reply } });
    }

    /// Those who are there and may not be.
    pub(super) async fn expel(&mut self, banned: &Banned) {
        let mut list = room::moderation::BanList::default();
        // One fits.
        let _ = list.add(banned.clone());
        let barred = self.seats.iter().filter(|(session, seat)| {
            let identity = self.room.identity_of(**session);
            list.bars(identity, seat.address)
        });
        let barred: Vec<_> = barred.map(|(session, _)| *session).collect();
        for session in barred {
            self.handle(RoomInput::Leave { session, reason: DisconnectReason::ParticipantRemoved }).await;
        }
    }

    /// The store has done something: everybody is told, then whoever asked.
    pub(super) async fn finish(&mut self, done: Done) {
        match done {
            Done::Said { message, appended, heard } => {
                let said = self.finish_said(message, appended);
                let Heard::ByNobody(reply) = heard else { return };
                if let Ok(message) = &said {
                    self.tell_in_packets(message).await;
                }
                answer(reply, said);
            }
            Done::Moderated { request, done, reply } => {
                let moderated = self.finish_moderated(request, done).await;
                answer(reply, moderated);
            }
        }
    }

    fn finish_said(&mut self, message: Arc<ChatMessage>, appended: Result<(Appended, u64), StoreError>) -> ChatAnswer {
        match appended {
            Ok((appended, bytes)) => {
                self.chat.keep(appended.sequence, bytes, message.clone());
                self.notify(&Notice::Chat(message.clone()));
                Ok(message)
            }
            Err(error) => {
                metrics::counter!("odeon_chat_not_stored_total").increment(1);
                tracing::debug!(%error, "a chat message was not stored");
                self.room.unsay(&message.author);
                Err(ChatRefused::Overloaded)
            }
        }
    }

    async fn finish_moderated(&mut self, request: Moderation, done: Result<(), StoreError>) -> Moderated {
        if let Err(error) = done {
            tracing::warn!(%error, "a moderator's request could not be stored");
            return Err(ModerationError::NotKept);
        }
        match request {
            Moderation::DeleteMessage { id } => {
                self.chat.forget(&id);
                self.tell_change_in_packets(ChatChange::Deleted(&id)).await;
                self.notify(&Notice::ChatDeleted { id: id.into() });
            }
            Moderation::ClearChat => {
                self.chat.forget_all();
                self.tell_change_in_packets(ChatChange::Cleared).await;
                self.notify(&Notice::ChatCleared);
            }
            _ => {}
        }
        Ok(())
    }

    /// Waits for everything that the store was given.
    pub(super) async fn finish_all(&mut self) {
        while !self.work.is_empty() {
            let done = self.work.next().await;
            self.finish(done).await;
        }
    }
}
