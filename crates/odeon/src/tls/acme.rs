//! Certificates by ACME (RFC 8555): an account, an order, a challenge that the authority looks at, a certificate; and again
//! when two thirds of its life are over.
//!
//! Nothing here stops a start or an open venue: what fails is told, and tried again later and later.

use super::{AcmeSettings, TlsError, kept, renewal};
use crate::data_dir::DataDir;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use net::tls::{Certificates, ServerCertificate};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// Where the account is kept.
const ACCOUNT: &str = "acme-account.json";
/// Time for a whole order. An authority looks from several places, and answers within a minute.
const ORDER_TIMEOUT: Duration = Duration::from_secs(300);
/// Time for the authority to look, and again to sign.
const STEP_TIMEOUT: Duration = Duration::from_secs(90);
/// Whole orders that are begun anew because a nonce was refused; each request has been tried three times by then.
const NONCE_ATTEMPTS: u32 = 4;
/// Before each of them.
const NONCE_PAUSE: Duration = Duration::from_secs(1);
/// A sleep at most: a machine that was suspended must not miss the day.
const MAX_SLEEP: Duration = Duration::from_secs(3600);

/// Why there is no certificate this time.
#[derive(Debug, thiserror::Error)]
enum AcmeError {
    #[error("{0}")]
    Authority(#[from] instant_acme::Error),
    #[error("the authority does not offer TLS-ALPN-01 for {0}")]
    NoChallenge(String),
    #[error("the authority refuses: {0:?}")]
    Refused(OrderStatus),
    #[error("too many names")]
    TooManyNames,
    #[error("the certificate is not for the names that were asked for")]
    OtherNames,
    #[error("it did not end in time")]
    Timeout,
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the account can't be kept: {0}")]
    Account(#[from] io::Error),
}

/// The account, and whose it is: another authority does not know it.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory_url: String,
    credentials: AccountCredentials,
}

/// Keeps the certificate fresh, for ever.
pub(super) async fn keep_fresh(
    certificates: Arc<Certificates>,
    settings: AcmeSettings,
    dir: DataDir,
    asked: Arc<Notify>,
) {
    let mut failures = 0;
    loop {
        wait(&certificates, &settings, failures, &asked).await;
        let ordered = tokio::time::timeout(ORDER_TIMEOUT, order_patiently(&certificates, &settings, &dir)).await;
        match ordered.unwrap_or(Err(AcmeError::Timeout)) {
            Ok(certificate) => {
                failures = 0;
                super::take(&certificates, certificate);
            }
            Err(error) => {
                failures += 1;
                metrics::counter!("odeon_acme_failures_total").increment(1);
                let again_in_s = renewal::pause(failures).as_secs();
                tracing::warn!(%error, again_in_s, "no certificate by ACME: port 443 of each domain has to lead to tls.port");
            }
        }
    }
}

/// A nonce may be refused at any time (RFC 8555, 6.5), which says nothing about the order and counts as no failure.
async fn order_patiently(
    certificates: &Certificates,
    settings: &AcmeSettings,
    dir: &DataDir,
) -> Result<ServerCertificate, AcmeError> {
    for _ in 0..NONCE_ATTEMPTS {
        match order(certificates, settings, dir).await {
            Err(AcmeError::Authority(instant_acme::Error::Api(problem))) if is_bad_nonce(&problem) => {
                tokio::time::sleep(NONCE_PAUSE).await;
            }
            ordered => return ordered,
        }
    }
    order(certificates, settings, dir).await
}

fn is_bad_nonce(problem: &instant_acme::Problem) -> bool {
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce")
}

// Until a new certificate is due; after a failure for the pause, unless somebody asks (SIGHUP).
async fn wait(certificates: &Certificates, settings: &AcmeSettings, failures: u32, asked: &Notify) {
    if failures > 0 {
        let pause = tokio::time::sleep(renewal::pause(failures));
        return tokio::select! {
            () = pause => {},
            () = asked.notified() => {},
        };
    }
    loop {
        let current = certificates.current();
        let due = renewal::due(current.not_before(), current.not_after());
        let left = due.duration_since(SystemTime::now()).unwrap_or_default();
        if left.is_zero() || !renewal::covers(&current, &settings.domains) {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(MAX_SLEEP)) => {},
            () = asked.notified() => {},
        }
    }
}

async fn order(
    certificates: &Certificates,
    settings: &AcmeSettings,
    dir: &DataDir,
) -> Result<ServerCertificate, AcmeError> {
    let account = account(settings, dir).await?;
    let names: Vec<Identifier> = settings.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let proven = prove(certificates, &mut order).await;
    for domain in &settings.domains {
        certificates.end_challenge(domain);
    }
    proven?;
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&RetryPolicy::default().timeout(STEP_TIMEOUT)).await?;
    let certificate = kept::keep_acme(dir, &chain, &key)?;
    // One that won't do must count as a failure, or it would be ordered again and again.
    if renewal::covers(&certificate, &settings.domains) { Ok(certificate) } else { Err(AcmeError::OtherNames) }
}

// Shows the authority that each name leads here.
async fn prove(certificates: &Certificates, order: &mut Order) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let domain = authorization.identifier().to_string();
        let mut challenge =
            authorization.challenge(ChallengeType::TlsAlpn01).ok_or_else(|| AcmeError::NoChallenge(domain.clone()))?;
        let digest = <[u8; 32]>::try_from(challenge.key_authorization().digest().as_ref())
            .map_err(|_| instant_acme::Error::Crypto)?;
        let shown = ServerCertificate::for_challenge(&domain, &digest).map_err(TlsError::from)?;
        if !certificates.begin_challenge(&domain, &shown) {
            return Err(AcmeError::TooManyNames);
        }
        challenge.set_ready().await?;
    }
    match order.poll_ready(&RetryPolicy::default().timeout(STEP_TIMEOUT)).await? {
        OrderStatus::Ready => Ok(()),
        refused => Err(AcmeError::Refused(refused)),
    }
}

async fn account(settings: &AcmeSettings, dir: &DataDir) -> Result<Account, AcmeError> {
    let builder = match &settings.root_file {
        Some(file) => Account::builder_with_root(file)?,
        None => Account::builder()?,
    };
    if let Some(credentials) = kept_account(settings, dir)? {
        return Ok(builder.from_credentials(credentials).await?);
    }
    let email = format!("mailto:{}", settings.email);
    let contact = [email.as_str()];
    let new = NewAccount {
        contact: if settings.email.is_empty() { &[] } else { &contact },
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder.create(&new, settings.directory_url.clone(), None).await?;
    let kept = Kept { directory_url: settings.directory_url.clone(), credentials };
    dir.write(ACCOUNT, &serde_json::to_vec_pretty(&kept).map_err(io::Error::from)?)?;
    Ok(account)
}

// Another authority's account is of no use, and neither is a damaged one.
fn kept_account(settings: &AcmeSettings, dir: &DataDir) -> Result<Option<AccountCredentials>, AcmeError> {
    let text = dir.read(ACCOUNT).map_err(TlsError::from)?;
    let kept: Option<Kept> = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(kept.filter(|kept| kept.directory_url == settings.directory_url).map(|kept| kept.credentials))
}
