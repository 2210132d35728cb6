//! The last good copy of each source, so that a restart shows what was shown, whoever is away.

use super::own::TABLE;
use crate::outbound::Target;
use bytes::Bytes;
use std::sync::Arc;
use store::{Change, Store, StoreError};

/// Bytes of one document: below what the store takes.
const PIECE: usize = 512 * 1024;

/// Documents of one source that are looked at: more than its pages in pieces are ([`super::limits`]).
const MAX_PIECES: usize = 100;

#[derive(Debug)]
pub(super) struct Copies(Arc<dyn Store>);

impl Copies {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// The pages of a source; none if there is no copy.
    pub(super) async fn get(&self, source: &Target) -> Result<Vec<Bytes>, StoreError> {
        let rows = self.0.list(TABLE, &prefix(source), "", MAX_PIECES).await?;
        let mut pages: Vec<(String, Vec<u8>)> = Vec::new();
        for row in rows {
            let page = row.key.rsplit_once('/').map_or(row.key.as_str(), |(page, _)| page).to_owned();
            match pages.last_mut() {
                Some((last, bytes)) if *last == page => bytes.extend_from_slice(&row.document.value),
                _ => pages.push((page, row.document.value.to_vec())),
            }
        }
        Ok(pages.into_iter().map(|(_, bytes)| bytes.into()).collect())
    }

    /// Keeps these pages in place of those that were there, all of them or none.
    pub(super) async fn keep(&self, source: &Target, pages: &[Bytes]) -> Result<(), StoreError> {
        let prefix = prefix(source);
        let old = self.0.list(TABLE, &prefix, "", MAX_PIECES).await?;
        let mut changes = Vec::new();
        for (number, page) in pages.iter().enumerate() {
            for (piece, bytes) in page.chunks(PIECE).enumerate() {
                let key = format!("{prefix}{number:03}/{piece:03}");
                changes.push(Change::put(TABLE, key, Bytes::copy_from_slice(bytes)));
            }
        }
        let is_kept = |key: &String| changes.iter().any(|change| change.key == *key);
        let stale: Vec<_> = old.into_iter().map(|row| row.key).filter(|key| !is_kept(key)).collect();
        changes.extend(stale.into_iter().map(|key| Change::delete(TABLE, key)));
        self.0.commit(changes).await.map(drop)
    }
}

/// By a hash (FNV-1a) of where it is: the address may be secret, and longer than a key.
fn prefix(source: &Target) -> String {
    let place = format!("{}{}{}", source.is_secure(), source.peer(), source.path_and_query());
    let hash = place
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("source/{hash:016x}/")
}
