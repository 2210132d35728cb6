//! Which rooms there are: found by name, made on first use or by the API, forgotten when they end.

use super::access::{Access, AccessCell, Credential};
use super::chat_dialect::{NoChatDialect, SharedChatDialect};
use super::chat_log::{self, ChatLog};
use super::declared::{Declaration, Declarations, Declared};
use super::handle::{JoinTicket, ResumeTicket, Resumption, RoomGone, RoomHandle, SessionHandle};
use super::house::House;
use super::limits::{DEFAULT_MAX_ROOMS, JOIN_ATTEMPTS, ROOM_MEDIA_EVENTS, ROOM_REQUESTS};
use super::orders::{self, Scope};
use super::outbox::OutboxReceiver;
use super::overhear::DataChat;
use super::task::{Parts, RoomTask};
use super::watch::Watchers;
use crate::clock::now;
use net::pool::MediaPool;
use room::effect::RoomInfo;
use room::limits::{MAX_AGENT_REQUESTS, MAX_NAME_BYTES};
use room::moderation::BanList;
use room::{AgentRequest, Banned, ChatMessage, Identity, ModerationError, Room, RoomConfig, SessionId};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use store::{Retention, Store, StoreError};
use tokio::sync::mpsc;

/// Why a room could not be joined or made. Each gateway has its own words for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JoinError {
    /// There is none, and it is not made by joining; or it is not for whoever asks, which must look the same.
    #[error("requested room does not exist")]
    NoSuchRoom,
    /// The name is empty, or longer than 256 bytes or than the settings allow.
    #[error("the room name is empty or too long")]
    BadName,
    /// `max_participants` are there.
    #[error("the room is full")]
    RoomFull,
    /// As many rooms as may be (`limits.max_rooms`).
    #[error("the server has as many rooms as it takes")]
    TooManyRooms,
    /// As many tracks, or as many bytes a second, as it may carry (`limits.tracks`, `limits.bytes_per_second`).
    #[error("the server carries as much as it may")]
    Overloaded,
    /// They are not to come in.
    #[error("you are banned from this room")]
    Banned,
    /// The server goes down.
    #[error("the server is shutting down")]
    Draining,
    /// Something about the participant is missing or too long.
    #[error(transparent)]
    Refused(room::JoinError),
    /// The room ended meanwhile, again and again.
    #[error("the room has ended")]
    Gone,
}

impl From<room::JoinError> for JoinError {
    fn from(error: room::JoinError) -> Self {
        match error {
            room::JoinError::RoomFull => Self::RoomFull,
            room::JoinError::Ended => Self::Gone,
            room::JoinError::Banned => Self::Banned,
            other => Self::Refused(other),
        }
    }
}

const MIB: u64 = 1024 * 1024;

/// How rooms come to be.
#[derive(Clone, Debug)]
pub struct RegistryConfig {
    /// A join makes the room (`room.auto_create`, L-13).
    pub auto_create: bool,
    /// Access of a room that nobody declared (`rooms.undeclared`).
    pub undeclared: Access,
    /// Every room is open, whoever joins (`--dev`).
    pub all_open: bool,
    /// Rooms whose access the configuration says.
    pub declared: BTreeMap<String, Access>,
    /// What new rooms are made with.
    pub room: RoomConfig,
    /// What is kept of each room's chat.
    pub chat: Retention,
    /// How those who hear data packets say and hear it.
    pub chat_dialect: SharedChatDialect,
    /// Longest name of a room, in bytes, ≤ [`MAX_NAME_BYTES`].
    pub max_room_name_bytes: usize,
    /// Most rooms at a time.
    pub max_rooms: usize,
    /// With so many tracks, in and out to each receiver, nobody new gets in; 0: no limit.
    pub max_tracks: u64,
    /// With so many bytes of media a second, in and out, nobody new gets in; 0: no limit.
    pub max_bytes_per_s: u64,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            auto_create: true,
            undeclared: Access::Open,
            all_open: false,
            declared: BTreeMap::new(),
            room: RoomConfig::default(),
            chat: Retention { entries: 500, bytes: 4 * MIB, family_bytes: 256 * MIB },
            chat_dialect: Arc::new(NoChatDialect),
            max_room_name_bytes: MAX_NAME_BYTES,
            max_rooms: DEFAULT_MAX_ROOMS,
            max_tracks: 0,
            max_bytes_per_s: 0,
        }
    }
}

