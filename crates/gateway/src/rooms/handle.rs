//! The ways into a room's task: for a session, for the API.

use super::access::Credential;
use super::calls::{Answers, Call};
use super::declared::Declaration;
use super::followers::{Followed, NotFollowed};
use super::outbox::{OutboxReceiver, outbox};
use super::registry::JoinError;
use super::talk::{ChatAnswer, Moderated};
use super::task::{OrdersInForce, Request};
use net::pool::MediaHome;
use room::effect::RoomInfo;
use room::input::Join;
use room::media::ConnectionMode;
use room::participant::{DisconnectReason, Participant};
use room::{
    AdminError, AdminRequest, Banned, ChatMessage, ChatPost, Identity, Moderation, ParticipantSid, RoomConfig,
    RoomInput, SessionId,
};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// The socket that a session joins by.
pub(super) const FIRST_SOCKET: u32 = 0;

/// The room has ended; look for a new one of its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the room has ended")]
pub struct RoomGone;

/// A join, and what it has to show for it.
#[derive(Clone, Debug)]
pub struct JoinTicket {
    /// Who and how.
    pub join: Join,
    /// By what right.
    pub credential: Credential,
    /// Where their client is, so far as it is known: for bans.
    pub address: Option<IpAddr>,
    /// What the room is made with, if this join makes it; `None`: the registry's own.
    pub config: Option<Box<RoomConfig>>,
}

/// Why nobody could be called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallRefused {
    /// There is no such participant.
    #[error("participant does not exist")]
    NotThere,
    /// As many calls as may be are open.
    #[error("too many calls are open")]
    TooMany,
}

/// A session that a client wants to go on with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResumeTicket {
    /// Who, by their token.
    pub identity: Identity,
    /// The sid that they had.
    pub sid: ParticipantSid,
    /// By what right: the same as they joined by.
    pub credential: Credential,
}

/// A session that goes on.
#[derive(Debug)]
pub struct Resumption {
    /// Its voice from now on; the old one is not heard any more.
    pub handle: SessionHandle,
    /// As it joined.
    pub mode: ConnectionMode,
}

/// A data packet made by the server, for some or for everybody.
#[derive(Clone, Debug)]
pub struct DataMessage {
    /// `_reliable` or `_lossy`.
    pub reliable: bool,
    /// In the receivers' dialect.
    pub packet: Arc<[u8]>,
    /// To these; with no identities and no sids: to everybody.
    pub identities: Vec<Identity>,
    /// And to these.
    pub sids: Vec<ParticipantSid>,
}

/// A room, for as long as it lives. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    requests: mpsc::Sender<Request>,
}

impl RoomHandle {
    pub(super) fn new(requests: mpsc::Sender<Request>) -> Self {
        Self { requests }
    }

    /// Comes in. Whatever happens to the caller from here on, the room learns of it by the handle's end.
    ///
    /// # Errors
    /// Says why not; [`JoinError::Gone`] if the room has ended.
    pub(super) async fn join(&self, ticket: JoinTicket) -> Result<(SessionHandle, OutboxReceiver), JoinError> {
        let (outbox, receiver) = outbox();
        // Before the request: if the caller is cancelled while it waits, the room still learns that nobody is there.
        let session = SessionHandle::new(ticket.join.session, FIRST_SOCKET, self.requests.clone());
        let ticket = Box::new(ticket);
        self.ask(|reply| Request::Join { ticket, outbox, reply }).await.map_err(|RoomGone| JoinError::Gone)??;
        Ok((session, receiver))
    }

    /// Goes on with a session on a new socket; `None` if there is no such session any more. The first event in the outbox
    /// is `Resumed`, or `Leave`; the old socket is closed without a word.
    pub(super) async fn resume(&self, ticket: ResumeTicket) -> Option<(Resumption, OutboxReceiver)> {
        let (outbox, receiver) = outbox();
        let requests = self.requests.clone();
        // The handle is made over there: if the caller is gone by then, dropping it tells the room.
        let resumed = self.ask(|reply| Request::Resume { ticket, outbox, requests, reply }).await.ok()??;
        Some((resumed, receiver))
    }

    /// The room as it is.
    ///
    /// # Errors
    /// It has ended.
    pub async fn info(&self) -> Result<RoomInfo, RoomGone> {
        self.ask(Request::Info).await
    }

    /// Everybody, the hidden too, in order of joining.
    ///
    /// # Errors
    /// It has ended.
    pub async fn participants(&self) -> Result<Vec<Arc<Participant>>, RoomGone> {
        self.ask(Request::Participants).await
    }

