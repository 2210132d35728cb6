//! Who may not come into any room of this house.

use super::orders::{self, Scope};
use room::moderation::BanList;
use room::{Banned, Identity, Moderation, ModerationError};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use tokio::sync::OnceCell;

/// The house's bans, shared by all rooms: each looks before it lets somebody in.
#[derive(Debug)]
pub(super) struct House {
    store: Arc<dyn Store>,
    /// Held for look-ups and single changes only.
    bans: Mutex<BanList>,
    loaded: OnceCell<()>,
}

impl House {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, bans: Mutex::default(), loaded: OnceCell::new() }
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Reads what the store has, once.
    pub(super) async fn load(&self) {
        let load = async {
            let list = orders::bans(&*self.store, Scope::House).await?;
            *self.list() = list;
            Ok::<(), store::StoreError>(())
        };
        if let Err(error) = self.loaded.get_or_try_init(|| load).await {
            tracing::error!(%error, "the house's bans could not be read: nobody is barred by them until they can");
        }
    }

    /// Is somebody barred?
    pub(super) fn bars(&self, identity: Option<&Identity>, address: Option<IpAddr>) -> bool {
        self.list().bars(identity, address)
    }

    /// All of them.
    pub(super) async fn bans(&self) -> BanList {
        self.load().await;
        self.list().clone()
    }

    /// Bars somebody; they may still be in rooms. What holds is kept before this returns.
    pub(super) async fn ban(&self, banned: Banned) -> Result<(), ModerationError> {
        self.load().await;
        self.list().add(banned.clone())?;
        self.keep(&Moderation::Ban(banned)).await
    }

    /// They may come again.
    pub(super) async fn unban(&self, banned: Banned) -> Result<(), ModerationError> {
        self.load().await;
        if !self.list().remove(&banned) {
            return Err(ModerationError::NotFound);
        }
        self.keep(&Moderation::Unban(banned)).await
    }

    async fn keep(&self, request: &Moderation) -> Result<(), ModerationError> {
        let changes = orders::change(Scope::House, request).into_iter().collect();
        self.store.commit(changes).await.map(drop).map_err(|_| ModerationError::NotKept)
    }

    fn list(&self) -> MutexGuard<'_, BanList> {
        // A panic while it was held left the list as it was: inserts and removals are single steps.
        self.bans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
