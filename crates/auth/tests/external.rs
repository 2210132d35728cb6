//! ID tokens of an outside issuer (castaway.md, «Tokens»): the honest one passes, and nothing that a forger tries (Q-20).

use auth::TokenError;
use auth::external::{Issuer, KeySet, Person, verify};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use std::sync::OnceLock;

const NOW: u64 = 1_800_000_000;
const HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"one"}"#;

fn key() -> &'static RsaKeyPair {
    static KEY: OnceLock<RsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

/// The modulus of a 2048-bit key out of its PKCS#1 form.
fn modulus(key: &RsaKeyPair) -> Vec<u8> {
    let der = key.public_key().as_ref();
    assert_eq!((der.len(), &der[265..]), (270, &[2, 3, 1, 0, 1][..]));
    der[9..265].to_vec()
}

fn jwk(key: &RsaKeyPair) -> Value {
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "e": "AQAB", "n": BASE64URL.encode(modulus(key)) })
}

fn set(keys: &[Value]) -> Result<KeySet, TokenError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example/app", "aud": "app", "sub": "uid-1", "name": "Mari", "email": "mari@venue.example",
        "iat": NOW - 10, "exp": NOW + 600,
    })
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims))
}

fn signed(header: &str, claims: &str) -> String {
    let message = message(header, claims);
    let mut signature = vec![0; key().public_modulus_len()];
    key().sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", BASE64URL.encode(signature))
}

fn check(token: &str) -> Result<Person, TokenError> {
    let issuer = Issuer { issuer: "https://id.example/app".into(), audience: "app".into() };
    verify(token, &issuer, &set(&[jwk(key())]).unwrap(), NOW)
}

fn check_claims(claims: &Value) -> Result<Person, TokenError> {
    check(&signed(HEADER, &claims.to_string()))
}

