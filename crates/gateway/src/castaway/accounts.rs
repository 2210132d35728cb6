//! Accounts (C-18): Argon2id in a few threads of its own, failures counted by address and by account.

use super::limits::{
    FAILURES_A_MINUTE, LOGINS_A_MINUTE, MAX_ADDRESSES, MAX_HASHING, MAX_WAITING_TO_HASH, REFRESH_TTL_S,
};
use super::records::{self, EMAILS, Found, USERS, User};
use super::who::ACCOUNT;
use crate::budget::{Budgets, Rate};
use crate::{clock, draw};
use auth::{KeyStore, mint, password, seal};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use store::{Change, Expect, Store, StoreError};
use tokio::sync::Semaphore;

/// What refresh tokens are sealed for.
const REFRESH: &str = "castaway.refresh";

/// A password that nobody has: verifying against its hash takes as long as against any.
const NOBODYS: &str = "nobody's password";

/// Why there is no token.
#[derive(Debug)]
pub(super) enum AccountError {
    /// Unknown, or another password.
    Unknown,
    /// Somebody has this address.
    Taken,
    /// Too many tries.
    TooOften,
    /// Too many others.
    Busy,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What an app signs in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) refresh_token: String,
    pub(super) display_name: String,
}

/// All accounts.
#[derive(Debug)]
pub(super) struct Accounts {
    store: Arc<dyn Store>,
    keys: Arc<KeyStore>,
    tries: Budgets<IpAddr>,
    failures: Budgets<String>,
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
    nobodys: tokio::sync::OnceCell<String>,
}

impl Accounts {
    pub(super) fn new(store: Arc<dyn Store>, keys: Arc<KeyStore>) -> Self {
        let rate = |a_minute| Rate { burst: a_minute, per_s: a_minute / 60.0 };
        Self {
            store,
            keys,
            tries: Budgets::new(rate(LOGINS_A_MINUTE), MAX_ADDRESSES),
            failures: Budgets::new(rate(FAILURES_A_MINUTE), MAX_ADDRESSES),
            hashing: Arc::new(Semaphore::new(MAX_HASHING)),
            waiting: Semaphore::new(MAX_WAITING_TO_HASH),
            nobodys: tokio::sync::OnceCell::new(),
        }
    }

    pub(super) async fn sign_up(
        &self,
        household: IpAddr,
        email: &str,
        display_name: &str,
        password: String,
    ) -> Result<Tokens, AccountError> {
        self.admit(household)?;
        if self.store.get(EMAILS, email).await?.is_some() {
            return Err(AccountError::Taken);
        }
        let hash = self.hash(password).await?;
        let id = draw::name(ACCOUNT);
        let (email, display_name) = (email.to_owned(), display_name.to_owned());
        let user = User { email: email.clone(), display_name, hash: Some(hash), favourites: Vec::new() };
        let address = Change::put(EMAILS, email, id.clone()).expecting(Expect::Absent);
        match self.store.commit(vec![address, records::write(USERS, &id, &user, None)]).await {
            Ok(_) => self.tokens(&id, &user),
            Err(StoreError::Conflict) => Err(AccountError::Taken),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn log_in(
        &self,
        household: IpAddr,
        email: &str,
        password: String,
    ) -> Result<Tokens, AccountError> {
        self.admit(household)?;
        // Guessing from many addresses gains nothing either.
        if !self.failures.has(&email.to_owned(), Instant::now()) {
            return Err(AccountError::TooOften);
        }
        let known = self.by_email(email).await?;
        let hash = match known.as_ref().and_then(|(_, user)| user.hash.clone()) {
            Some(hash) => hash,
            None => self.nobodys.get_or_try_init(|| self.hash(NOBODYS.to_owned())).await?.clone(),
        };
        let fits = self.work(move || password::verify(&password, &hash)).await?;
        match known {
            Some((id, user)) if fits && user.hash.is_some() => self.tokens(&id, &user),
            _ => {
                self.failures.spend(email.to_owned(), Instant::now());
                Err(AccountError::Unknown)
            }
        }
    }

    pub(super) async fn refresh(&self, token: &str) -> Result<Tokens, AccountError> {
        let id = seal::open(&self.keys, REFRESH, token, clock::unix_s()).ok_or(AccountError::Unknown)?;
        let user: Option<Found<User>> = records::find(&*self.store, USERS, &id).await?;
        self.tokens(&id, &user.ok_or(AccountError::Unknown)?.record)
    }

    async fn by_email(&self, email: &str) -> Result<Option<(String, User)>, AccountError> {
        let Some(document) = self.store.get(EMAILS, email).await? else { return Ok(None) };
        let id = String::from_utf8_lossy(&document.value).into_owned();
        let user: Option<Found<User>> = records::find(&*self.store, USERS, &id).await?;
        Ok(user.map(|user| (id, user.record)))
    }

    fn tokens(&self, id: &str, user: &User) -> Result<Tokens, AccountError> {
        let now = clock::unix_s();
        let no_key = |_| AccountError::Store(StoreError::failed("there is no key"));
        Ok(Tokens {
            id_token: mint::account_token(&self.keys, now, id, &user.display_name).map_err(no_key)?,
            refresh_token: seal::seal(&self.keys, REFRESH, id, now + REFRESH_TTL_S).map_err(no_key)?,
            display_name: user.display_name.clone(),
        })
    }

    fn admit(&self, household: IpAddr) -> Result<(), AccountError> {
        if self.tries.spend(household, Instant::now()) { Ok(()) } else { Err(AccountError::TooOften) }
    }

    async fn hash(&self, password: String) -> Result<String, AccountError> {
        let salt = draw::bytes();
        // Its length was checked.
        self.work(move || password::hash(&password, salt)).await?.map_err(|_| AccountError::Unknown)
    }

    /// Does it on a thread where waiting hurts nobody, when it is its turn.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
        let _place = self.waiting.try_acquire().map_err(|_| AccountError::Busy)?;
        let turn = Arc::clone(&self.hashing).acquire_owned().await.map_err(|_| AccountError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| AccountError::Busy)
    }
}
