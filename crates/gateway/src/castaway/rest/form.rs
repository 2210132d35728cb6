//! A form with a token and a file, taken in as it comes (C-22). A token that comes first is checked before a byte of the file is
//! written; one that comes after it decides whether the file stays.

use super::super::Castaway;
use super::super::limits::{READ_BYTES, STRANGER_PATIENCE, UPLOAD_PATIENCE};
use super::super::records::{self, Kept, UploadKind};
use super::super::strangers::Stranger;
use super::super::unclaimed::{Owner, Unclaimed};
use super::super::vault::{Full, Vault};
use super::super::who::Who;
use super::Failure;
use super::draft::{Draft, no_place};
use crate::Gateway;
use crate::client::{ClientAddress, household};
use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::{Instant, timeout};
use wire::castaway::multipart::{Event, Multipart};
use wire::castaway::validate::MAX_ID_BYTES;

/// A form that is on its way.
pub(super) struct Sent {
    household: IpAddr,
    headers: HeaderMap,
    body: Body,
}

impl FromRequest<Gateway> for Sent {
    type Rejection = Infallible;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, Infallible> {
        let (mut parts, body) = request.into_parts();
        let ClientAddress(address) = ClientAddress::from_request_parts(&mut parts, gateway).await?;
        Ok(Self { household: household(address), headers: parts.headers, body })
    }
}

/// What a form has brought. Dropped, its file goes.
pub(super) struct Received {
    pub(super) who: Who,
    pub(super) kept: Kept,
    pub(super) file: Unclaimed,
}

/// Takes the form in; the file is in the vault when this returns, and its account has place for it.
pub(super) async fn receive(castaway: &Castaway, sent: Sent, kind: UploadKind) -> Result<Received, Failure> {
    let nowhere = || Failure::Refused(StatusCode::SERVICE_UNAVAILABLE, "Nothing can be uploaded here.".to_owned());
    let vault = castaway.vault.as_ref().ok_or_else(nowhere)?;
    let _place = castaway.uploads.try_acquire().map_err(|_| Failure::busy())?;
    let Sent { household, headers, body } = sent;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parser = Multipart::new(content_type).map_err(|error| Failure::bad(&format!("{error}.")))?;
    // The token may also be said in a header.
    let who = headers.contains_key("idtoken").then(|| castaway.user_of_header(&headers)).transpose()?;
    let (field, token) = (Field::Other, Vec::new());
    let mut form = Form { castaway, vault, household, kind, who, stranger: None, field, token, draft: None };
    form.take(parser, body.into_data_stream()).await?;
    let missing = |field: &str| Failure::bad(&format!("The field {field} is missing."));
    let who = form.who.ok_or_else(|| missing(TOKEN))?;
    let (kept, file) = form.draft.ok_or_else(|| missing(name(kind)))?.keep().await?;
    castaway.has_place(&who).await?;
    Ok(Received { who, kept, file })
}

impl Castaway {
    /// Whether an account is within its bound, now that all of its file is there: others of its may have come meanwhile.
    async fn has_place(&self, who: &Who) -> Result<(), Failure> {
        let Some(vault) = &self.vault else { return Ok(()) };
        // In this order: what becomes a record between the two counts twice, and not never.
        let making = vault.making().of(&who.key);
        let stored = records::kept_bytes(&*self.store, &who.key).await?;
        if vault.making().allows(stored.saturating_add(making)) { Ok(()) } else { Err(no_place(Full::Account)) }
    }
}

fn name(kind: UploadKind) -> &'static str {
    match kind {
        UploadKind::Sound => "podcast",
        UploadKind::Picture => "image",
    }
}

const TOKEN: &str = "idToken";

struct Form<'a> {
    castaway: &'a Castaway,
    vault: &'a Arc<Vault>,
    household: IpAddr,
    kind: UploadKind,
    who: Option<Who>,
    /// While there is a file, and nobody whose it is.
    stranger: Option<Stranger>,
    field: Field,
    token: Vec<u8>,
    draft: Option<Draft>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Token,
    File,
    Other,
}

impl Form<'_> {
    async fn take(&mut self, mut parser: Multipart, mut body: BodyDataStream) -> Result<(), Failure> {
        let broken = || Failure::bad("The upload has broken off.");
        let began = Instant::now();
        loop {
            let piece = timeout(UPLOAD_PATIENCE, body.next()).await.map_err(|_| broken())?;
            let Some(piece) = piece else { break };
            let piece = piece.map_err(|_| broken())?;
            if self.stranger.is_some() && began.elapsed() > STRANGER_PATIENCE {
                return Err(broken());
            }
            for part in piece.chunks(READ_BYTES) {
                let events = parser.push(part).map_err(|error| Failure::bad(&format!("{error}.")))?;
                for event in events {
                    self.event(event).await?;
                }
            }
        }
        if parser.is_complete() { Ok(()) } else { Err(broken()) }
    }

    async fn event(&mut self, event: Event) -> Result<(), Failure> {
        match (event, self.field) {
            (Event::Part { name }, _) => self.begin(&name).await?,
            (Event::Data(data), Field::Token) => {
                if self.token.len() + data.len() > MAX_ID_BYTES {
                    return Err(Failure::bad("Id token is too long."));
                }
                self.token.extend(data);
            }
            (Event::End, Field::Token) => {
                self.field = Field::Other;
                self.know().await?;
            }
            (Event::Data(data), Field::File) => self.write(&data).await?,
            (Event::End, Field::File) => self.field = Field::Other,
            (Event::Data(_) | Event::End, Field::Other) => {}
        }
        Ok(())
    }

    async fn begin(&mut self, field: &str) -> Result<(), Failure> {
        self.field = match field {
            // The first one counts: a file has one owner.
            TOKEN if self.who.is_none() => Field::Token,
            field if field == name(self.kind) && self.draft.is_none() => {
                let owner = match &self.who {
                    Some(who) => Some(self.owner(who).await?),
                    None => {
                        let stranger = self.castaway.strangers.admit(self.household);
                        self.stranger = Some(stranger.ok_or_else(Failure::busy)?);
                        None
                    }
                };
                self.draft = Some(Draft::begin(self.vault, self.kind, owner).await?);
                Field::File
            }
            _ => Field::Other,
        };
        Ok(())
    }

    async fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        if self.stranger.as_mut().is_some_and(|stranger| !stranger.bring(data.len() as u64)) {
            return Err(Failure::busy());
        }
        match &mut self.draft {
            Some(draft) => draft.write(data).await,
            None => Ok(()),
        }
    }

    /// The token is there: whose it is, and whose a file that came before it.
    async fn know(&mut self) -> Result<(), Failure> {
        let token = String::from_utf8_lossy(&self.token).trim().to_owned();
        let who = self.castaway.user_of(&token)?;
        let owner = self.owner(&who).await?;
        if let Some(draft) = &mut self.draft {
            draft.give_to(owner)?;
        }
        (self.who, self.stranger) = (Some(who), None);
        Ok(())
    }

    async fn owner(&self, who: &Who) -> Result<Owner, Failure> {
        let stored = records::kept_bytes(&*self.castaway.store, &who.key).await?;
        Ok(Owner { key: Arc::clone(&who.key), stored })
    }
}
