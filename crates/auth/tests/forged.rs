//! Q-20: what a forger tries, one by one, and that nothing of it is accepted.

use auth::key::Strength;
use auth::{Claims, KeyStore, Secret, TokenError, VideoGrant, sign, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "a-secret-of-more-than-thirty-two-bytes";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const CLAIMS: &str =
    r#"{"iss":"key","sub":"alice","nbf":1799999990,"exp":1800000600,"video":{"roomJoin":true,"room":"r"}}"#;

fn keys() -> KeyStore {
    let mut keys = KeyStore::new();
    keys.add("key", Secret::new(SECRET), Strength::Required).unwrap();
    keys
}

/// A token with this header and these claims, honestly signed with `secret`.
fn signed(header: &str, claims: &str, secret: &str, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn with_claims(claims: &str) -> Result<Claims, TokenError> {
    verify(&signed(HEADER, claims, SECRET, Algorithm::HS256), &keys(), NOW)
}

fn with_header(header: &str) -> Result<Claims, TokenError> {
    verify(&signed(header, CLAIMS, SECRET, Algorithm::HS256), &keys(), NOW)
}

#[test]
fn the_honest_one_passes() {
    // L-49: otherwise the refusals below would mean nothing.
    assert_eq!(with_claims(CLAIMS).unwrap().participant_identity(), "alice");
}

#[test]
fn q_20_no_algorithm_but_hs256() {
    // Q-20: none/None, HS/RS mix.
    for alg in ["none", "None", "NONE", "nOnE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA"] {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        assert_eq!(with_header(&header), Err(TokenError::Algorithm), "{alg}");
    }
    for header in [r#"{"typ":"JWT"}"#, r#"{"alg":null}"#, r#"{"alg":["HS256"]}"#, r#"{"alg":{"HS256":1}}"#] {
        assert_eq!(with_header(header), Err(TokenError::Algorithm), "{header}");
    }
    assert_eq!(with_header(r#"{"alg":"HS256","crit":["exp"]}"#), Err(TokenError::Algorithm));
    let hs512 = signed(HEADER, CLAIMS, SECRET, Algorithm::HS512);
    assert_eq!(verify(&hs512, &keys(), NOW), Err(TokenError::Signature));
}

#[test]
fn q_20_no_signature_is_no_signature() {
    let good = signed(HEADER, CLAIMS, SECRET, Algorithm::HS256);
    let (message, signature) = good.rsplit_once('.').unwrap();
    for bad in ["", "AAAA", &signature[1..], &format!("{signature}="), &format!("{signature}A"), "...", "%00"] {
        let token = format!("{message}.{bad}");
        assert!(verify(&token, &keys(), NOW).is_err(), "{bad}");
    }
    assert_eq!(verify(message, &keys(), NOW).unwrap_err(), TokenError::Malformed);
}

#[test]
fn q_20_the_key_is_found_by_issuer_alone() {
    // Q-20: kid path. Signed with what /dev/null holds, or with the wrong secret.
    for kid in ["../../../../dev/null", "/dev/null", "key' UNION SELECT 'x", "key|whoami"] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        for secret in ["x", "secret", "key"] {
            let token = signed(&header, CLAIMS, secret, Algorithm::HS256);
            assert_eq!(verify(&token, &keys(), NOW), Err(TokenError::Signature), "{kid}");
        }
    }
    let jwk = r#"{"alg":"HS256","jwk":{"kty":"oct","k":"c2VjcmV0"},"jku":"https://evil.example/keys"}"#;
    assert!(verify(&signed(jwk, CLAIMS, "secret", Algorithm::HS256), &keys(), NOW).is_err());
    let stranger = CLAIMS.replace(r#""iss":"key""#, r#""iss":"other""#);
    assert_eq!(with_claims(&stranger), Err(TokenError::UnknownKey));
    for iss in ["", r#""iss":5,"#, r#""iss":null,"#, r#""iss":["key"],"#] {
        assert_eq!(with_claims(&CLAIMS.replace(r#""iss":"key","#, iss)), Err(TokenError::Claims), "{iss}");
    }
}

#[test]
fn q_20_times_are_whole_numbers_and_exp_is_required() {
    // Q-20: exp as string, negative, missing; nbf.
    let malformed = [
        r#""exp":"1800000600""#,
        r#""exp":-1"#,
        r#""exp":1.8e9"#,
        r#""exp":null"#,
        r#""exp":true"#,
        r#""exp":[1800000600]"#,
        r#""exp":99999999999999999999"#,
        r#""EXP":1800000600"#,
        r#""exp":1800000600,"nbf":"0""#,
        r#""exp":1800000600,"nbf":-5"#,
    ];
    for exp in malformed {
        assert_eq!(with_claims(&format!(r#"{{"iss":"key","sub":"a",{exp}}}"#)), Err(TokenError::Claims), "{exp}");
    }
    assert_eq!(with_claims(r#"{"iss":"key","sub":"a"}"#), Err(TokenError::Claims));
    assert_eq!(with_claims(r#"{"iss":"key","exp":0}"#), Err(TokenError::Expired));
}

#[test]
fn l_52_expiry_and_start_have_a_minute_of_leeway_and_no_more() {
    // L-52, Q-20
    let at = |nbf: u64, exp: u64| with_claims(&format!(r#"{{"iss":"key","nbf":{nbf},"exp":{exp}}}"#)).err();
    assert_eq!(at(0, NOW - 59), None);
    assert_eq!(at(0, NOW - 60), Some(TokenError::Expired));
    assert_eq!(at(NOW + 60, NOW + 600), None);
    assert_eq!(at(NOW + 61, NOW + 600), Some(TokenError::NotYet));
    assert_eq!(at(0, u64::MAX), None);
    assert_eq!(at(u64::MAX, u64::MAX), Some(TokenError::NotYet));
}

#[test]
fn q_20_a_key_said_twice_is_refused_wherever_it_is() {
    // Q-20: duplicate keys.
    let twice = [
        r#"{"iss":"key","exp":1,"exp":1800000600}"#,
        r#"{"iss":"key","iss":"key","exp":1800000600}"#,
        r#"{"iss":"key","exp":1800000600,"video":{"room":"a","room":"b"}}"#,
        r#"{"iss":"key","exp":1800000600,"video":{},"video":{"roomAdmin":true}}"#,
        r#"{"iss":"key","exp":1800000600,"roomConfig":{"x":1,"x":2}}"#,
        r#"{"iss":"key","\u0065xp":1,"exp":1800000600}"#,
    ];
    for claims in twice {
        assert_eq!(with_claims(claims), Err(TokenError::Malformed), "{claims}");
    }
    assert_eq!(with_header(r#"{"alg":"none","alg":"HS256"}"#), Err(TokenError::Malformed));
}

#[test]
fn q_20_grants_have_their_types() {
    for video in [r#"{"roomJoin":"true"}"#, r#"{"roomJoin":1}"#, r#"{"room":5}"#, r#"[]"#, r#""all""#] {
        let claims = format!(r#"{{"iss":"key","exp":1800000600,"video":{video}}}"#);
        assert_eq!(with_claims(&claims), Err(TokenError::Claims), "{video}");
    }
}

#[test]
fn q_20_a_megabyte_is_refused_by_its_length() {
    // Q-20: 1 MB; and one byte over the limit, though rightly signed.
    assert_eq!(verify(&"a".repeat(1_000_000), &keys(), NOW), Err(TokenError::TooLong));
    let metadata = "m".repeat(12_600);
    let long = format!(r#"{{"iss":"key","exp":1800000600,"metadata":"{metadata}"}}"#);
    assert_eq!(with_claims(&long), Err(TokenError::TooLong));
    let deep = format!(r#"{{"iss":"key","exp":1800000600,"x":{}}}"#, "[".repeat(5_000));
    assert_eq!(with_claims(&deep), Err(TokenError::Malformed));
}

#[test]
fn q_20_an_identity_of_another_origin_is_refused() {
    for prefix in ["token:", "bus:", "castaway:", "phoenix:", "membrane:", "ingress:"] {
        for field in ["sub", "identity"] {
            let claims = format!(r#"{{"iss":"key","exp":1800000600,"{field}":"{prefix}alice"}}"#);
            assert_eq!(with_claims(&claims), Err(TokenError::ReservedIdentity), "{claims}");
        }
    }
    assert!(with_claims(r#"{"iss":"key","exp":1800000600,"sub":"busy:alice"}"#).is_ok());
}

#[test]
fn q_20_no_bit_of_a_token_can_be_turned() {
    // Q-20, Q-6: every bit of a good token flipped, and every truncation of it.
    let claims =
        Claims { iss: "key".into(), sub: "alice".into(), exp: NOW, video: VideoGrant::default(), ..Claims::default() };
    let good = sign(&claims, &keys()).unwrap();
    for cut in 0..good.len() {
        assert!(verify(&good[..cut], &keys(), NOW).is_err());
    }
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        auth::fuzz::token(&bytes);
        let Ok(text) = String::from_utf8(bytes) else { continue };
        assert!(verify(&text, &keys(), NOW).is_err(), "bit {bit}");
    }
}
