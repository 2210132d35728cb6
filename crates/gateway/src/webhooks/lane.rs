//! One lane: one event after the other, each tried until it is taken or given up.

use super::queue::Receiver;
use crate::clock;
use crate::outbound::{Connection, Outbound, OutboundError, Target};
use auth::KeyStore;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use wire::livekit::webhook;

/// Before each further attempt: half a minute in all, in which a receiver restarts.
const WAITS: [Duration; 6] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// For one attempt, from the name to the answer: a receiver that works for longer should answer first.
const ATTEMPT: Duration = Duration::from_secs(10);

/// A connection without anything to say is closed after this: receivers close theirs after 5 s (Node) or more.
const IDLE: Duration = Duration::from_secs(4);

/// Whose word an event is.
#[derive(Debug)]
pub(super) struct Signer {
    pub(super) keys: Arc<KeyStore>,
    pub(super) key: String,
}

/// How an attempt failed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("no answer in {} s", ATTEMPT.as_secs())]
    Late,
    #[error("it answered {0}")]
    Answered(StatusCode),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("webhook.api_key is not among the keys")]
    Unsigned,
}

impl Failed {
    /// Is it worth another attempt? A redirect or a refusal says the same again.
    fn may_pass(&self) -> bool {
        match self {
            Self::Late => true,
            Self::Answered(status) => {
                let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
                status.is_server_error() || busy.contains(status)
            }
            Self::Outbound(error) => error.may_pass(),
            Self::Unsigned => false,
        }
    }
}

/// A URL's lane.
#[derive(Debug)]
pub(super) struct Lane {
    /// Its URL's place in `webhook.urls`, counted from 1: the URL itself may hold a secret.
    number: usize,
    target: Target,
    outbound: Outbound,
    signer: Signer,
    connection: Option<Connection>,
}

impl Lane {
    pub(super) fn new(number: usize, target: Target, outbound: Outbound, signer: Signer) -> Self {
        Self { number, target, outbound, signer, connection: None }
    }

    /// Until it closes.
    pub(super) async fn run(mut self, mut events: Receiver) {
        loop {
            let event = match timeout(IDLE, events.next()).await {
                Ok(Some(event)) => event,
                Ok(None) => return,
                Err(_) => {
                    self.connection = None;
                    continue;
                }
            };
            self.deliver(&event.body).await;
        }
    }

    async fn deliver(&mut self, body: &Bytes) {
        for wait in WAITS.map(Some).into_iter().chain([None]) {
            let failed = match self.attempt(body).await {
                Ok(()) => return metrics::counter!("odeon_webhooks_delivered_total").increment(1),
                Err(failed) => failed,
            };
            let Some(wait) = wait.filter(|_| failed.may_pass()) else {
                return self.give_up(&failed);
            };
            metrics::counter!("odeon_webhook_retries_total").increment(1);
            tracing::debug!(webhook = self.number, %failed, "a webhook is tried again");
            sleep(wait).await;
        }
    }

    fn give_up(&self, failed: &Failed) {
        metrics::counter!("odeon_webhooks_failed_total").increment(1);
        tracing::warn!(webhook = self.number, %failed, "an event could not be delivered to this one of webhook.urls");
    }

    /// A connection is kept only if it brought an answer.
    async fn attempt(&mut self, body: &Bytes) -> Result<(), Failed> {
        let connection = self.connection.take();
        let (connection, status) = timeout(ATTEMPT, self.post(connection, body)).await.map_err(|_| Failed::Late)??;
        self.connection = Some(connection).filter(Connection::is_open);
        if status.is_success() { Ok(()) } else { Err(Failed::Answered(status)) }
    }

    async fn post(&self, kept: Option<Connection>, body: &Bytes) -> Result<(Connection, StatusCode), Failed> {
        let mut connection = match kept.filter(Connection::is_open) {
            Some(connection) => connection,
            None => self.outbound.connect(&self.target).await?,
        };
        let status = connection.post(&self.target, self.headers(body)?, body.clone()).await?;
        Ok((connection, status))
    }

    /// Signed anew for each attempt: the token lives for minutes only.
    fn headers(&self, body: &[u8]) -> Result<HeaderMap, Failed> {
        let Signer { keys, key } = &self.signer;
        let token = auth::mint::webhook_token(keys, key, body, clock::unix_s()).ok();
        let token = token.and_then(|token| HeaderValue::try_from(token).ok()).ok_or(Failed::Unsigned)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, token);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(webhook::CONTENT_TYPE));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(webhook::USER_AGENT));
        Ok(headers)
    }
}
