//! What is kept in the store: users, livestreams, podcasts, uploads. Their shape is known here alone.

use super::limits::MAX_LISTED;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Change, Document, Expect, Store, StoreError, Table};

pub(super) const USERS: Table = Table("castaway.users");
/// The user of an e-mail address.
pub(super) const EMAILS: Table = Table("castaway.emails");
pub(super) const LIVESTREAMS: Table = Table("castaway.livestreams");
pub(super) const PODCASTS: Table = Table("castaway.podcasts");
pub(super) const UPLOADS: Table = Table("castaway.uploads");
/// Which of these are whose, and how many bytes of the vault each takes.
const OWNED: Table = Table("castaway.owned");

/// Rows of a table that are looked at for a list.
const MAX_SCANNED: usize = store::limits::MAX_PAGE;

/// Somebody who has an account, or has used this gateway with another token.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    pub(super) email: String,
    #[serde(default)]
    pub(super) display_name: String,
    /// Of their password; none for those who come with others' tokens.
    #[serde(default)]
    pub(super) hash: Option<String>,
    /// Ids of podcasts, oldest first.
    #[serde(default)]
    pub(super) favourites: Vec<String>,
}

/// A livestream that was announced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Livestream {
    pub(super) owner: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) artist: String,
    pub(super) created_ms: i64,
}

/// A podcast: an upload with a text, or what was streamed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Podcast {
    pub(super) owner: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) artist: String,
    pub(super) genres: Vec<String>,
    pub(super) public: bool,
    pub(super) sound: Kept,
    pub(super) picture: Option<Kept>,
    pub(super) created_ms: i64,
}

impl Podcast {
    /// What it takes in the vault.
    pub(super) fn bytes(&self) -> u64 {
        self.sound.bytes + self.picture.as_ref().map_or(0, |picture| picture.bytes)
    }
}

/// A file in the vault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) file: String,
    pub(super) mime: String,
    pub(super) bytes: u64,
    /// Of sound.
    #[serde(default)]
    pub(super) duration_ms: u64,
}

/// What an upload is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum UploadKind {
    Sound,
    Picture,
}

/// An upload that is not part of a podcast yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) owner: String,
    pub(super) kind: UploadKind,
    pub(super) kept: Kept,
    pub(super) created_ms: i64,
}

/// A record, and what it takes to change it.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) record: T,
    pub(super) revision: u64,
}

fn parse<T: DeserializeOwned>(document: &Document) -> Result<Found<T>, StoreError> {
    let record = serde_json::from_slice(&document.value).map_err(|_| StoreError::failed("a record is damaged"))?;
    Ok(Found { record, revision: document.revision })
}

/// A record by its id.
pub(super) async fn find<T: DeserializeOwned>(
    store: &dyn Store,
    table: Table,
    id: &str,
) -> Result<Option<Found<T>>, StoreError> {
    if id.len() > store::limits::MAX_KEY_BYTES {
        return Ok(None);
    }
    store.get(table, id).await?.map(|document| parse(&document)).transpose()
}

/// Those that `may` be listed, with their ids, as they come.
pub(super) async fn list<T: DeserializeOwned>(
    store: &dyn Store,
    table: Table,
    may: impl Fn(&str, &T) -> bool,
) -> Result<Vec<(String, T)>, StoreError> {
    let rows = store.list(table, "", "", MAX_SCANNED).await?;
    let parsed = rows.into_iter().filter_map(|row| Some((row.key, parse(&row.document).ok()?.record)));
    Ok(parsed.filter(|(id, record)| may(id, record)).collect())
}

/// The newest first, as many as one answer holds.
pub(super) fn newest<T>(mut all: Vec<(String, T)>, created_ms: impl Fn(&T) -> i64) -> Vec<(String, T)> {
    all.sort_by_key(|(_, record)| std::cmp::Reverse(created_ms(record)));
    all.truncate(MAX_LISTED);
    all
}

fn owned_key(owner: &str, table: Table, id: &str) -> String {
    format!("{owner}\n{}\n{id}", table.0)
}

