//! The bus's users in rooms, as members without media: one task for each, which does what the hub wants last.

use super::hub::Hub;
use crate::rooms::{Access, Credential, JoinError, JoinTicket, OutboxReceiver, Registry, SessionHandle};
use bus::Removal;
use bus::input::Attribute;
use room::effect::RoomEvent;
use room::input::Join;
use room::participant::{ClientInfo, DisconnectReason};
use room::permission::Permission;
use room::{Identity, Origin, RoomInput};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;
use wire::elektron::attributes;

/// A user in a room.
pub(super) type Seat = (Arc<str>, Arc<str>);

/// Who somebody is to the room, as long as the hub wants them there.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Wish {
    /// Name and attributes.
    profile: Profile,
    /// By what right they come.
    credential: Credential,
    address: Option<IpAddr>,
    hidden: bool,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Profile {
    name: String,
    attributes: BTreeMap<String, String>,
}

/// What became of a member's task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The hub wanted it so.
    Left,
    /// The room did not take them.
    Refused {
        /// They may not be there at all.
        banned: bool,
    },
    /// The room let them go.
    Removed(Removal),
}

/// All members.
#[derive(Debug, Default)]
pub(super) struct Members {
    tasks: HashMap<Seat, watch::Sender<Option<Wish>>>,
}

impl Members {
    /// Somebody comes in.
    pub(super) fn enter(&mut self, hub: &Hub, registry: &Registry, seat: Seat, wish: Wish) {
        if let Some(task) = self.tasks.get(&seat) {
            // It is on its way out, and turns round.
            task.send_replace(Some(wish));
            return;
        }
        let (task, wishes) = watch::channel(Some(wish));
        self.tasks.insert(seat.clone(), task);
        let member = Member { seat, wishes, registry: registry.clone() };
        tokio::spawn(member.run(hub.clone()));
    }

    /// They have changed.
    pub(super) fn change(&self, seat: &Seat, news: &[Attribute]) {
        if let Some(task) = self.tasks.get(seat) {
            task.send_if_modified(|wish| match wish {
                Some(wish) => {
                    wish.profile = Profile::of(news);
                    true
                }
                None => false,
            });
        }
    }

    /// They go.
    pub(super) fn exit(&self, seat: &Seat) {
        if let Some(task) = self.tasks.get(seat) {
            task.send_replace(None);
        }
    }

    /// A task has ended. If it was wanted again meanwhile, the wish that it has not seen.
    pub(super) fn ended(&mut self, seat: &Seat, outcome: Outcome) -> Option<Wish> {
        let task = self.tasks.remove(seat)?;
        let wish = task.borrow().clone();
        wish.filter(|_| outcome == Outcome::Left)
    }

    /// Everybody goes.
    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }
}

impl Wish {
    pub(super) fn new(news: &[Attribute], credential: Credential, address: Option<IpAddr>, hidden: bool) -> Self {
        Self { profile: Profile::of(news), credential, address, hidden }
    }
}

impl Profile {
    fn of(news: &[Attribute]) -> Self {
        let texts = news.iter().filter_map(|(key, json)| Some((key.clone(), attributes::as_text(json)?)));
        let mut attributes: BTreeMap<_, _> = texts.collect();
        // A name is text as it was written, not a number without its zeros.
        let name = news.iter().find(|(key, _)| key == "userName").and_then(|(_, json)| attributes::as_name(json));
        attributes.remove("userName");
        Self { name: name.unwrap_or_default(), attributes }
    }

    /// What has changed, an empty value standing for nothing.
    fn since(&self, before: &Self) -> BTreeMap<String, String> {
        let gone = before.attributes.keys().filter(|key| !self.attributes.contains_key(*key));
        let new = self.attributes.iter().filter(|(key, value)| before.attributes.get(*key) != Some(value));
        let new = new.map(|(key, value)| (key.clone(), value.clone()));
        gone.map(|key| (key.clone(), String::new())).chain(new).collect()
    }
}

struct Member {
    seat: Seat,
    wishes: watch::Receiver<Option<Wish>>,
    registry: Registry,
}

impl Member {
    async fn run(mut self, hub: Hub) {
        let outcome = self.stay().await;
        hub.member_ended(self.seat, outcome).await;
    }

    async fn stay(&mut self) -> Outcome {
        loop {
            let Some(wish) = self.wishes.borrow_and_update().clone() else { return Outcome::Left };
            let outcome = match self.join(&wish).await {
                Ok((handle, outbox)) => self.attend(wish, handle, outbox).await,
                Err(error) => Outcome::Refused { banned: error == JoinError::Banned },
            };
            if outcome != Outcome::Left {
                return outcome;
            }
        }
    }

    async fn join(&self, wish: &Wish) -> Result<(SessionHandle, OutboxReceiver), JoinError> {
        let (room, user) = &self.seat;
        let identity = Identity { origin: Origin::Bus, id: user.clone() };
        let join = Join {
            name: wish.profile.name.clone(),
            attributes: wish.profile.attributes.clone(),
            client: ClientInfo { sdk: "elektron".into(), ..ClientInfo::default() },
            ..Join::without_media(self.registry.next_session(), identity, permission(wish.hidden))
        };
        let ticket = JoinTicket { join, credential: wish.credential, address: wish.address, config: None };
        self.registry.join(room, ticket).await
    }

    /// Until the hub wants something else, or the room.
    async fn attend(&mut self, wish: Wish, handle: SessionHandle, mut outbox: OutboxReceiver) -> Outcome {
        let mut known = wish.profile;
        loop {
            tokio::select! {
                changed = self.wishes.changed() => {
                    let wish = self.wishes.borrow_and_update().clone().filter(|_| changed.is_ok());
                    let Some(wish) = wish else {
                        handle.leave(DisconnectReason::ClientInitiated).await;
                        return Outcome::Left;
                    };
                    tell(&handle, &known, &wish.profile).await;
                    known = wish.profile;
                }
                outgoing = outbox.recv() => match outgoing.as_deref().map(crate::rooms::Outgoing::event) {
                    Some(RoomEvent::Leave { reason, .. }) => return Outcome::Removed(self.removal(*reason)),
                    Some(_) => {}
                    None => return Outcome::Removed(Removal::Other),
                },
            }
        }
    }

    fn removal(&self, reason: DisconnectReason) -> Removal {
        match reason {
            // Token wins: the bus hears of that by itself, and nobody did it to them.
            DisconnectReason::ParticipantRemoved if self.registry.access(&self.seat.0) == Access::Token => {
                Removal::Other
            }
            DisconnectReason::ParticipantRemoved => Removal::Operator,
            DisconnectReason::RoomDeleted | DisconnectReason::RoomClosed | DisconnectReason::ServerShutdown => {
                Removal::RoomEnded
            }
            _ => Removal::Other,
        }
    }
}

/// A room that has ended says so by the outbox.
async fn tell(handle: &SessionHandle, before: &Profile, now: &Profile) {
    let attributes = now.since(before);
    let name = (now.name != before.name).then(|| now.name.clone());
    if name.is_some() || !attributes.is_empty() {
        let session = handle.id();
        let _ =
            handle.send(RoomInput::UpdateMetadata { session, request_id: 0, name, metadata: None, attributes }).await;
    }
}

/// They talk on the bus; of the room they are shown, and move.
fn permission(hidden: bool) -> Permission {
    Permission {
        can_subscribe: false,
        can_publish: false,
        can_publish_data: false,
        can_update_metadata: true,
        hidden,
        ..Permission::default()
    }
}
