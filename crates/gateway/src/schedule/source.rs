//! Somebody else's calendar: fetched under the policy of [`crate::outbound`], and read.

use super::limits::{FETCH_TIMEOUT, MAX_PAGES, MAX_SOURCE_BYTES};
use crate::outbound::{Outbound, OutboundError, Target};
use bytes::Bytes;
use http::StatusCode;
use tokio::time::timeout;
use wire::calendar::{PageError, Series, Tz, parse_page};
use wire::ics::{self, IcsError};

/// What calendars are written in.
const KINDS: &str = "text/calendar, application/json;q=0.9, */*;q=0.1";

/// Why a source says nothing new. Nothing in it comes from the peer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error("no answer in {} s", FETCH_TIMEOUT.as_secs())]
    Late,
    #[error("it answered {0}")]
    Answered(StatusCode),
    #[error("its pages are longer than {MAX_SOURCE_BYTES} bytes")]
    TooLong,
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    Ics(#[from] IcsError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("it could not be read")]
    Reader,
}

/// One of `schedule.sources`.
#[derive(Debug)]
pub(super) struct Source {
    /// Its place in the setting, counted from 1: the URL itself may hold a secret.
    pub(super) number: usize,
    pub(super) target: Target,
    outbound: Outbound,
    zone: Tz,
    last: Vec<Bytes>,
}

impl Source {
    pub(super) fn new(number: usize, target: Target, outbound: Outbound, zone: Tz) -> Self {
        Self { number, target, outbound, zone, last: Vec::new() }
    }

    /// What is there now, as it came and as it reads; `None` if it is what was there before.
    pub(super) async fn fetch(&mut self) -> Result<Option<(Vec<Bytes>, Vec<Series>)>, SourceError> {
        let pages = self.pages().await?;
        if pages == self.last {
            return Ok(None);
        }
        let series = self.read(pages.clone()).await?;
        self.last.clone_from(&pages);
        Ok(Some((pages, series)))
    }

    async fn pages(&self) -> Result<Vec<Bytes>, SourceError> {
        let mut pages = Vec::new();
        let (mut left, mut target) = (MAX_SOURCE_BYTES, self.target.clone());
        while pages.len() < MAX_PAGES {
            let page = timeout(FETCH_TIMEOUT, self.get(&target, left)).await.map_err(|_| SourceError::Late)??;
            left -= page.len().min(left);
            let next = next_page(&page);
            pages.push(page);
            match next {
                Some(token) => target = self.target.asking(&format!("pageToken={token}")),
                None => break,
            }
        }
        Ok(pages)
    }

    async fn get(&self, target: &Target, max: usize) -> Result<Bytes, SourceError> {
        let mut connection = self.outbound.connect(target).await?;
        match connection.get(target, KINDS, max).await {
            Ok(answer) if answer.status == StatusCode::OK => Ok(answer.body),
            // A redirect, too: it is not followed.
            Ok(answer) => Err(SourceError::Answered(answer.status)),
            Err(OutboundError::TooLong) => Err(SourceError::TooLong),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads pages, where a long calendar keeps nobody waiting.
    pub(super) async fn read(&self, pages: Vec<Bytes>) -> Result<Vec<Series>, SourceError> {
        let (zone, number) = (self.zone, self.number);
        let reading = tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            for page in pages {
                let (series, left_out) = read_page(&page, zone)?;
                all.extend(series);
                if left_out > 0 {
                    tracing::info!(source = number, left_out, "events of a calendar can't be read and are left out");
                }
            }
            Ok(all)
        });
        reading.await.map_err(|_| SourceError::Reader)?
    }
}

fn read_page(page: &[u8], zone: Tz) -> Result<(Vec<Series>, usize), SourceError> {
    if is_json(page) {
        let page = parse_page(page, zone)?;
        return Ok((page.series, page.left_out));
    }
    let calendar = ics::parse(page, zone)?;
    Ok((calendar.series, calendar.left_out))
}

fn is_json(page: &[u8]) -> bool {
    page.trim_ascii_start().first() == Some(&b'{')
}

/// The token of the next page, encoded for a query.
fn next_page(page: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Next {
        #[serde(rename = "nextPageToken")]
        token: Option<String>,
    }
    let next: Next = is_json(page).then(|| serde_json::from_slice(page).ok())??;
    let token = next.token.filter(|token| (1..=1024).contains(&token.len()))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    Some(token.bytes().map(encode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pages_token_goes_into_a_query_and_nothing_else() {
        let next = |token: &str| next_page(serde_json::json!({ "nextPageToken": token }).to_string().as_bytes());
        assert_eq!(next("CiA=&x\r\n y").as_deref(), Some("CiA%3D%26x%0D%0A%20y"));
        assert_eq!(next(""), None);
        assert_eq!(next_page(b"BEGIN:VCALENDAR"), None);
    }
}
