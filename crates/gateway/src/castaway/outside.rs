//! The keys of the outside issuer: read from a file, or fetched from a URL, again and again.

use super::config::{KeySource, OutsideIssuer};
use crate::outbound::{Outbound, Target};
use auth::external::{Issuer, KeySet, MAX_KEY_SET_BYTES};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

/// How often they are asked for at most, and at least: whatever the answer's Cache-Control says.
const MIN_AGE: Duration = Duration::from_secs(60);
/// See [`MIN_AGE`].
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// After a failure.
const RETRY: Duration = Duration::from_secs(15);

/// One fetch, from connecting to the last byte.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Whose ID tokens are taken, and by which keys at the moment.
#[derive(Debug)]
pub(super) struct Outside {
    issuer: Issuer,
    // Swapped whole; held for the copy of a pointer.
    keys: Mutex<Arc<KeySet>>,
}

impl Outside {
    /// Begins to watch its keys. Until they are there, no token of it is taken.
    pub(super) fn start(config: OutsideIssuer) -> Arc<Self> {
        let outside = Arc::new(Self { issuer: config.issuer, keys: Mutex::default() });
        let watched = Arc::downgrade(&outside);
        tokio::spawn(async move {
            loop {
                let (keys, again) = load(&config.keys).await;
                let Some(outside) = watched.upgrade() else { return };
                if let Some(keys) = keys {
                    *outside.keys.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                }
                drop(outside);
                tokio::time::sleep(again).await;
            }
        });
        outside
    }

    pub(super) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(super) fn keys(&self) -> Arc<KeySet> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The keys, and when to look again. Those that were there stay if there are none now.
async fn load(source: &KeySource) -> (Option<KeySet>, Duration) {
    let loaded = match source {
        KeySource::File(path) => file(path).await.map(|json| (json, MIN_AGE)),
        KeySource::Url(url, outbound) => fetch(url, outbound).await,
    };
    let keys = loaded.and_then(|(json, age)| match KeySet::parse(&json) {
        Ok(keys) => Ok((keys, age)),
        Err(error) => Err(error.to_string()),
    });
    match keys {
        Ok((keys, age)) => (Some(keys), age),
        Err(error) => {
            tracing::warn!(%error, "the keys of castaway.issuer can not be read; trying again");
            (None, RETRY)
        }
    }
}

async fn file(path: &Path) -> Result<Vec<u8>, String> {
    let file = tokio::fs::File::open(path).await.map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    let read = file.take(MAX_KEY_SET_BYTES as u64 + 1).read_to_end(&mut json).await;
    read.map(|_| json).map_err(|error| error.to_string())
}

async fn fetch(url: &str, outbound: &Outbound) -> Result<(Vec<u8>, Duration), String> {
    let target = Target::parse(url).map_err(|error| error.to_string())?;
    let answer = async {
        let mut connection = outbound.connect(&target).await?;
        connection.get(&target, "application/json", MAX_KEY_SET_BYTES).await
    };
    let answer = timeout(FETCH_TIMEOUT, answer).await.map_err(|_| "no answer in time".to_owned())?;
    let answer = answer.map_err(|error| error.to_string())?;
    if !answer.status.is_success() {
        return Err(format!("status {}", answer.status.as_u16()));
    }
    let control = answer.headers.get(http::header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    Ok((answer.body.to_vec(), age(control.unwrap_or_default())))
}

/// How long an answer holds.
fn age(cache_control: &str) -> Duration {
    let seconds = cache_control.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0)).clamp(MIN_AGE, MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_asked_for_as_often_as_their_issuer_says_within_limits() {
        assert_eq!(age("public, max-age=19302, must-revalidate"), Duration::from_secs(19_302));
        assert_eq!([age(""), age("max-age=1"), age("max-age=x")], [MIN_AGE; 3]);
        assert_eq!(age("max-age=99999999"), MAX_AGE);
    }
}
