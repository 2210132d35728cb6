//! ID tokens of somebody else's house (OpenID Connect, Firebase): signed with RS256 by one of the keys that their issuer
//! publishes (RFC 7517), and made out to us.

use crate::strict_json;
use crate::token::{LEEWAY_S, Parts, TokenError, is_plain, parse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::Value;

/// Longest key set that is read, in bytes: issuers publish two to ten keys of 2 KiB.
pub const MAX_KEY_SET_BYTES: usize = 128 * 1024;

/// Keys of a set that are looked at.
const MAX_KEYS: usize = 32;

/// Smallest RSA modulus, in bytes (RFC 7518, 3.3).
const MIN_MODULUS_BYTES: usize = 256;

/// Longest subject, in bytes: it becomes an identity.
const MAX_SUBJECT_BYTES: usize = 200;

/// Whose tokens are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issuer {
    /// `iss`.
    pub issuer: String,
    /// `aud`: us.
    pub audience: String,
}

/// Somebody whom the issuer vouches for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// Who, for ever.
    pub subject: String,
    /// Shown to people; may be empty.
    pub name: String,
    /// May be empty.
    pub email: String,
}

/// An issuer's public keys.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<(String, DecodingKey)>,
}

impl KeySet {
    /// Reads a JWK Set. Keys that are not for RS256 signatures are left out.
    ///
    /// # Errors
    /// It is no key set, or holds no key that can be used.
    pub fn parse(json: &[u8]) -> Result<Self, TokenError> {
        if json.len() > MAX_KEY_SET_BYTES {
            return Err(TokenError::TooLong);
        }
        let set = strict_json::parse(json).map_err(|_| TokenError::Malformed)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(TokenError::Malformed)?;
        let keys: Vec<_> = keys.iter().take(MAX_KEYS).filter_map(rsa_key).collect();
        if keys.is_empty() { Err(TokenError::UnknownKey) } else { Ok(Self { keys }) }
    }

    /// By its id; a token without one is by the only key.
    fn find(&self, id: Option<&str>) -> Option<&DecodingKey> {
        match (id, self.keys.as_slice()) {
            (None, [(_, only)]) => Some(only),
            (Some(id), keys) => keys.iter().find(|(key, _)| key == id).map(|(_, key)| key),
            (None, _) => None,
        }
    }
}

fn rsa_key(jwk: &Value) -> Option<(String, DecodingKey)> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let fits = text("kty") == Some("RSA") && text("use").unwrap_or("sig") == "sig";
    if !fits || text("alg").unwrap_or("RS256") != "RS256" {
        return None;
    }
    let number = |name| text(name).and_then(|text| BASE64URL.decode(text).ok());
    let (modulus, exponent) = (number("n")?, number("e")?);
    let long_enough = modulus.iter().skip_while(|byte| **byte == 0).count() >= MIN_MODULUS_BYTES;
    long_enough.then(|| {
        (text("kid").unwrap_or_default().to_owned(), DecodingKey::from_rsa_raw_components(&modulus, &exponent))
    })
}

/// Checks an ID token. `now_unix` in seconds.
///
/// # Errors
/// See [`TokenError`]; refusals are ordered by what they cost.
pub fn verify(token: &str, issuer: &Issuer, keys: &KeySet, now_unix: u64) -> Result<Person, TokenError> {
    let parts = Parts::split(token)?;
    let header = parse(parts.header)?;
    if !is_plain(&header, "RS256") {
        return Err(TokenError::Algorithm);
    }
    let claims = parse(parts.claims)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(&issuer.issuer) || !is_for(&claims, &issuer.audience) {
        return Err(TokenError::Claims);
    }
    let key = keys.find(header.get("kid").and_then(Value::as_str)).ok_or(TokenError::UnknownKey)?;
    match crypto::verify(parts.signature, parts.message.as_bytes(), key, Algorithm::RS256) {
        Ok(true) => {}
        Ok(false) | Err(_) => return Err(TokenError::Signature),
    }
    check_time(&claims, now_unix)?;
    let subject = text("sub").filter(|subject| (1..=MAX_SUBJECT_BYTES).contains(&subject.len()));
    let said = |name| text(name).unwrap_or_default().to_owned();
    Ok(Person { subject: subject.ok_or(TokenError::Claims)?.to_owned(), name: said("name"), email: said("email") })
}

/// One audience, or a list of them (RFC 7519, 4.1.3).
fn is_for(claims: &Value, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

fn check_time(claims: &Value, now_unix: u64) -> Result<(), TokenError> {
    let number = |name| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(TokenError::Claims),
    };
    let expires = number("exp")?.ok_or(TokenError::Claims)?;
    if expires.saturating_add(LEEWAY_S) <= now_unix {
        return Err(TokenError::Expired);
    }
    match number("nbf")? {
        Some(begins) if begins > now_unix.saturating_add(LEEWAY_S) => Err(TokenError::NotYet),
        _ => Ok(()),
    }
}
