//! What moderators have said, as it is kept: the chat's rules, who may not write, who may not come in. It outlives the
//! room and the process.

use super::limits::MAX_ORDERS_READ;
use crate::clock;
use bytes::Bytes;
use room::limits::{MAX_BANS, MAX_SLOW_MODE_S};
use room::moderation::BanList;
use room::{Banned, ChatRules, Identity, Moderation, Orders, Origin};
use serde::{Deserialize, Serialize};
use store::{Change, Store, StoreError, Table};

const RULES: Table = Table("chat_rules");
/// Of those who may not come in and those who may not write: a room's, and the house's.
const BANS: Table = Table("bans");

/// Where an order holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope<'a> {
    /// In one room.
    Room(&'a str),
    /// In every room.
    House,
}

/// The chat's rules, as JSON.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct RulesRecord {
    closed: bool,
    slow_mode_s: u32,
}

/// Of each mute and ban, as JSON: when it was said. Whom it is about is its key.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct OrderRecord {
    at_ms: i64,
}

/// Everything that was said about a room.
pub(super) async fn of_room(store: &dyn Store, room: &str) -> Result<Orders, StoreError> {
    let rules = store.get(RULES, room).await?;
    let rules = rules.and_then(|document| serde_json::from_slice(&document.value).ok()).unwrap_or_default();
    let RulesRecord { closed, slow_mode_s } = rules;
    Ok(Orders {
        rules: ChatRules { closed, slow_mode_s: slow_mode_s.min(MAX_SLOW_MODE_S) },
        muted: muted(store, room).await?,
        bans: bans(store, Scope::Room(room)).await?,
    })
}

/// Who may not come in.
pub(super) async fn bans(store: &dyn Store, scope: Scope<'_>) -> Result<BanList, StoreError> {
    let mut list = BanList::default();
    for name in names(store, &prefix(scope, "ban"), MAX_BANS).await? {
        if let Some(banned) = banned(&name) {
            // It was not full when they were written.
            let _ = list.add(banned);
        }
    }
    Ok(list)
}

async fn muted(store: &dyn Store, room: &str) -> Result<Vec<Identity>, StoreError> {
    let names = names(store, &prefix(Scope::Room(room), "mute"), MAX_ORDERS_READ).await?;
    let muted = names.iter().filter_map(|name| match banned(name) {
        Some(Banned::Identity(identity)) => Some(identity),
        _ => None,
    });
    Ok(muted.collect())
}

/// The rest of the keys that begin so.
async fn names(store: &dyn Store, prefix: &str, limit: usize) -> Result<Vec<String>, StoreError> {
    let rows = store.list(BANS, prefix, "", limit).await?;
    Ok(rows.iter().filter_map(|row| row.key.strip_prefix(prefix).map(str::to_owned)).collect())
}

/// What a request changes in the store; `None`: it is not about what is kept here.
pub(super) fn change(scope: Scope<'_>, request: &Moderation) -> Option<Change> {
    match request {
        Moderation::SetRules(rules) => rules_change(scope, *rules),
        Moderation::Mute { identity, muted } => {
            let name = name(&Banned::Identity(identity.clone()));
            Some(order(prefix(scope, "mute") + &name, *muted))
        }
        Moderation::Ban(banned) => Some(order(prefix(scope, "ban") + &name(banned), true)),
        Moderation::Unban(banned) => Some(order(prefix(scope, "ban") + &name(banned), false)),
        Moderation::DeleteMessage { .. } | Moderation::ClearChat => None,
    }
}

fn rules_change(scope: Scope<'_>, rules: ChatRules) -> Option<Change> {
    let Scope::Room(room) = scope else { return None };
    let ChatRules { closed, slow_mode_s } = rules;
    Some(match rules == ChatRules::default() {
        true => Change::delete(RULES, room),
        false => Change::put(RULES, room, json(&RulesRecord { closed, slow_mode_s })),
    })
}

fn order(key: String, holds: bool) -> Change {
    match holds {
        true => Change::put(BANS, key, json(&OrderRecord { at_ms: clock::unix_ms() })),
        false => Change::delete(BANS, key),
    }
}

/// A room's name may hold anything: its length keeps its keys apart from those of other rooms.
fn prefix(scope: Scope<'_>, list: &str) -> String {
    match scope {
        Scope::Room(room) => format!("room:{}:{room}:{list}:", room.len()),
        Scope::House => format!("house:{list}:"),
    }
}

fn name(banned: &Banned) -> String {
    match banned.clone().normal() {
        Banned::Identity(identity) => format!("identity:{}", identity.seen_from(Origin::Token)),
        Banned::Address(address) => format!("address:{address}"),
    }
}

fn banned(name: &str) -> Option<Banned> {
    match name.split_once(':')? {
        ("identity", identity) => Some(Banned::Identity(Identity::named_by_token(identity))),
        ("address", address) => Some(Banned::Address(address.parse().ok()?)),
        _ => None,
    }
}

fn json(record: &impl Serialize) -> Bytes {
    serde_json::to_vec(record).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_whom_it_is_about() {
        let bus = Identity { origin: Origin::Bus, id: "a:b".into() };
        for whom in [
            Banned::Identity(Identity::token("alice")),
            Banned::Identity(bus),
            Banned::Address([192, 0, 2, 7].into()),
            Banned::Address("2001:db8:1:2::".parse().expect("an address")),
        ] {
            assert_eq!(banned(&name(&whom)), Some(whom));
        }
    }

    #[test]
    fn rooms_with_strange_names_are_kept_apart() {
        let (outer, inner) = ("a:ban:identity:x", "a");
        let key = prefix(Scope::Room(inner), "ban") + "identity:x:ban:y";
        assert!(!key.starts_with(&prefix(Scope::Room(outer), "ban")));
        assert!(!prefix(Scope::Room(outer), "ban").starts_with(&prefix(Scope::Room(inner), "ban")));
    }
}
