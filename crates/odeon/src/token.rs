//! `odeon token create`.

use crate::cli::TokenRequest;
use crate::config::nearest;
use auth::{Claims, KeyStore, VideoGrant};
use serde_json::{Map, Value};

/// Grants that can be asked for, by LiveKit's names, and what each takes.
const GRANTS: &[(&str, Takes)] = &[
    ("roomCreate", Takes::Flag),
    ("roomList", Takes::Flag),
    ("roomRecord", Takes::Flag),
    ("roomAdmin", Takes::Flag),
    ("roomJoin", Takes::Flag),
    ("canPublish", Takes::Flag),
    ("canSubscribe", Takes::Flag),
    ("canPublishData", Takes::Flag),
    ("canPublishSources", Takes::List),
    ("canUpdateOwnMetadata", Takes::Flag),
    ("ingressAdmin", Takes::Flag),
    ("hidden", Takes::Flag),
    ("recorder", Takes::Flag),
    ("agent", Takes::Flag),
];

#[derive(Clone, Copy)]
enum Takes {
    Flag,
    List,
}

/// A signed token, as asked for. The error says what is wrong with the request.
pub fn create(request: &TokenRequest, keys: &KeyStore, now_unix: u64) -> Result<String, String> {
    let ttl_s = request.ttl.as_secs().max(1);
    if request.operator {
        return auth::mint::operator_token(keys, now_unix, ttl_s).map_err(|error| error.to_string());
    }
    let (key, _) = keys.primary().ok_or("there is no key to sign with")?;
    let claims = Claims {
        iss: key.to_owned(),
        sub: request.identity.clone().unwrap_or_default(),
        nbf: Some(now_unix),
        exp: now_unix.saturating_add(ttl_s),
        name: request.name.clone(),
        metadata: request.metadata.clone(),
        video: video(request)?,
        ..Claims::default()
    };
    let token = auth::sign(&claims, keys).map_err(|error| error.to_string())?;
    // A token that the server would refuse (a reserved identity, too long) is better refused here.
    auth::verify(&token, keys, now_unix).map(|_| token).map_err(|error| error.to_string())
}

fn video(request: &TokenRequest) -> Result<VideoGrant, String> {
    let mut grants = Map::new();
    grants.insert("roomJoin".into(), true.into());
    for text in &request.grants {
        let (name, value) = grant(text)?;
        grants.insert(name.to_owned(), value);
    }
    let room = request.room.clone().unwrap_or_default();
    grants.insert("room".into(), room.into());
    serde_json::from_value(Value::Object(grants)).map_err(|error| error.to_string())
}

fn grant(text: &str) -> Result<(&'static str, Value), String> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let Some((name, takes)) = GRANTS.iter().find(|(known, _)| *known == name) else {
        return Err(unknown_grant(name));
    };
    let value = match (takes, value) {
        (Takes::Flag, None | Some("true")) => true.into(),
        (Takes::Flag, Some("false")) => false.into(),
        (Takes::List, Some(list)) => list.split(',').map(str::trim).collect(),
        (Takes::Flag, _) => return Err(format!("{name} takes true or false")),
        (Takes::List, None) => return Err(format!("{name} takes a list, such as {name}=camera,microphone")),
    };
    Ok((name, value))
}

fn unknown_grant(name: &str) -> String {
    match nearest(name, GRANTS.iter().map(|(known, _)| *known)) {
        Some(nearest) => format!("no grant is called {name:?}; did you mean {nearest:?}?"),
        None => format!("no grant is called {name:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::key::{Secret, Strength};
    use std::time::Duration;

    const NOW: u64 = 1_700_000_000;

    fn keys() -> KeyStore {
        let mut keys = KeyStore::new();
        keys.add("devkey", Secret::new("secret"), Strength::Development).unwrap();
        keys
    }

    fn request(grants: &[&str]) -> TokenRequest {
        TokenRequest {
            room: Some("residence".into()),
            identity: Some("alice".into()),
            ttl: Duration::from_secs(60),
            grants: grants.iter().map(ToString::to_string).collect(),
            ..TokenRequest::default()
        }
    }

    fn claims(request: &TokenRequest) -> Claims {
        auth::verify(&create(request, &keys(), NOW).unwrap(), &keys(), NOW).unwrap()
    }

    // L-49: what the token says; L-51: none set means all allowed.
    #[test]
    fn l_49_a_token_lets_its_participant_into_its_room() {
        let claims = claims(&TokenRequest { name: "Alice".into(), metadata: "seat 4".into(), ..request(&[]) });
        assert_eq!((claims.sub.as_str(), claims.name.as_str(), claims.metadata.as_str()), ("alice", "Alice", "seat 4"));
        assert_eq!((claims.video.room.as_str(), claims.video.room_join, claims.exp), ("residence", true, NOW + 60));
        assert!(claims.video.may_publish() && claims.video.may_subscribe() && !claims.video.room_admin);
    }

    #[test]
    fn l_51_grants_are_given_and_taken_by_livekits_names() {
        let claims = claims(&request(&["roomAdmin", "canPublish=false", "canPublishSources=camera, microphone"]));
        assert!(claims.video.room_admin && !claims.video.may_publish());
        assert_eq!(claims.video.can_publish_sources, ["camera", "microphone"]);
    }

    #[test]
    fn a_misspelt_grant_is_refused_with_the_nearest() {
        let error = create(&request(&["roomAdmn"]), &keys(), NOW).unwrap_err();
        assert!(error.contains("roomAdmin"), "{error}");
        assert!(create(&request(&["canPublish=maybe"]), &keys(), NOW).is_err());
        assert!(create(&request(&["canPublishSources"]), &keys(), NOW).is_err());
    }

    #[test]
    fn an_operators_token_administers_and_joins_nothing() {
        let operator = TokenRequest { operator: true, ttl: Duration::from_secs(60), ..TokenRequest::default() };
        assert!(claims(&operator).is_operator());
    }

    #[test]
    fn an_identity_that_belongs_to_another_origin_is_refused() {
        assert!(create(&TokenRequest { identity: Some("bus:bob".into()), ..request(&[]) }, &keys(), NOW).is_err());
    }
}
