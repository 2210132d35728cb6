//! A file that no record names yet. When it is dropped, for whatever reason, the file goes and its place is free again.

use super::making::Making;
use super::vault::{Full, Vault};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Whose place a file takes.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    /// See [`super::who::Who::key`].
    pub(super) key: Arc<str>,
    /// What the store says that they keep.
    pub(super) stored: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Unclaimed {
    vault: Arc<Vault>,
    id: String,
    path: PathBuf,
    bytes: u64,
    owner: Option<Owner>,
    is_claimed: bool,
}

impl Unclaimed {
    /// A draft of this name; nothing is written yet.
    pub(super) fn new(vault: &Arc<Vault>, id: String, owner: Option<Owner>) -> Self {
        let (vault, path) = (Arc::clone(vault), vault.draft(&id));
        Self { vault, id, path, bytes: 0, owner, is_claimed: false }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.path
    }

    /// What was reserved.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts what is about to be written.
    pub(super) fn reserve(&mut self, bytes: u64) -> Result<(), Full> {
        if let Some(owner) = &self.owner
            && !self.making().add(&owner.key, owner.stored, bytes)
        {
            return Err(Full::Account);
        }
        if let Err(full) = self.vault.reserve(bytes) {
            self.owner.iter().for_each(|owner| self.making().take(&owner.key, bytes));
            return Err(full);
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Whose it is was not known before.
    pub(super) fn give_to(&mut self, owner: Owner) -> Result<(), Full> {
        if !self.making().add(&owner.key, owner.stored, self.bytes) {
            return Err(Full::Account);
        }
        self.owner = Some(owner);
        Ok(())
    }

    /// Less was written than was reserved.
    pub(super) fn shrink(&mut self, bytes: u64) {
        let spare = self.bytes.saturating_sub(bytes);
        self.bytes -= spare;
        self.vault.release(spare);
        self.owner.iter().for_each(|owner| self.making().take(&owner.key, spare));
    }

    /// From a draft to a file, which is on the disk when this returns.
    pub(super) async fn keep(&mut self) -> io::Result<()> {
        self.vault.keep(&self.id).await?;
        self.path = self.vault.file(&self.id);
        Ok(())
    }

    /// A record is about to name it: it stays, also where nobody waits for the store's answer any more. Its place is its
    /// account's as something in the making until this is dropped.
    pub(super) fn claim(&mut self) {
        self.is_claimed = true;
    }

    fn making(&self) -> &Making {
        self.vault.making()
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        self.owner.iter().for_each(|owner| self.making().take(&owner.key, self.bytes));
        if self.is_claimed {
            return;
        }
        let (vault, path, bytes) = (Arc::clone(&self.vault), std::mem::take(&mut self.path), self.bytes);
        let remove = move || {
            // A draft may not have been begun.
            let _ = std::fs::remove_file(path);
            vault.release(bytes);
        };
        // Where waiting for a disk hurts nobody.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}
