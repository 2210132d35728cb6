//! Whom a Socket.IO client claims to be, and for which livestream: in headers, or in the `auth` payload of its connect packet
//! (browsers can't set headers on a WebSocket).

use serde_json::{Map, Value};

/// The names, in headers and in the payload.
pub const ID_TOKEN: &str = "id-token";
/// See [`ID_TOKEN`].
pub const LIVESTREAM_ID: &str = "livestream-id";

/// Longest `auth` payload that is read, in bytes: a token of 16 KiB and what a client adds.
pub const MAX_AUTH_BYTES: usize = 20 * 1024;

/// What was claimed; nothing of it is checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claimed {
    /// Proves who it is.
    pub id_token: Option<String>,
    /// Where to.
    pub livestream_id: Option<String>,
}

impl Claimed {
    /// Reads the `auth` payload; what is no text, or empty, was not said.
    pub fn in_auth(auth: &str) -> Self {
        let object = (auth.len() <= MAX_AUTH_BYTES).then(|| serde_json::from_str::<Map<String, Value>>(auth).ok());
        let object = object.flatten().unwrap_or_default();
        let said = |name| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        Self { id_token: said(ID_TOKEN), livestream_id: said(LIVESTREAM_ID) }
    }

    /// These claims, and what the other ones say besides.
    pub fn or(self, other: Self) -> Self {
        Self { id_token: self.id_token.or(other.id_token), livestream_id: self.livestream_id.or(other.livestream_id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_counts_and_headers_fill_what_it_leaves_out() {
        let auth = Claimed::in_auth(r#"{"id-token":"t","other":1}"#);
        let headers = Claimed { id_token: Some("h".into()), livestream_id: Some("l".into()) };
        let both = Claimed { id_token: Some("t".into()), livestream_id: Some("l".into()) };
        assert_eq!(auth.or(headers), both);
    }

    #[test]
    fn c_02_c_03_what_is_no_text_was_not_said() {
        for auth in ["", "null", "[]", "{", r#"{"id-token":1,"livestream-id":null}"#, r#"{"id-token":""}"#] {
            assert_eq!(Claimed::in_auth(auth), Claimed::default(), "{auth}");
        }
        let long = format!(r#"{{"id-token":"{}"}}"#, "x".repeat(MAX_AUTH_BYTES));
        assert_eq!(Claimed::in_auth(&long), Claimed::default());
    }
}
