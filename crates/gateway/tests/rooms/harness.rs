//! A registry on a media plane of its own, and people who join.

use crate::common::pool_config;
use gateway::rooms::{
    Credential, JoinError, JoinTicket, OutboxReceiver, Outgoing, Registry, RegistryConfig, SessionHandle,
};
use net::pool::{DataDialect, DataTrackPacket, MediaPool, StampedPacket};
use room::input::Join;
use room::media::{ConnectionMode, DataSender};
use room::participant::{ClientInfo, ParticipantKind};
use room::permission::Permission;
use room::{Identity, RoomConfig, RoomEvent};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use store::Sqlite;

/// No client sends data here.
#[derive(Debug)]
struct Mute;

impl DataDialect for Mute {
    fn stamp(&self, _sender: &DataSender, _reliable: bool, _packet: &[u8]) -> Option<StampedPacket> {
        None
    }

    fn wrap(&self, _sender: &DataSender, _message: &[u8]) -> Option<StampedPacket> {
        None
    }

    fn payload(&self, _packet: &[u8]) -> Option<Range<usize>> {
        None
    }

    fn data_track(&self, _packet: &[u8]) -> Option<DataTrackPacket> {
        None
    }

    fn set_handle(&self, _packet: &mut [u8], _handle: u16) {}
}

pub(crate) fn registry(config: RegistryConfig) -> Registry {
    let media = MediaPool::start(&pool_config(), Arc::new(Mute)).expect("loopback can be bound");
    Registry::new(config, media, Arc::new(Sqlite::in_memory().expect("memory is there")))
}

pub(crate) fn plain() -> Registry {
    registry(RegistryConfig::default())
}

/// Rooms that end the moment they are empty.
pub(crate) fn fleeting() -> RegistryConfig {
    let room = RoomConfig { departure_timeout_s: 0, ..RoomConfig::default() };
    RegistryConfig { room, ..RegistryConfig::default() }
}

pub(crate) fn ticket(registry: &Registry, identity: &str, credential: Credential) -> JoinTicket {
    let permission = Permission { can_update_metadata: true, ..Permission::default() };
    let join = Join {
        session: registry.next_session(),
        identity: Identity::token(identity),
        name: String::new(),
        metadata: String::new(),
        attributes: BTreeMap::new(),
        permission,
        kind: ParticipantKind::Standard,
        client: ClientInfo::default(),
        mode: ConnectionMode::Single,
        transport: Default::default(),
        auto_subscribe: true,
        auto_subscribe_data: false,
        may_pause: false,
        tracks: Vec::new(),
        offer: None,
    };
    JoinTicket { join, credential, config: None, address: None }
}

pub(crate) struct Person {
    pub(crate) handle: SessionHandle,
    pub(crate) outbox: OutboxReceiver,
}

pub(crate) async fn try_join(
    registry: &Registry,
    room: &str,
    who: &str,
    credential: Credential,
) -> Result<Person, JoinError> {
    let ticket = ticket(registry, who, credential);
    let (handle, outbox) = registry.join(room, ticket).await?;
    Ok(Person { handle, outbox })
}

pub(crate) async fn join(registry: &Registry, room: &str, who: &str) -> Person {
    try_join(registry, room, who, Credential::Token).await.expect("joins")
}

impl Person {
    /// The next event, or `None` at the session's end.
    pub(crate) async fn next(&mut self) -> Option<Arc<Outgoing>> {
        within(self.outbox.recv()).await
    }

    /// Waits for an event that fits.
    pub(crate) async fn hears(&mut self, fits: impl Fn(&RoomEvent) -> bool) -> Arc<Outgoing> {
        loop {
            let event = self.next().await.expect("the session lives on");
            if fits(event.event()) {
                return event;
            }
        }
    }

    /// Waits for the end; what was told before it.
    pub(crate) async fn last_words(&mut self) -> Vec<Arc<Outgoing>> {
        let mut told = Vec::new();
        while let Some(event) = self.next().await {
            told.push(event);
        }
        told
    }
}

/// Long enough for a busy machine, short enough for a test that hangs.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("in time")
}

/// Waits until it holds.
pub(crate) async fn eventually(holds: impl Fn() -> bool) {
    within(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// An update about `identity`.
pub(crate) fn about(identity: &str) -> impl Fn(&RoomEvent) -> bool {
    move |event| match event {
        RoomEvent::ParticipantsUpdated(list) => list.iter().any(|info| &*info.identity.id == identity),
        _ => false,
    }
}
