//! A form with a token and a file, taken in as it comes (C-22).

use super::super::Castaway;
use super::super::limits::{READ_BYTES, UPLOAD_PATIENCE};
use super::super::records::{self, Kept, UploadKind};
use super::super::unclaimed::{Owner, Unclaimed};
use super::super::vault::{Full, Vault};
use super::super::who::Who;
use super::Failure;
use super::draft::{Draft, no_place};
use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;
use tokio::time::timeout;
use wire::castaway::multipart::{Event, Multipart};
use wire::castaway::validate::MAX_ID_BYTES;

/// What a form has brought. Dropped, its file goes.
pub(super) struct Received {
    pub(super) who: Who,
    pub(super) kept: Kept,
    pub(super) file: Unclaimed,
}

/// Takes the form in; the file is in the vault when this returns, and its account has place for it.
pub(super) async fn receive(
    castaway: &Castaway,
    headers: &HeaderMap,
    body: Body,
    kind: UploadKind,
) -> Result<Received, Failure> {
    let nowhere = || Failure::Refused(StatusCode::SERVICE_UNAVAILABLE, "Nothing can be uploaded here.".to_owned());
    let vault = castaway.vault.as_ref().ok_or_else(nowhere)?;
    let _place = castaway.uploads.try_acquire().map_err(|_| Failure::busy())?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parser = Multipart::new(content_type).map_err(|error| Failure::bad(&format!("{error}.")))?;
    let mut form = Form { castaway, vault, kind, who: None, field: Field::Other, token: Vec::new(), draft: None };
    // The token may also be said in a header.
    if headers.contains_key("idtoken") {
        form.who = Some(castaway.user_of_header(headers)?);
    }
    form.take(parser, body.into_data_stream()).await?;
    let (Some(who), Some(draft)) = (form.who, form.draft) else {
        return Err(Failure::bad(&format!("The field {} is missing.", name(kind))));
    };
    let (kept, file) = draft.keep().await?;
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

struct Form<'a> {
    castaway: &'a Castaway,
    vault: &'a Arc<Vault>,
    kind: UploadKind,
    who: Option<Who>,
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
        loop {
            let piece = timeout(UPLOAD_PATIENCE, body.next()).await.map_err(|_| broken())?;
            let Some(piece) = piece else { break };
            let piece = piece.map_err(|_| broken())?;
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
                let token = String::from_utf8_lossy(&self.token).trim().to_owned();
                self.who = Some(self.castaway.user_of(&token)?);
                self.field = Field::Other;
            }
            (Event::Data(data), Field::File) => {
                if let Some(draft) = &mut self.draft {
                    draft.write(&data).await?;
                }
            }
            (Event::End, Field::File) => {
                self.field = Field::Other;
            }
            (Event::Data(_) | Event::End, Field::Other) => {}
        }
        Ok(())
    }

    async fn begin(&mut self, field: &str) -> Result<(), Failure> {
        self.field = match field {
            // The first one counts: a file has one owner.
            "idToken" if self.who.is_none() => Field::Token,
            field if field == name(self.kind) && self.draft.is_none() => {
                // Nobody's bytes are not written to a disk.
                let Some(who) = &self.who else {
                    return Err(Failure::bad("The field idToken must come before the file."));
                };
                let owner = self.owner(who).await?;
                self.draft = Some(Draft::begin(self.vault, self.kind, Some(owner)).await?);
                Field::File
            }
            _ => Field::Other,
        };
        Ok(())
    }

    async fn owner(&self, who: &Who) -> Result<Owner, Failure> {
        let stored = records::kept_bytes(&*self.castaway.store, &who.key).await?;
        Ok(Owner { key: Arc::clone(&who.key), stored })
    }
}
