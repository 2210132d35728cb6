//! Castaway's users in rooms, as members without media (product.md, «Participant»): one seat a user, however many sockets.

use super::live::Stage;
use crate::rooms::{Credential, JoinError, JoinTicket, OutboxReceiver, Registry, SessionHandle};
use room::effect::RoomEvent;
use room::input::Join;
use room::participant::{ClientInfo, DisconnectReason};
use room::permission::Permission;
use room::{Identity, Origin};
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use tokio::sync::oneshot;

/// Somebody who wants to sit down.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    /// See [`super::who::Who::key`].
    pub(super) user: Arc<str>,
    pub(super) name: String,
    pub(super) credential: Credential,
    pub(super) address: IpAddr,
    pub(super) hidden: bool,
}

/// A user in a room; they leave it when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    _leave: oneshot::Sender<()>,
}

/// Takes a seat.
pub(super) async fn take(registry: &Registry, stage: &Arc<Stage>, guest: Guest) -> Result<Arc<Seat>, JoinError> {
    let user = Arc::clone(&guest.user);
    let identity = Identity { origin: Origin::Castaway, id: user.clone() };
    let join = Join {
        name: guest.name,
        client: ClientInfo { sdk: "castaway".into(), ..ClientInfo::default() },
        ..Join::without_media(registry.next_session(), identity, permission(guest.hidden))
    };
    let ticket = JoinTicket { join, credential: guest.credential, address: Some(guest.address), config: None };
    let (handle, outbox) = registry.join(stage.livestream(), ticket).await?;
    let (leave, left) = oneshot::channel();
    tokio::spawn(attend(handle, outbox, left, Arc::downgrade(stage), user));
    Ok(Arc::new(Seat { _leave: leave }))
}

/// Until the seat is given up, or the room takes it away.
async fn attend(
    handle: SessionHandle,
    mut outbox: OutboxReceiver,
    mut left: oneshot::Receiver<()>,
    stage: Weak<Stage>,
    user: Arc<str>,
) {
    let reason = loop {
        tokio::select! {
            _ = &mut left => return handle.leave(DisconnectReason::ClientInitiated).await,
            outgoing = outbox.recv() => match outgoing.as_deref().map(crate::rooms::Outgoing::event) {
                Some(RoomEvent::Leave { reason, .. }) => break *reason,
                Some(_) => {}
                None => break DisconnectReason::Unknown,
            },
        }
    };
    if let Some(stage) = stage.upgrade() {
        stage.removed(&user, reason);
    }
}

/// Their sound goes by sockets; of the room they are only shown.
fn permission(hidden: bool) -> Permission {
    Permission { can_subscribe: false, can_publish: false, can_publish_data: false, hidden, ..Permission::default() }
}
