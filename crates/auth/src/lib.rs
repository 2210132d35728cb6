//! Who may do what: API keys, the access tokens signed with them (L-49), the origins that browsers may come from, and the
//! addresses that others may have the server connect to.
//!
//! Pure: the time and random bytes are arguments. Nothing here knows rooms; gateways turn grants into permissions.
//!
//! A token is read in the order of what costs least to refuse: its length, its shape, its header, who claims to have
//! issued it, the signature, and only then what it says ([`token::verify`]).
#![forbid(unsafe_code)]

pub mod address;
pub mod external;
pub mod fuzz;
pub mod grant;
pub mod key;
pub mod mint;
pub mod origin;
pub mod password;
pub mod seal;
mod strict_json;
pub mod token;

pub use grant::{Claims, VideoGrant};
pub use key::{KeyError, KeyStore, Secret};
pub use token::{TokenError, sign, verify};