    /// One of them.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn participant(&self, identity: Identity) -> Result<Option<Arc<Participant>>, RoomGone> {
        self.ask(|reply| Request::Participant { identity, reply }).await
    }

    /// Removes somebody; false if they are not there.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn remove(&self, identity: Identity) -> Result<bool, RoomGone> {
        self.ask(|reply| Request::Remove { identity, reply }).await
    }

    /// Carries out what an administrator asks; everybody has been told when it returns.
    ///
    /// # Errors
    /// The room has ended; inside, why the request was not carried out.
    pub async fn administer(&self, request: AdminRequest) -> Result<Result<(), AdminError>, RoomGone> {
        self.ask(|reply| Request::Administer { request: Box::new(request), reply }).await
    }

    /// Says something, for somebody who need not be in the room. Everybody has been told, and it is stored, when it
    /// returns.
    ///
    /// # Errors
    /// The room has ended: look for a new one. Inside, why it was not said.
    pub async fn chat(&self, post: ChatPost) -> Result<ChatAnswer, RoomGone> {
        self.chat_by(Credential::Token, post).await
    }

    /// The same by somebody who has this to show.
    ///
    /// # Errors
    /// The room has ended, or is not for them. Inside, why it was not said.
    pub async fn chat_by(&self, credential: Credential, post: ChatPost) -> Result<ChatAnswer, RoomGone> {
        self.ask(|reply| Request::Say { post: Box::new(post), credential, reply }).await
    }

    /// The newest of what was said, oldest first. All of it has been told to the watchers, and what is told later is not
    /// in it.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn chat_history(&self, limit: usize) -> Result<Vec<Arc<ChatMessage>>, RoomGone> {
        self.ask(|reply| Request::ChatHistory { limit, reply }).await
    }

    /// Carries out what a moderator asks; it is stored when it returns.
    ///
    /// # Errors
    /// The room has ended. Inside, why it was not carried out.
    pub async fn moderate(&self, request: Moderation) -> Result<Moderated, RoomGone> {
        self.ask(|reply| Request::Moderate { request: Box::new(request), reply }).await
    }

    /// What moderators have said of it.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn orders(&self) -> Result<OrdersInForce, RoomGone> {
        self.ask(Request::Orders).await
    }

    /// Where somebody who is there comes from, if it is known.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn address_of(&self, identity: Identity) -> Result<Option<IpAddr>, RoomGone> {
        self.ask(|reply| Request::AddressOf { identity, reply }).await
    }

    /// Somebody's state from now on, and how loud they are, for another room.
    pub(super) async fn follow(&self, identity: Identity) -> Result<Result<Followed, NotFollowed>, RoomGone> {
        self.ask(|reply| Request::Follow { identity, reply }).await
    }

    /// Would somebody get in?
    pub(super) async fn knock(
        &self,
        credential: Credential,
        address: Option<IpAddr>,
    ) -> Result<Result<(), JoinError>, RoomGone> {
        self.ask(|reply| Request::Knock { credential, address, reply }).await
    }

    /// Those whom the house has banned go; they have been told when it returns.
    pub(super) async fn expel(&self, banned: Banned) -> Result<(), RoomGone> {
        self.ask(|reply| Request::Expel { banned, reply }).await
    }

    /// Ends the room; everybody has been told when it returns.
    ///
    /// # Errors
    /// It had ended already.
    pub async fn delete(&self) -> Result<(), RoomGone> {
        self.ask(|reply| Request::End { input: RoomInput::Delete, reply }).await
    }

    /// Ends the room because the server goes down.
    pub(super) async fn shutdown(&self) -> Result<(), RoomGone> {
        self.ask(|reply| Request::End { input: RoomInput::Shutdown, reply }).await
    }

    /// Makes it a token room; those without one are removed.
    pub(super) async fn close(&self) -> Result<(), RoomGone> {
        self.ask(Request::Close).await
    }

    /// What the schedule declares of it changes; it is so when this returns.
    pub(super) async fn stage(&self, declaration: Option<Declaration>) -> Result<(), RoomGone> {
        self.ask(|reply| Request::Stage { declaration, reply }).await
    }

    /// Sends a data packet; it is on its way to the shards when this returns.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn send_data(&self, message: DataMessage) -> Result<(), RoomGone> {
        self.ask(|reply| Request::SendData { message, reply }).await
    }

    /// Calls a participant's method; the request is on its way when this returns.
    ///
    /// # Errors
    /// The room has ended; or nobody could be called.
    pub async fn call(&self, identity: Identity, call: Call) -> Result<Result<Answers, CallRefused>, RoomGone> {
        self.ask(|reply| Request::Call { identity, call, reply }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, RoomGone> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| RoomGone)?;
        answer.await.map_err(|_| RoomGone)
    }
}

