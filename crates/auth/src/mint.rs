//! The tokens that the server makes itself.

use crate::grant::{Claims, VideoGrant};
use crate::key::KeyStore;
use crate::token::{TokenError, sign};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::BTreeMap;

/// Life of a page token, in seconds (product.md, «Page token»): long enough to choose a camera, too short to trade.
pub const PAGE_TOKEN_TTL_S: u64 = 10 * 60;

/// Life of a refreshed token, in seconds (L-52). A new one comes every 5 minutes, so there are always 5 left.
pub const REFRESH_TTL_S: u64 = 10 * 60;

/// Life of a webhook's token, in seconds: the reference's (livekit.md 3, «webhooks»).
pub const WEBHOOK_TTL_S: u64 = 5 * 60;

/// Life of an agent's token, in seconds: the reference's. Refreshed tokens follow while it is there.
pub const AGENT_TTL_S: u64 = 60 * 60;

/// Life of an account's token, in seconds: what the phone app was written for (Firebase's).
pub const ACCOUNT_TTL_S: u64 = 60 * 60;

/// A token that administers every room and joins none (product.md, «Role»).
///
/// # Errors
/// [`TokenError::UnknownKey`] when there is no key at all.
pub fn operator_token(keys: &KeyStore, now_unix: u64, ttl_s: u64) -> Result<String, TokenError> {
    let video = VideoGrant { room_admin: true, room_create: true, room_list: true, ..VideoGrant::default() };
    sign(&Claims { video, ..own_claims(keys, now_unix, ttl_s)? }, keys)
}

/// What the web page joins with: whatever everybody may in an open room, for ten minutes, and never administration.
/// `identity` is drawn by the server.
///
/// # Errors
/// [`TokenError::UnknownKey`] when there is no key at all.
pub fn page_token(
    keys: &KeyStore,
    now_unix: u64,
    room: &str,
    identity: &str,
    name: &str,
) -> Result<String, TokenError> {
    let video = VideoGrant {
        room_join: true,
        room: room.to_owned(),
        // The page lets people change their own name; it is theirs to choose anyway.
        can_update_own_metadata: Some(true),
        ..VideoGrant::default()
    };
    let claims = Claims {
        sub: identity.to_owned(),
        name: name.to_owned(),
        video,
        odeon_page: true,
        ..own_claims(keys, now_unix, PAGE_TOKEN_TTL_S)?
    };
    sign(&claims, keys)
}

/// What somebody with an account shows, for [`ACCOUNT_TTL_S`]: who they are, and nothing that they may.
///
/// # Errors
/// [`TokenError::UnknownKey`] when there is no key at all.
pub fn account_token(keys: &KeyStore, now_unix: u64, account: &str, name: &str) -> Result<String, TokenError> {
    let own = own_claims(keys, now_unix, ACCOUNT_TTL_S)?;
    let video = VideoGrant {
        can_publish: Some(false),
        can_subscribe: Some(false),
        can_publish_data: Some(false),
        ..VideoGrant::default()
    };
    sign(&Claims { sub: account.to_owned(), name: name.to_owned(), odeon_account: true, video, ..own }, keys)
}

/// The same token, valid from now on for [`REFRESH_TTL_S`] (L-52: a client reconnects with it).
///
/// # Errors
/// [`TokenError::UnknownKey`] when its key has gone meanwhile.
pub fn refreshed(claims: &Claims, keys: &KeyStore, now_unix: u64) -> Result<String, TokenError> {
    let exp = now_unix.saturating_add(REFRESH_TTL_S);
    sign(&Claims { nbf: Some(now_unix), exp, ..claims.clone() }, keys)
}

/// As whom an agent joins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AgentIdentity {
    /// Unique in its room.
    pub identity: String,
    /// Shown to people.
    pub name: String,
    /// Free text.
    pub metadata: String,
    /// Key and value.
    pub attributes: BTreeMap<String, String>,
}

/// What an agent joins with, for a job that it was given (L-68).
///
/// # Errors
/// [`TokenError::UnknownKey`] when there is no key at all.
pub fn agent_token(
    keys: &KeyStore,
    now_unix: u64,
    who: AgentIdentity,
    video: VideoGrant,
) -> Result<String, TokenError> {
    let AgentIdentity { identity, name, metadata, attributes } = who;
    let own = own_claims(keys, now_unix, AGENT_TTL_S)?;
    sign(&Claims { sub: identity, name, metadata, attributes, kind: "agent".to_owned(), video, ..own }, keys)
}

/// What a webhook's body is vouched for with (L-58): signed by `key`, valid for [`WEBHOOK_TTL_S`].
///
/// # Errors
/// [`TokenError::UnknownKey`] when there is no such key.
pub fn webhook_token(keys: &KeyStore, key: &str, body: &[u8], now_unix: u64) -> Result<String, TokenError> {
    let sha256 = BASE64.encode(digest(&SHA256, body));
    let claims = Claims {
        iss: key.to_owned(),
        nbf: Some(now_unix),
        exp: now_unix.saturating_add(WEBHOOK_TTL_S),
        sha256,
        extra: [("iat".to_owned(), now_unix.into())].into_iter().collect(),
        ..Claims::default()
    };
    sign(&claims, keys)
}

fn own_claims(keys: &KeyStore, now_unix: u64, ttl_s: u64) -> Result<Claims, TokenError> {
    let (key, _) = keys.primary().ok_or(TokenError::UnknownKey)?;
    let exp = now_unix.saturating_add(ttl_s);
    Ok(Claims { iss: key.to_owned(), nbf: Some(now_unix), exp, ..Claims::default() })
}
