//! Which API keys are in force: those of the settings, or a pair that was drawn at the first start and is kept in the data folder.

use crate::config::{Loaded, Place, Value};
use crate::data_dir::{DataDir, DataDirError};
use crate::draw;
use auth::key::{KeyError, KeyStore, Secret, Strength};
use std::io;

const FILE: &str = "keys";

/// Where the keys in force came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--dev`: known to everybody.
    Dev,
    /// The settings.
    Settings,
    /// The data folder.
    Kept,
    /// Drawn just now, and kept.
    Drawn,
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// One of them is too weak, or twice there.
    #[error("{0}: draw a better one with `odeon keys --new`")]
    Key(#[from] KeyError),
    /// The data folder's file of keys is damaged.
    #[error("the file of keys in the data folder is damaged: {0}")]
    Damaged(String),
    /// The data folder failed.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The keys can't be kept, or there is no randomness.
    #[error("can't draw or keep a key: {0}")]
    Io(#[from] io::Error),
}

/// The keys in force.
#[derive(Debug)]
pub struct Keys {
    /// For signing and checking.
    pub store: KeyStore,
    /// Where they came from.
    pub origin: Origin,
}

/// Finds the keys, and draws a pair where there are none.
pub fn resolve(loaded: &Loaded, dir: &DataDir) -> Result<Keys, KeysError> {
    match configured(loaded)? {
        Some(keys) => Ok(keys),
        None => kept(dir),
    }
}

/// The keys of the settings, if they name any.
pub fn configured(loaded: &Loaded) -> Result<Option<Keys>, KeysError> {
    let configured = &loaded.config.keys;
    if configured.0.is_empty() {
        return Ok(None);
    }
    let dev = loaded.place("keys") == Place::Dev;
    let origin = if dev { Origin::Dev } else { Origin::Settings };
    let strength = if dev { Strength::Development } else { Strength::Required };
    Ok(Some(Keys { store: store(configured, strength)?, origin }))
}

/// The pair that the data folder keeps, drawn where it keeps none yet.
pub fn kept(dir: &DataDir) -> Result<Keys, KeysError> {
    let Some(text) = dir.read(FILE)? else {
        return draw_and_keep(dir);
    };
    let kept: crate::config::Keys = Value::parse(&text).map_err(KeysError::Damaged)?;
    // An empty file would leave the server without any key, and every token refused.
    if kept.0.is_empty() {
        return Err(KeysError::Damaged("no key in it".to_owned()));
    }
    Ok(Keys { store: store(&kept, Strength::Required)?, origin: Origin::Kept })
}

fn draw_and_keep(dir: &DataDir) -> Result<Keys, KeysError> {
    let (key, secret) = draw_pair()?;
    dir.write(FILE, format!("{key}: {}\n", secret.reveal()).as_bytes())?;
    let mut store = KeyStore::new();
    store.add(&key, secret, Strength::Required)?;
    Ok(Keys { store, origin: Origin::Drawn })
}

/// A new key and its secret.
pub fn draw_pair() -> io::Result<(String, Secret)> {
    Ok(auth::key::generate(draw::bytes()?, draw::bytes()?))
}

fn store(keys: &crate::config::Keys, strength: Strength) -> Result<KeyStore, KeyError> {
    let mut store = KeyStore::new();
    for (key, secret) in &keys.0 {
        store.add(key, Secret::new(secret.clone()), strength)?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};
    use crate::scratch::Scratch;

    fn with(sources: Sources) -> Result<Keys, KeysError> {
        let scratch = Scratch::new();
        resolve(&load(&sources).unwrap(), &DataDir::open(scratch.path()).unwrap())
    }

    fn configured(secret: &str) -> Sources {
        Sources { flags: vec![("keys", format!("APIone: {secret}"))], ..Sources::default() }
    }

    // L-08: dev mode's key.
    #[test]
    fn l_08_dev_has_its_known_key() {
        let keys = with(Sources { dev: true, ..Sources::default() }).unwrap();
        assert_eq!(keys.origin, Origin::Dev);
        assert_eq!(keys.store.secret("devkey").unwrap().reveal(), "secret");
    }

    // a secret under 32 bytes is refused at start.
    #[test]
    fn q_20_a_short_secret_is_refused_at_start_and_a_long_one_taken() {
        assert!(matches!(with(configured(&"x".repeat(31))), Err(KeysError::Key(KeyError::WeakSecret { .. }))));
        assert_eq!(with(configured(&"x".repeat(32))).unwrap().origin, Origin::Settings);
    }

    // Q-20: --dev excuses its own key, not one that somebody brings along.
    #[test]
    fn q_20_a_short_secret_of_ones_own_is_refused_in_dev_too() {
        assert!(with(Sources { dev: true, ..configured("short") }).is_err());
    }

    // L-08: key generated.
    #[test]
    fn l_08_a_first_start_draws_a_key_and_the_next_finds_it() {
        let scratch = Scratch::new();
        let loaded = load(&Sources::default()).unwrap();
        let start = || resolve(&loaded, &DataDir::open(scratch.path()).unwrap()).unwrap();
        let (first, second) = (start(), start());
        assert_eq!((first.origin, second.origin), (Origin::Drawn, Origin::Kept));
        assert_eq!(first.store.primary(), second.store.primary());
        assert!(first.store.primary().unwrap().1.reveal().len() >= auth::key::MIN_SECRET_BYTES);
    }
}
