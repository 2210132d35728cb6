//! Access tokens: JSON Web Tokens (RFC 7519) signed with HS256 and nothing else (Q-20).

use crate::grant::Claims;
use crate::key::{KeyStore, Secret};
use crate::strict_json;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::Value;

/// Longest token that is looked at: it travels in a request line or header of 16 KiB at most, and what is longer is
/// refused before any work.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// How far clocks may be apart, in seconds, for `exp` and `nbf`: a minute is what other servers allow too.
pub const LEEWAY_S: u64 = 60;

/// How the identities of other origins look from inside (product.md, «Participant»): a token may not claim one.
pub const RESERVED_PREFIXES: [&str; 6] = ["token:", "bus:", "castaway:", "phoenix:", "membrane:", "ingress:"];

/// Why a token is refused. The words are safe to show: they hold nothing of the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// Over [`MAX_TOKEN_BYTES`].
    #[error("token is too long")]
    TooLong,
    /// Not three parts of base64url with JSON inside, or a repeated key.
    #[error("token is malformed")]
    Malformed,
    /// `alg` is not `HS256`, or the header asks for what we don't understand (`crit`).
    #[error("token is not signed with HS256")]
    Algorithm,
    /// `iss` is none of our API keys.
    #[error("token was issued by an unknown API key")]
    UnknownKey,
    /// The signature is not by that key.
    #[error("token has a wrong signature")]
    Signature,
    /// A claim is missing or of a wrong type (`exp` as a string, negative…).
    #[error("token has a missing or malformed claim")]
    Claims,
    /// `exp` is past.
    #[error("token has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("token is not valid yet")]
    NotYet,
    /// The identity begins with the prefix of another origin.
    #[error("token claims an identity with a reserved prefix")]
    ReservedIdentity,
}

/// Checks a token and says what it grants. `now_unix` in seconds.
///
/// # Errors
/// See [`TokenError`]; refusals are ordered by what they cost.
pub fn verify(token: &str, keys: &KeyStore, now_unix: u64) -> Result<Claims, TokenError> {
    let parts = Parts::split(token)?;
    check_header(&parse(parts.header)?)?;
    let claims = parse(parts.claims)?;
    let issuer = claims.get("iss").and_then(Value::as_str).ok_or(TokenError::Claims)?;
    let secret = keys.secret(issuer).ok_or(TokenError::UnknownKey)?;
    check_signature(&parts, secret)?;
    let claims: Claims = serde_json::from_value(claims).map_err(|_| TokenError::Claims)?;
    check_time(&claims, now_unix)?;
    check_identity(&claims)?;
    Ok(claims)
}

/// Signs claims with the secret of the key that they name as issuer.
///
/// # Errors
/// [`TokenError::UnknownKey`] if that is none of ours; [`TokenError::Claims`] if they can't be written as JSON.
pub fn sign(claims: &Claims, keys: &KeyStore) -> Result<String, TokenError> {
    let secret = keys.secret(&claims.iss).ok_or(TokenError::UnknownKey)?;
    let body = serde_json::to_vec(claims).map_err(|_| TokenError::Claims)?;
    let message = format!("{}.{}", BASE64URL.encode(br#"{"alg":"HS256","typ":"JWT"}"#), BASE64URL.encode(body));
    let key = EncodingKey::from_secret(secret.reveal().as_bytes());
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).map_err(|_| TokenError::Signature)?;
    Ok(format!("{message}.{signature}"))
}

pub(crate) struct Parts<'a> {
    /// header "." claims, as signed.
    pub(crate) message: &'a str,
    pub(crate) header: &'a str,
    pub(crate) claims: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
        // A further dot is no base64url and fails there.
        Ok(Self { message, header, claims, signature })
    }
}

pub(crate) fn parse(part: &str) -> Result<Value, TokenError> {
    let json = BASE64URL.decode(part).map_err(|_| TokenError::Malformed)?;
    strict_json::parse(&json).ok().filter(Value::is_object).ok_or(TokenError::Malformed)
}

/// Only `alg` decides, and only one value of it is known: the key is found by `iss`, so `kid`, `jku`, `jwk` and `x5u`
/// lead nowhere. `crit` would say "refuse if you don't understand", and we understand nothing (RFC 7515, 4.1.11).
fn check_header(header: &Value) -> Result<(), TokenError> {
    if is_plain(header, "HS256") { Ok(()) } else { Err(TokenError::Algorithm) }
}

pub(crate) fn is_plain(header: &Value, algorithm: &str) -> bool {
    header.get("alg").and_then(Value::as_str) == Some(algorithm) && header.get("crit").is_none()
}

fn check_signature(parts: &Parts<'_>, secret: &Secret) -> Result<(), TokenError> {
    let key = DecodingKey::from_secret(secret.reveal().as_bytes());
    match crypto::verify(parts.signature, parts.message.as_bytes(), &key, Algorithm::HS256) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(TokenError::Signature),
    }
}

fn check_time(claims: &Claims, now_unix: u64) -> Result<(), TokenError> {
    if claims.exp.saturating_add(LEEWAY_S) <= now_unix {
        return Err(TokenError::Expired);
    }
    match claims.nbf {
        Some(nbf) if nbf > now_unix.saturating_add(LEEWAY_S) => Err(TokenError::NotYet),
        _ => Ok(()),
    }
}

fn check_identity(claims: &Claims) -> Result<(), TokenError> {
    let identity = claims.participant_identity();
    let reserved = RESERVED_PREFIXES.iter().any(|prefix| identity.starts_with(prefix));
    if reserved { Err(TokenError::ReservedIdentity) } else { Ok(()) }
}
