//! Access tokens, made as an app's backend makes them (L-49): with a JWT library, not with our own crate `auth`,
//! so that both sides of the check don't share a mistake.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// How long a token is good for: longer than any run.
const TTL_SECONDS: u64 = 6 * 3600;

/// An API key and its secret.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Becomes `iss`.
    pub key: String,
    /// Signs (HS256).
    pub secret: String,
}

impl Default for ApiKey {
    /// What `odeon --dev` takes.
    fn default() -> Self {
        Self { key: "devkey".into(), secret: "secret".into() }
    }
}

/// The `video` grant: LiveKit's names (L-51). `None` leaves a permission out, which means its default.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The room that may be joined.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// May join.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub room_join: bool,
    /// May administrate `room`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub room_admin: bool,
    /// May create and delete rooms.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub room_create: bool,
    /// May list rooms.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub room_list: bool,
    /// May publish tracks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish: Option<bool>,
    /// May receive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe: Option<bool>,
    /// May send data packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish_data: Option<bool>,
    /// May change its own metadata, name and attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_update_own_metadata: Option<bool>,
    /// Not shown to others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

impl Grant {
    /// May join `room`, with every default.
    pub fn join(room: &str) -> Self {
        Self { room: room.into(), room_join: true, ..Self::default() }
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    nbf: u64,
    exp: u64,
    video: &'a Grant,
}

impl ApiKey {
    /// A token for `identity`, good for six hours from a minute ago.
    ///
    /// # Errors
    /// When the JWT library can't sign.
    pub fn token(&self, identity: &str, grant: &Grant) -> Result<String, jsonwebtoken::errors::Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let claims =
            Claims { iss: &self.key, sub: identity, name: "", nbf: now - 60, exp: now + TTL_SECONDS, video: grant };
        encode(&Header::default(), &claims, &EncodingKey::from_secret(self.secret.as_bytes()))
    }
}