/// The ids of what somebody has, `limit` at most.
pub(super) async fn owned(
    store: &dyn Store,
    owner: &str,
    table: Table,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let prefix = owned_key(owner, table, "");
    let rows = store.list(OWNED, &prefix, "", limit).await?;
    Ok(rows.into_iter().filter_map(|row| row.key.strip_prefix(&prefix).map(str::to_owned)).collect())
}

/// Writes a record; where there is none yet, or where it is still of this revision.
pub(super) fn write<T: Serialize>(table: Table, id: &str, record: &T, revision: Option<u64>) -> Change {
    let expect = revision.map_or(Expect::Absent, Expect::Revision);
    // These structs have no keys that JSON can't have.
    let json = serde_json::to_vec(record).unwrap_or_default();
    Change::put(table, id, json).expecting(expect)
}

/// Somebody has it from now on, and it takes so many bytes in the vault.
pub(super) fn own(owner: &str, table: Table, id: &str, bytes: u64) -> Change {
    Change::put(OWNED, owned_key(owner, table, id), bytes.to_string())
}

/// How many bytes all that somebody has takes in the vault.
pub(super) async fn kept_bytes(store: &dyn Store, owner: &str) -> Result<u64, StoreError> {
    let prefix = format!("{owner}\n");
    let (mut bytes, mut after) = (0_u64, String::new());
    loop {
        let rows = store.list(OWNED, &prefix, &after, MAX_SCANNED).await?;
        let Some(last) = rows.last() else { return Ok(bytes) };
        after.clone_from(&last.key);
        for row in &rows {
            let each = std::str::from_utf8(&row.document.value).ok().and_then(|bytes| bytes.parse().ok());
            bytes = bytes.saturating_add(each.unwrap_or(0));
        }
    }
}

/// It is gone.
pub(super) fn remove(owner: &str, table: Table, id: &str) -> [Change; 2] {
    [Change::delete(table, id).expecting(Expect::Present), Change::delete(OWNED, owned_key(owner, table, id))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Sqlite;

    fn livestream(owner: &str, created_ms: i64) -> Livestream {
        let text = || "t".to_owned();
        Livestream { owner: owner.to_owned(), title: text(), description: text(), artist: text(), created_ms }
    }

    #[tokio::test]
    async fn what_somebody_has_is_found_until_it_is_removed() {
        let store = Sqlite::in_memory().unwrap();
        let record = livestream("ann", 1);
        let changes = vec![write(LIVESTREAMS, "a", &record, None), own("ann", LIVESTREAMS, "a", 7)];
        store.commit(changes.clone()).await.unwrap();
        assert_eq!(store.commit(changes).await, Err(StoreError::Conflict), "an id is given once");
        assert_eq!(find::<Livestream>(&store, LIVESTREAMS, "a").await.unwrap().unwrap().record, record);
        assert_eq!(owned(&store, "ann", LIVESTREAMS, 9).await.unwrap(), ["a"]);
        assert!(owned(&store, "an", LIVESTREAMS, 9).await.unwrap().is_empty());
        store.commit(vec![own("ann", PODCASTS, "b", 35), own("anna", PODCASTS, "c", 1)]).await.unwrap();
        assert_eq!(kept_bytes(&store, "ann").await.unwrap(), 42);
        store.commit(remove("ann", PODCASTS, "b").into()).await.unwrap_err();
        store.commit(vec![own("ann", PODCASTS, "b", 30)]).await.unwrap();
        assert_eq!(kept_bytes(&store, "ann").await.unwrap(), 37, "the newest figure counts");
        store.commit(remove("ann", LIVESTREAMS, "a").into()).await.unwrap();
        assert!(owned(&store, "ann", LIVESTREAMS, 9).await.unwrap().is_empty());
    }

    #[test]
    fn lists_begin_with_the_newest() {
        let all = vec![("a".to_owned(), livestream("x", 1)), ("b".to_owned(), livestream("x", 2))];
        let ids: Vec<_> = newest(all, |record| record.created_ms).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["b", "a"]);
    }
}
