//! The commands that answer and end.

use crate::cli::{Flags, TokenRequest};
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::{config, keys, ops, start, token};

/// `odeon keys`: the pair in force, or with `new` one that is not kept.
pub fn print_keys(flags: &Flags, new: bool) -> Result<(), Failure> {
    if new {
        let (key, secret) = keys::draw_pair()?;
        return print_pair(&key, secret.reveal());
    }
    let keys = keys_in_force(flags)?;
    let (key, secret) = keys.store.primary().ok_or_else(|| Failure::other("there is no key"))?;
    print_pair(key, secret.reveal())
}

fn print_pair(key: &str, secret: &str) -> Result<(), Failure> {
    println!("key     {key}\nsecret  {secret}");
    Ok(())
}

/// `odeon token create`.
pub fn create_token(flags: &Flags, request: &TokenRequest) -> Result<(), Failure> {
    let keys = keys_in_force(flags)?;
    let token = token::create(request, &keys.store, ops::unix_now()).map_err(Failure::other)?;
    println!("{token}");
    Ok(())
}

/// `odeon config explain`.
pub fn explain(flags: &Flags, key: Option<&str>) -> Result<(), Failure> {
    let text = config::explain(&start::settings(flags)?, key).map_err(Failure::other)?;
    println!("{}", text.trim_end());
    Ok(())
}

// The folder is not locked for this: a token can be made while the server runs. It is opened only where it is needed.
fn keys_in_force(flags: &Flags) -> Result<keys::Keys, Failure> {
    let loaded = start::settings(flags)?;
    if let Some(keys) = keys::configured(&loaded)? {
        return Ok(keys);
    }
    Ok(keys::kept(&DataDir::open(&loaded.config.data_dir)?)?)
}