/// One session's voice in its room. When it is dropped without [`SessionHandle::leave`], the room takes the signalling
/// as lost (L-28).
#[derive(Debug)]
pub struct SessionHandle {
    session: SessionId,
    /// Which of the session's sockets, counted from the join: only the last one is heard.
    socket: u32,
    requests: mpsc::Sender<Request>,
    left: bool,
}

impl SessionHandle {
    pub(super) fn new(session: SessionId, socket: u32, requests: mpsc::Sender<Request>) -> Self {
        Self { session, socket, requests, left: false }
    }

    /// Its number, to be named in every input.
    pub fn id(&self) -> SessionId {
        self.session
    }

    /// Tells the room something of this session; waits while the room has too much to do.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn send(&self, input: RoomInput) -> Result<(), RoomGone> {
        self.requests.send(self.said(input)).await.map_err(|_| RoomGone)
    }

    /// What this session is going to publish is there, in another room.
    pub(super) async fn borrow(&self, home: MediaHome) -> Result<(), RoomGone> {
        self.requests.send(Request::Borrow { session: self.session, home }).await.map_err(|_| RoomGone)
    }

    fn said(&self, input: RoomInput) -> Request {
        Request::Input { session: self.session, socket: self.socket, input }
    }

    /// Says goodbye.
    pub async fn leave(mut self, reason: DisconnectReason) {
        let left = self.send(RoomInput::Leave { session: self.session, reason }).await;
        // A room that is gone needs no goodbye.
        self.left = left.is_ok();
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let lost = self.said(RoomInput::SignalLost { session: self.session });
        // Life-cycle inputs are never dropped: if the room is busy, it is told as soon as there is place.
        if let Err(TrySendError::Full(lost)) = self.requests.try_send(lost)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let requests = self.requests.clone();
            runtime.spawn(async move { requests.send(lost).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::poll_immediate;

    fn ticket(session: u64) -> JoinTicket {
        let join = Join {
            session: SessionId(session),
            identity: Identity::token("alice"),
            name: String::new(),
            metadata: String::new(),
            attributes: Default::default(),
            permission: Default::default(),
            kind: Default::default(),
            client: Default::default(),
            mode: ConnectionMode::Single,
            transport: Default::default(),
            auto_subscribe: true,
            auto_subscribe_data: false,
            may_pause: false,
            tracks: Vec::new(),
            offer: None,
        };
        JoinTicket { join, credential: Credential::Token, address: None, config: None }
    }

    fn is_loss_of(request: Option<Request>, id: u64) -> bool {
        matches!(
            request,
            Some(Request::Input { input: RoomInput::SignalLost { session }, .. }) if session == SessionId(id)
        )
    }

    /// The client hung up before the room answered: the room hears of the loss right after the join.
    #[tokio::test]
    async fn a_join_that_is_given_up_leaves_no_ghost() {
        let (requests, mut queue) = mpsc::channel(8);
        let handle = RoomHandle::new(requests);
        {
            let mut joining = Box::pin(handle.join(ticket(5)));
            assert!(poll_immediate(&mut joining).await.is_none());
        }
        assert!(matches!(queue.recv().await, Some(Request::Join { .. })));
        assert!(is_loss_of(queue.recv().await, 5));
    }

    #[tokio::test]
    async fn a_loss_reaches_a_room_that_was_busy() {
        let (requests, mut queue) = mpsc::channel(1);
        let session = SessionHandle::new(SessionId(5), FIRST_SOCKET, requests.clone());
        requests.try_send(session.said(RoomInput::Delete)).expect("place for one");
        drop(session);
        assert!(matches!(queue.recv().await, Some(Request::Input { input: RoomInput::Delete, .. })));
        assert!(is_loss_of(queue.recv().await, 5));
    }

    #[tokio::test]
    async fn a_goodbye_is_no_loss() {
        let (requests, mut queue) = mpsc::channel(8);
        let session = SessionHandle::new(SessionId(5), FIRST_SOCKET, requests);
        session.leave(DisconnectReason::ClientInitiated).await;
        assert!(matches!(queue.recv().await, Some(Request::Input { input: RoomInput::Leave { .. }, .. })));
        assert!(queue.recv().await.is_none());
    }
}
