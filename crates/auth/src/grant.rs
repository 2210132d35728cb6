//! What a token says (L-49, L-51): LiveKit's claims, under LiveKit's names.
//!
//! What this server has no use for (`roomConfig`, `sip`, `inference`…) is kept in `extra`, so that a refreshed token
//! says the same as the one that it replaces.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The claims of an access token.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// API key that signed it.
    pub iss: String,
    /// Identity of the participant. Empty in tokens that only administer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub: String,
    /// Identity, where `sub` is missing (older SDKs).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// Unix seconds before which it is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Unix seconds from which on it is not valid. Required: a token that never ends cannot be taken back.
    pub exp: u64,
    /// Shown to people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Free text (L-42).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    /// Key and value, both free.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// `standard`, `ingress`, `egress`, `sip` or `agent`; empty is standard.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Of the body that the token vouches for (webhooks), base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// What it allows.
    #[serde(default)]
    pub video: VideoGrant,
    /// Drawn by the web page for anybody who asked: counts as no token where a room's access is decided.
    #[serde(default, skip_serializing_if = "is_false")]
    pub odeon_page: bool,
    /// Somebody who has an account here, which anybody can have: counts as no token likewise, and grants nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub odeon_account: bool,
    /// Everything else, untouched.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The `video` claim.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VideoGrant {
    /// May create and delete rooms.
    #[serde(skip_serializing_if = "is_false")]
    pub room_create: bool,
    /// May list rooms.
    #[serde(skip_serializing_if = "is_false")]
    pub room_list: bool,
    /// May record rooms.
    #[serde(skip_serializing_if = "is_false")]
    pub room_record: bool,
    /// May administer `room`.
    #[serde(skip_serializing_if = "is_false")]
    pub room_admin: bool,
    /// May join `room`.
    #[serde(skip_serializing_if = "is_false")]
    pub room_join: bool,
    /// The room's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// May move and forward participants of `room` to this one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub destination_room: String,
    /// `None`: yes (L-51).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish: Option<bool>,
    /// `None`: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe: Option<bool>,
    /// `None`: as `can_publish`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish_data: Option<bool>,
    /// `camera`, `microphone`, `screen_share`, `screen_share_audio`; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub can_publish_sources: Vec<String>,
    /// `None`: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_update_own_metadata: Option<bool>,
    /// `None`: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe_metrics: Option<bool>,
    /// `None`: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_manage_agent_session: Option<bool>,
    /// May make and change ingresses.
    #[serde(skip_serializing_if = "is_false")]
    pub ingress_admin: bool,
    /// Not shown to others.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// A recorder.
    #[serde(skip_serializing_if = "is_false")]
    pub recorder: bool,
    /// An agent, or a worker that makes agents.
    #[serde(skip_serializing_if = "is_false")]
    pub agent: bool,
    /// Everything else, untouched.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Claims {
    /// Who this is: `sub`, or `identity` where that is missing. May be empty.
    pub fn participant_identity(&self) -> &str {
        if self.sub.is_empty() { &self.identity } else { &self.sub }
    }

    /// Anybody can get it: it opens no door.
    pub fn is_anybodys(&self) -> bool {
        self.odeon_page || self.odeon_account
    }

    /// An operator's token: administers every room, joins none.
    pub fn is_operator(&self) -> bool {
        let video = &self.video;
        video.room_admin && video.room_create && video.room_list && !video.room_join && !self.is_anybodys()
    }

    /// May send participants of one room to another: by both names, or as an operator whose token names none.
    pub fn may_send(&self, room: &str, destination: &str) -> bool {
        let any = self.is_operator() && self.video.room.is_empty();
        self.may_administer(room) && (any || self.video.destination_room == destination)
    }

    /// May administer this room: by name, or as an operator whose token names none.
    pub fn may_administer(&self, room: &str) -> bool {
        let named = !room.is_empty() && self.video.room == room;
        self.video.room_admin && !self.is_anybodys() && (named || (self.is_operator() && self.video.room.is_empty()))
    }
}

impl VideoGrant {
    /// L-51: not said is allowed.
    pub fn may_publish(&self) -> bool {
        self.can_publish.unwrap_or(true)
    }

    /// L-51: not said is allowed.
    pub fn may_subscribe(&self) -> bool {
        self.can_subscribe.unwrap_or(true)
    }

    /// L-51: not said is as for tracks.
    pub fn may_publish_data(&self) -> bool {
        self.can_publish_data.unwrap_or_else(|| self.may_publish())
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}