/// All rooms of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: RegistryConfig,
    pool: MediaPool,
    /// Held for look-ups and inserts only, never over an await.
    rooms: Mutex<HashMap<Arc<str>, Entry>>,
    declared: Declared,
    /// Held while rooms are told what the schedule says: one after the other.
    telling: tokio::sync::Mutex<()>,
    next_session: AtomicU64,
    next_room: AtomicU64,
    /// Keyed by the operating system: makes the rooms' seeds.
    seeds: RandomState,
    draining: AtomicBool,
    watchers: Watchers,
    house: Arc<House>,
}

#[derive(Clone, Debug)]
struct Entry {
    number: u64,
    handle: RoomHandle,
    access: AccessCell,
}

impl Registry {
    /// No rooms yet. `pool` carries their media, `store` keeps what outlives them.
    pub fn new(config: RegistryConfig, pool: MediaPool, store: Arc<dyn Store>) -> Self {
        Self::watched(config, pool, Watchers::default(), store)
    }

    /// No rooms yet; `watchers` will hear of what happens in them, and `store` keeps what outlives them.
    pub fn watched(config: RegistryConfig, pool: MediaPool, watchers: Watchers, store: Arc<dyn Store>) -> Self {
        let inner = Inner {
            config,
            pool,
            rooms: Mutex::default(),
            declared: Declared::default(),
            telling: tokio::sync::Mutex::default(),
            next_session: AtomicU64::new(1),
            next_room: AtomicU64::new(1),
            seeds: RandomState::new(),
            draining: AtomicBool::new(false),
            watchers,
            house: Arc::new(House::new(store)),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What carries the rooms' media.
    pub fn media(&self) -> &MediaPool {
        &self.inner.pool
    }

    /// The number of a new session, for [`room::input::Join`].
    pub fn next_session(&self) -> SessionId {
        SessionId(self.inner.next_session.fetch_add(1, Ordering::Relaxed))
    }

    /// Joins a room, making it if it may be made so. The first event in the outbox is `Joined`.
    ///
    /// # Errors
    /// Says why not.
    pub async fn join(&self, name: &str, ticket: JoinTicket) -> Result<(SessionHandle, OutboxReceiver), JoinError> {
        for _ in 0..JOIN_ATTEMPTS {
            let entry = self.find_for(name, &ticket)?;
            match entry.handle.join(ticket.clone()).await {
                Err(JoinError::Gone) => self.inner.forget(name, entry.number),
                joined => return joined,
            }
        }
        Err(JoinError::Gone)
    }

    /// Finds or makes a room for somebody who does not join it (a chat message on the bus). It does not become theirs by
    /// that, whatever they have to show.
    ///
    /// # Errors
    /// Says why not.
    pub async fn open(
        &self,
        name: &str,
        credential: Credential,
        address: Option<IpAddr>,
    ) -> Result<RoomHandle, JoinError> {
        for _ in 0..JOIN_ATTEMPTS {
            self.check_door(name, credential)?;
            let making = || Making { config: self.inner.config.room.clone(), by_api: false };
            let entry = self.inner.find_or_make(name, making)?;
            match entry.handle.knock(credential, address).await {
                Ok(answer) => return answer.map(|()| entry.handle),
                Err(RoomGone) => self.inner.forget(name, entry.number),
            }
        }
        Err(JoinError::Gone)
    }

    /// The newest of what was said in a room, oldest first, whether it lives now or not.
    ///
    /// # Errors
    /// The store failed.
    pub async fn chat_history(&self, name: &str, limit: usize) -> Result<Vec<Arc<ChatMessage>>, StoreError> {
        let living = match self.find(name) {
            Some(handle) => handle.chat_history(limit).await.ok(),
            None => None,
        };
        match living {
            Some(history) => Ok(history),
            None => chat_log::of_the_past(&**self.inner.house.store(), name, limit).await,
        }
    }

    /// Those who may not come into any room.
    pub async fn bans(&self) -> BanList {
        self.inner.house.bans().await
    }

    /// Bars somebody from every room, and removes them where they are.
    ///
    /// # Errors
    /// Says why not.
    pub async fn ban(&self, banned: Banned) -> Result<(), ModerationError> {
        let kept = self.inner.house.ban(banned.clone()).await;
        if matches!(kept, Ok(()) | Err(ModerationError::NotKept)) {
            for handle in self.handles(&[]) {
                // In a room that has ended is nobody.
                let _ = handle.expel(banned.clone()).await;
            }
        }
        kept
    }

    /// They may come again.
    ///
    /// # Errors
    /// They were not banned; or it could not be kept.
    pub async fn unban(&self, banned: Banned) -> Result<(), ModerationError> {
        self.inner.house.unban(banned).await
    }

    /// Goes on with a session on a new socket; `None` if it is not there any more: the client has to join anew. Whoever is in
    /// a room may come back to it also while the server drains.
    pub async fn resume(&self, name: &str, ticket: ResumeTicket) -> Option<(Resumption, OutboxReceiver)> {
        self.find(name)?.resume(ticket).await
    }

    /// Makes a room, as the API does: for those with a token. One that exists stays, but becomes theirs.
    ///
    /// # Errors
    /// Says why not.
    pub async fn create(&self, name: &str, config: RoomConfig) -> Result<RoomInfo, JoinError> {
        check_config(&config)?;
        for _ in 0..JOIN_ATTEMPTS {
            let entry = self.inner.find_or_make(name, || Making { config: config.clone(), by_api: true })?;
            match self.claim_for_api(&entry).await {
                Ok(info) => return Ok(info),
                Err(RoomGone) => self.inner.forget(name, entry.number),
            }
        }
        Err(JoinError::Gone)
    }

    async fn claim_for_api(&self, entry: &Entry) -> Result<RoomInfo, RoomGone> {
        entry.handle.close().await?;
        entry.handle.info().await
    }

    /// A room, if there is one.
    pub fn find(&self, name: &str) -> Option<RoomHandle> {
        self.inner.rooms().get(name).map(|entry| entry.handle.clone())
    }

    /// The schedule says this of rooms from now on; those that live have heard of it when this returns.
    pub async fn schedule(&self, declared: Declarations) {
        let _turn = self.inner.telling.lock().await;
        for (room, declaration) in self.inner.put_schedule(declared) {
            // One that has ended hears of it when it begins anew.
            let _ = room.stage(declaration).await;
        }
    }

    /// The rooms of these names, or all; by name.
    pub async fn list(&self, names: &[String]) -> Vec<RoomInfo> {
        let mut infos = Vec::new();
        for handle in self.handles(names) {
            // One that ends meanwhile is no room any more.
            infos.extend(handle.info().await);
        }
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }

    /// Ends a room; false if there is none. Everybody has been told when it returns.
    pub async fn delete(&self, name: &str) -> bool {
        let Some(handle) = self.find(name) else { return false };
        handle.delete().await.is_ok()
    }

    /// Whether a room, existing or not, is for everybody or for those with a token.
    pub fn access(&self, name: &str) -> Access {
        if self.inner.config.all_open {
            return Access::Open;
        }
        let existing = self.inner.rooms().get(name).map(|entry| entry.access.get());
        existing.unwrap_or_else(|| self.inner.access_of(name))
    }

    /// May everybody be in it, as things stand? A room that does not exist, and is not made by using it, is none.
    pub fn is_open(&self, name: &str) -> bool {
        self.access(name) == Access::Open && self.inner.is_or_may_begin(name)
    }

    /// Would somebody with this get into the room, as things stand? Makes nothing.
    ///
    /// # Errors
    /// Says why not.
    pub async fn check(
        &self,
        name: &str,
        credential: Credential,
        identity: Option<&Identity>,
        address: Option<IpAddr>,
    ) -> Result<(), JoinError> {
        self.check_door(name, credential)?;
        self.check_load()?;
        if !self.has_place_for(name) {
            return Err(JoinError::TooManyRooms);
        }
        let barred = self.inner.house.bans().await.bars(identity, address);
        let barred = barred || self.bans_of(name).await.bars(identity, address);
        if barred { Err(JoinError::Banned) } else { Ok(()) }
    }

    /// Whoever is in stays in, and may come back.
    fn check_load(&self) -> Result<(), JoinError> {
        let RegistryConfig { max_tracks, max_bytes_per_s, .. } = self.inner.config;
        if max_tracks == 0 && max_bytes_per_s == 0 {
            return Ok(());
        }
        let load = self.inner.pool.load();
        let over = |limit: u64, value: u64| limit > 0 && value >= limit;
        let overloaded = over(max_tracks, load.tracks) || over(max_bytes_per_s, load.bytes_per_s);
        if overloaded { Err(JoinError::Overloaded) } else { Ok(()) }
    }

    fn has_place_for(&self, name: &str) -> bool {
        let rooms = self.inner.rooms();
        rooms.contains_key(name) || rooms.len() < self.inner.config.max_rooms
    }

    /// A room's bans, whether it lives now or not. What the store can't say now is asked again when they join.
    async fn bans_of(&self, name: &str) -> BanList {
        if let Some(handle) = self.find(name)
            && let Ok(orders) = handle.orders().await
        {
            return orders.bans;
        }
        orders::bans(&**self.inner.house.store(), Scope::Room(name)).await.unwrap_or_default()
    }

    /// What rooms are made with that nobody configured.
    pub fn room_defaults(&self) -> &RoomConfig {
        &self.inner.config.room
    }

    /// Rooms are made by whoever asks for them first (`room.auto_create`).
    pub fn makes_rooms(&self) -> bool {
        self.inner.config.auto_create
    }

    /// Nobody new comes in.
    pub fn is_draining(&self) -> bool {
        self.inner.draining.load(Ordering::Acquire)
    }

    /// How many rooms there are.
    pub fn len(&self) -> usize {
        self.inner.rooms().len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From now on nobody comes in; rooms live on.
    pub fn stop_joins(&self) {
        self.inner.draining.store(true, Ordering::Release);
    }

    /// Ends every room; everybody has been told when it returns.
    pub async fn shutdown(&self) {
        self.stop_joins();
        for handle in self.handles(&[]) {
            // A room that has ended by itself is no less ended.
            let _ = handle.shutdown().await;
        }
    }

    /// The room to join, made if need be.
    fn find_for(&self, name: &str, ticket: &JoinTicket) -> Result<Entry, JoinError> {
        self.check_door(name, ticket.credential)?;
        if ticket.join.mode.has_peer() {
            self.check_load()?;
        }
        let config = ticket.config.as_deref().unwrap_or(&self.inner.config.room);
        check_config(config)?;
        self.inner.find_or_make(name, || Making { config: config.clone(), by_api: false })
    }

    /// To somebody who does not get in, a token room is none, and is not made.
    fn check_door(&self, name: &str, credential: Credential) -> Result<(), JoinError> {
        if self.is_draining() {
            return Err(JoinError::Draining);
        }
        self.inner.check_name(name)?;
        let barred = credential == Credential::Public && self.access(name) == Access::Token;
        if barred || !self.inner.is_or_may_begin(name) { Err(JoinError::NoSuchRoom) } else { Ok(()) }
    }

    fn handles(&self, names: &[String]) -> Vec<RoomHandle> {
        let rooms = self.inner.rooms();
        let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
        rooms.iter().filter(|(name, _)| wanted(name)).map(|(_, entry)| entry.handle.clone()).collect()
    }
}

/// How a room is to be made.
struct Making {
    config: RoomConfig,
    by_api: bool,
}

impl Inner {
    fn rooms(&self) -> MutexGuard<'_, HashMap<Arc<str>, Entry>> {
        // A panic while it was held left the map as it was: inserts and removals are single steps.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the schedule says, and finds the rooms that have to hear of it. A room that begins meanwhile begins with
    /// the new one or is among these: both need the lock.
    fn put_schedule(&self, declared: Declarations) -> Vec<(RoomHandle, Option<Declaration>)> {
        let rooms = self.rooms();
        let changed = self.declared.replace(declared);
        let living = changed.into_iter().filter_map(|(name, declaration)| Some((rooms.get(&name)?, declaration)));
        living.map(|(entry, declaration)| (entry.handle.clone(), declaration)).collect()
    }

    /// Is there such a room, or does it begin when somebody wants in?
    fn is_or_may_begin(&self, name: &str) -> bool {
        self.config.auto_create || self.rooms().contains_key(name) || self.declared.of(name).is_some()
    }

    /// Access of a room that does not exist yet.
    fn access_of(&self, name: &str) -> Access {
        let declared = self.config.declared.get(name).copied();
        let scheduled = || self.declared.of(name)?.access;
        declared.or_else(scheduled).unwrap_or(self.config.undeclared)
    }

    fn find_or_make(self: &Arc<Self>, name: &str, making: impl FnOnce() -> Making) -> Result<Entry, JoinError> {
        self.check_name(name)?;
        let mut rooms = self.rooms();
        if let Some(entry) = rooms.get(name) {
            return Ok(entry.clone());
        }
        if rooms.len() >= self.config.max_rooms {
            return Err(JoinError::TooManyRooms);
        }
        let entry = self.start(name, making());
        rooms.insert(name.into(), entry.clone());
        Ok(entry)
    }

    fn check_name(&self, name: &str) -> Result<(), JoinError> {
        let max = self.config.max_room_name_bytes.min(MAX_NAME_BYTES);
        if name.is_empty() || name.len() > max { Err(JoinError::BadName) } else { Ok(()) }
    }

    /// Starts the room's task. Its registration can't be given up before the caller has entered it: both need the lock.
    fn start(self: &Arc<Self>, name: &str, making: Making) -> Entry {
        let number = self.next_room.fetch_add(1, Ordering::Relaxed);
        let (requests, request_queue) = mpsc::channel(ROOM_REQUESTS);
        let (events, event_queue) = mpsc::channel(ROOM_MEDIA_EVENTS);
        let access = self.config.access_cell(name, making.by_api);
        let declaration = self.declared.of(name);
        access.schedule(declaration.and_then(|declared| declared.access));
        let media = self.pool.open_room(events);
        let registration = Registration::new(self, name, number);
        let room = Room::new(making.config, name, self.seeds.hash_one(number), now());
        let house = Arc::clone(&self.house);
        let chat = ChatLog::new(Arc::clone(house.store()), name, self.config.chat);
        let (access_cell, watchers) = (access.clone(), self.watchers.clone());
        let data_chat = DataChat::new(Arc::clone(&self.config.chat_dialect));
        let parts = Parts { room, media, access: access_cell, chat, data_chat, house, registration, watchers };
        tokio::spawn(RoomTask::new(parts).run(declaration, request_queue, event_queue));
        Entry { number, handle: RoomHandle::new(requests), access }
    }

    /// Forgets a room, if its name has not been taken by a newer one.
    fn forget(&self, name: &str, number: u64) {
        let mut rooms = self.rooms();
        if rooms.get(name).is_some_and(|entry| entry.number == number) {
            rooms.remove(name);
        }
    }
}

impl RegistryConfig {
    fn access_cell(&self, name: &str, by_api: bool) -> AccessCell {
        if self.all_open {
            return AccessCell::new(Access::Open, true);
        }
        match self.declared.get(name) {
            Some(access) => AccessCell::new(*access, true),
            None if by_api => AccessCell::new(Access::Token, true),
            None => AccessCell::new(self.undeclared, false),
        }
    }
}

/// A room's name, held by its task: given up when the room ends, and when its task panics.
#[derive(Debug)]
pub(super) struct Registration {
    registry: Weak<Inner>,
    name: Arc<str>,
    number: u64,
}

impl Registration {
    fn new(registry: &Arc<Inner>, name: &str, number: u64) -> Self {
        metrics::gauge!("odeon_rooms").increment(1.0);
        Self { registry: Arc::downgrade(registry), name: name.into(), number }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        metrics::gauge!("odeon_rooms").decrement(1.0);
        if std::thread::panicking() {
            metrics::counter!("odeon_room_panics_total").increment(1);
            tracing::error!(
                "a room's task panicked: its sessions are closed, the name is free again; please report it"
            );
        }
        if let Some(registry) = self.registry.upgrade() {
            registry.forget(&self.name, self.number);
        }
    }
}

fn check_config(config: &RoomConfig) -> Result<(), JoinError> {
    let metadata = (config.metadata.len() > config.limits.metadata_bytes).then_some("metadata");
    let agents = (config.agents.len() > MAX_AGENT_REQUESTS).then_some("agents");
    let too_long = metadata.or(agents).or_else(|| config.agents.iter().find_map(AgentRequest::too_long));
    too_long.map_or(Ok(()), |field| Err(JoinError::Refused(room::JoinError::TooLong(field))))
}