#[test]
fn the_honest_one_passes() {
    let mari = Person { subject: "uid-1".into(), name: "Mari".into(), email: "mari@venue.example".into() };
    assert_eq!(check_claims(&claims()), Ok(mari));
    assert!(check_claims(&with("aud", json!(["other", "app"]))).is_ok());
    let no_kid = signed(r#"{"alg":"RS256"}"#, &claims().to_string());
    assert!(check(&no_kid).is_ok(), "there is one key only");
}

#[test]
fn q_20_no_algorithm_but_rs256() {
    // Q-20: none/None, HS/RS mix.
    for alg in ["none", "None", "", "rs256", "HS256", "HS512", "RS384", "PS256", "ES256", "EdDSA"] {
        let header = format!(r#"{{"alg":"{alg}","kid":"one"}}"#);
        assert_eq!(check(&signed(&header, &claims().to_string())), Err(TokenError::Algorithm), "{alg}");
    }
    let crit = signed(r#"{"alg":"RS256","kid":"one","crit":["exp"]}"#, &claims().to_string());
    assert_eq!(check(&crit), Err(TokenError::Algorithm));
    // Signed with the public key as if it were a secret, under either name.
    for header in [HEADER, r#"{"alg":"HS256","kid":"one"}"#] {
        let message = message(header, &claims().to_string());
        for secret in [modulus(key()), key().public_key().as_ref().to_vec(), jwk(key()).to_string().into_bytes()] {
            let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(&secret), Algorithm::HS256);
            assert!(check(&format!("{message}.{}", signature.unwrap())).is_err());
        }
        assert!(check(&format!("{message}.")).is_err());
    }
}

#[test]
fn q_20_the_key_is_one_that_the_issuer_publishes() {
    // Q-20: kid path, a key of the forger's own.
    for kid in ["two", "", "../one", "/dev/null", "one\u{0}", "ONE"] {
        let header = json!({ "alg": "RS256", "kid": kid }).to_string();
        assert_eq!(check(&signed(&header, &claims().to_string())), Err(TokenError::UnknownKey), "{kid}");
    }
    let own = json!({ "alg": "RS256", "kid": "two", "jwk": jwk(key()), "jku": "https://evil.example" }).to_string();
    assert_eq!(check(&signed(&own, &claims().to_string())), Err(TokenError::UnknownKey));
    let other = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let issuer = Issuer { issuer: "https://id.example/app".into(), audience: "app".into() };
    let token = signed(HEADER, &claims().to_string());
    let verified = verify(&token, &issuer, &set(&[jwk(&other)]).unwrap(), NOW);
    assert_eq!(verified, Err(TokenError::Signature));
}

#[test]
fn q_20_issuer_audience_subject_and_times_are_required_and_have_their_types() {
    // Q-20: exp as string, negative, missing, nbf.
    for missing in ["iss", "aud", "sub", "exp"] {
        assert_eq!(check_claims(&without(missing)), Err(TokenError::Claims), "{missing}");
    }
    let wrong = [
        with("iss", json!("https://id.example/app/")),
        with("iss", json!(["https://id.example/app"])),
        with("aud", json!("application")),
        with("aud", json!([])),
        with("aud", json!({ "app": true })),
        with("sub", json!("")),
        with("sub", json!(7)),
        with("sub", json!("s".repeat(201))),
        with("exp", json!((NOW + 600).to_string())),
        with("exp", json!(-1)),
        with("exp", json!(1.8e9)),
        with("nbf", json!("0")),
    ];
    for claims in wrong {
        assert_eq!(check_claims(&claims), Err(TokenError::Claims), "{claims}");
    }
    assert_eq!(check_claims(&with("exp", json!(NOW - 61))), Err(TokenError::Expired));
    assert_eq!(check_claims(&with("nbf", json!(NOW + 61))), Err(TokenError::NotYet));
    let twice = claims().to_string().replacen('{', r#"{"exp":1,"#, 1);
    assert_eq!(check(&signed(HEADER, &twice)), Err(TokenError::Malformed));
    assert_eq!(check(&"a".repeat(1 << 20)), Err(TokenError::TooLong));
}

#[test]
fn only_keys_that_are_fit_for_rs256_are_taken() {
    let with = |name: &str, value: Value| {
        let mut jwk = jwk(key());
        jwk[name] = value;
        set(&[jwk]).err()
    };
    assert_eq!(with("kty", json!("EC")), Some(TokenError::UnknownKey));
    assert_eq!(with("kty", json!("oct")), Some(TokenError::UnknownKey));
    assert_eq!(with("use", json!("enc")), Some(TokenError::UnknownKey));
    assert_eq!(with("alg", json!("RS512")), Some(TokenError::UnknownKey));
    assert_eq!(with("n", json!(BASE64URL.encode([0xff; 128]))), Some(TokenError::UnknownKey), "1024 bits");
    assert_eq!(with("n", json!("")), Some(TokenError::UnknownKey));
    assert_eq!(with("x5c", json!(["ignored"])), None);
    for wrong in ["", "[]", "{}", r#"{"keys":{}}"#, "{\"keys\":[]"] {
        assert!(KeySet::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert!(KeySet::parse(&[b' '; auth::external::MAX_KEY_SET_BYTES + 1]).is_err());
}

#[test]
fn q_6_q_20_no_cut_and_no_turned_bit_of_a_token_or_a_key_set_is_accepted() {
    // Q-6, Q-20
    let token = signed(HEADER, &claims().to_string());
    for cut in 0..token.len() {
        assert!(check(&token[..cut]).is_err());
    }
    let mut bytes = token.clone().into_bytes();
    // Padding bits of the last character are not part of the signature.
    for bit in 0..(bytes.len() - 1) * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            assert!(check(text).is_err(), "bit {bit}");
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    let set = json!({ "keys": [jwk(key())] }).to_string();
    (0..set.len()).for_each(|cut| auth::fuzz::external(&set.as_bytes()[..cut]));
    auth::fuzz::external(token.as_bytes());
}
