//! L-07, L-49 to L-52: a backend signs, the server reads, and the server's own tokens say what they should.

use auth::key::Strength;
use auth::mint::{PAGE_TOKEN_TTL_S, operator_token, page_token, refreshed};
use auth::{Claims, KeyStore, Secret, TokenError, VideoGrant, sign, verify};

const NOW: u64 = 1_800_000_000;

fn keys() -> KeyStore {
    let mut keys = KeyStore::new();
    keys.add("devkey", Secret::new("secret"), Strength::Development).unwrap();
    keys.add("second", Secret::new("a-secret-of-more-than-thirty-two-bytes"), Strength::Required).unwrap();
    keys
}

#[test]
fn l_07_l_49_what_a_backend_signs_is_what_the_server_reads() {
    // L-07, L-49: every claim that the SDKs write, and some that we have no use for.
    let claims: Claims = serde_json::from_str(
        r#"{"name":"Alice","metadata":"m","attributes":{"seat":"4"},"kind":"agent",
            "video":{"roomJoin":true,"room":"r","canPublish":false,"canPublishSources":["camera"],"destinationRoom":"x","hologram":"y"},
            "roomConfig":{"name":"c"},"sip":{"admin":true},"iss":"devkey","exp":1800000600,"nbf":0,"sub":"alice"}"#,
    )
    .unwrap();
    let read = verify(&sign(&claims, &keys()).unwrap(), &keys(), NOW).unwrap();
    assert_eq!(read, claims);
    assert_eq!(read.participant_identity(), "alice");
    assert_eq!(read.video.can_publish_sources, ["camera"]);
    assert_eq!(read.extra["roomConfig"]["name"], "c");
    assert_eq!((read.video.destination_room.as_str(), &read.video.extra["hologram"]), ("x", &"y".into()));
}

#[test]
fn l_49_a_token_of_the_reference_implementation_verifies() {
    // Signed by another implementation of HMAC (CPython), so that a mistake of ours is not its own witness.
    let token = include_str!("foreign_token.txt").trim();
    let claims = verify(token, &keys(), 1_795_149_759).unwrap();
    assert_eq!(claims.participant_identity(), "alice");
    assert!(claims.video.room_join);
}

#[test]
fn l_51_permissions_that_are_not_set_are_given() {
    // L-51
    let none = VideoGrant::default();
    assert!(none.may_publish() && none.may_subscribe() && none.may_publish_data());
    let audience = VideoGrant { can_publish: Some(false), ..VideoGrant::default() };
    assert!(!audience.may_publish() && audience.may_subscribe() && !audience.may_publish_data());
    let chatty = VideoGrant { can_publish_data: Some(true), ..audience };
    assert!(chatty.may_publish_data());
}

#[test]
fn an_operator_administers_every_room_and_joins_none() {
    let token = operator_token(&keys(), NOW, 3600).unwrap();
    let claims = verify(&token, &keys(), NOW).unwrap();
    assert!(claims.is_operator() && claims.may_administer("any"));
    assert!(!claims.video.room_join);
    assert_eq!(verify(&token, &keys(), NOW + 3660), Err(TokenError::Expired));
}

#[test]
fn room_admin_is_for_the_named_room_only() {
    let video = VideoGrant { room_admin: true, room: "r".into(), ..VideoGrant::default() };
    let mut claims = Claims { video, ..Claims::default() };
    assert!(claims.may_administer("r") && !claims.may_administer("other") && !claims.is_operator());
    claims.video.room.clear();
    assert!(!claims.may_administer("") && !claims.may_administer("r"));
}

#[test]
fn a_page_token_lasts_ten_minutes_is_marked_and_never_administers() {
    let token = page_token(&keys(), NOW, "r", "guest-1", "Ann").unwrap();
    let claims = verify(&token, &keys(), NOW).unwrap();
    assert!(claims.odeon_page && claims.video.room_join && claims.video.may_publish());
    assert_eq!((claims.video.room.as_str(), claims.exp), ("r", NOW + PAGE_TOKEN_TTL_S));
    let raised = Claims {
        video: VideoGrant { room_admin: true, room_create: true, room_list: true, ..claims.video.clone() },
        ..claims
    };
    assert!(!raised.may_administer("r") && !raised.is_operator());
}

#[test]
fn l_52_a_refreshed_token_says_the_same_for_longer() {
    // L-52
    let page = verify(&page_token(&keys(), NOW, "r", "guest-1", "Ann").unwrap(), &keys(), NOW).unwrap();
    let later = verify(&refreshed(&page, &keys(), NOW + 300).unwrap(), &keys(), NOW + 800).unwrap();
    assert_eq!(later.exp, NOW + 900);
    assert!(later.odeon_page, "a page token stays one");
    assert_eq!(later.video, page.video);
}

#[test]
fn without_a_key_nothing_is_signed_and_nothing_verified() {
    let none = KeyStore::new();
    assert_eq!(operator_token(&none, NOW, 60), Err(TokenError::UnknownKey));
    let token = operator_token(&keys(), NOW, 60).unwrap();
    assert_eq!(verify(&token, &none, NOW), Err(TokenError::UnknownKey));
}

#[test]
fn c_18_an_accounts_token_says_who_and_allows_nothing() {
    // C-18, product.md «Access»: account tokens count as none.
    let keys = keys();
    let token = auth::mint::account_token(&keys, NOW, "u-1", "Mari").unwrap();
    let claims = verify(&token, &keys, NOW).unwrap();
    assert_eq!((claims.participant_identity(), claims.name.as_str()), ("u-1", "Mari"));
    assert!(claims.odeon_account && claims.is_anybodys() && !claims.is_operator());
    assert!(!claims.video.room_join && !claims.may_administer("r"));
    assert_eq!(claims.exp - NOW, auth::mint::ACCOUNT_TTL_S);
}
