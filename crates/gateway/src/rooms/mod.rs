//! The shell around the room model, shared by every gateway: which rooms there are, one task for each, and the way in
//! and out of it.
//!
//! A gateway asks the [`Registry`] to join, gets a [`SessionHandle`] for what its client says and an [`OutboxReceiver`]
//! for what the client is told, in the room's order.

mod access;
mod calls;
mod chat_dialect;
mod chat_log;
mod declared;
mod followers;
mod forward;
mod handle;
mod house;
pub mod limits;
mod orders;
mod outbox;
mod outgoing;
mod overhear;
mod registry;
mod talk;
mod task;
mod watch;

pub use access::{Access, Credential};
pub use calls::{Answers, Call};
pub use chat_dialect::{ChatChange, ChatDialect, ChatListener, NoChatDialect, Overheard, SharedChatDialect};
pub use declared::{Declaration, Declarations};
pub use forward::ForwardError;
pub use handle::{CallRefused, DataMessage, JoinTicket, ResumeTicket, Resumption, RoomGone, RoomHandle, SessionHandle};
pub use outbox::OutboxReceiver;
pub use outgoing::{Dialect, Outgoing};
pub use registry::{JoinError, Registry, RegistryConfig};
pub use talk::{ChatAnswer, Moderated};
pub use task::OrdersInForce;
pub use watch::{Watcher, Watchers};
