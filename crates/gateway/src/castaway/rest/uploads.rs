//! Uploads (C-22): a form with a token and, after it, a file, which is written as it comes and known by its content.

use super::super::Castaway;
use super::super::limits::{MAX_PICTURE_BYTES, MAX_SOUND_BYTES, MAX_UPLOADS_EACH, READ_BYTES, UPLOAD_PATIENCE};
use super::super::records::{self, Found, Kept, UPLOADS, Upload, UploadKind};
use super::super::vault::Vault;
use super::super::who::Who;
use super::{Answer, Failure, done, read};
use crate::{Gateway, clock, draw};
use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use wire::castaway::mpeg::{Frames, Kind};
use wire::castaway::multipart::{Event, Multipart};
use wire::castaway::sniff::{self, ENOUGH_BYTES, Sound};
use wire::castaway::validate::MAX_ID_BYTES;

/// `POST /uploads/podcasts`
pub(super) async fn sound(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let id = create(gateway.castaway(), &headers, body, UploadKind::Sound).await?;
    Ok(Json(json!({ "podcastUploadId": id })))
}

/// `POST /uploads/images`
pub(super) async fn picture(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let id = create(gateway.castaway(), &headers, body, UploadKind::Picture).await?;
    Ok(Json(json!({ "imageUploadId": id })))
}

/// `PUT /uploads/podcasts/:id`
pub(super) async fn update_sound(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    update(gateway.castaway(), &id, &headers, body, UploadKind::Sound).await
}

/// `PUT /uploads/images/:id`
pub(super) async fn update_picture(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    update(gateway.castaway(), &id, &headers, body, UploadKind::Picture).await
}

/// `POST /uploads/…/:id/delete`
pub(super) async fn remove(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let castaway = gateway.castaway();
    let (who, ()) = castaway.user_of_body(&read(&headers, body).await?, |_| ())?;
    let found = own(castaway, &id, &who).await?;
    castaway.store.commit(records::remove(&who.key, UPLOADS, &id).into()).await?;
    let vault = vault(castaway)?;
    vault.discard(&found.record.kept.file, found.record.kept.bytes).await;
    done("Your upload has been deleted.")
}

async fn create(castaway: &Castaway, headers: &HeaderMap, body: Body, kind: UploadKind) -> Result<String, Failure> {
    let (who, kept) = receive(castaway, headers, body, kind).await?;
    let has = records::owned(&*castaway.store, &who.key, UPLOADS, MAX_UPLOADS_EACH).await?.len();
    if has >= MAX_UPLOADS_EACH {
        vault(castaway)?.discard(&kept.file, kept.bytes).await;
        return Err(Failure::too_many("You have as many uploads as may be. Delete one first."));
    }
    let id = draw::name("");
    let upload = Upload { owner: who.key.to_string(), kind, kept, created_ms: clock::unix_ms() };
    let changes = vec![records::write(UPLOADS, &id, &upload, None), records::own(&who.key, UPLOADS, &id)];
    castaway.store.commit(changes).await?;
    Ok(id)
}

async fn update(castaway: &Castaway, id: &str, headers: &HeaderMap, body: Body, kind: UploadKind) -> Answer {
    let (who, kept) = receive(castaway, headers, body, kind).await?;
    let replaced = replace(castaway, id, &who, kept.clone(), kind).await;
    let old = match replaced {
        Ok(old) => old,
        Err(failure) => {
            vault(castaway)?.discard(&kept.file, kept.bytes).await;
            return Err(failure);
        }
    };
    vault(castaway)?.discard(&old.file, old.bytes).await;
    done("Your upload has been updated.")
}

/// What it was before.
async fn replace(castaway: &Castaway, id: &str, who: &Who, new: Kept, kind: UploadKind) -> Result<Kept, Failure> {
    let Found { mut record, revision } = own(castaway, id, who).await?;
    if record.kind != kind {
        return Err(Failure::not_found("Upload", id));
    }
    let old = std::mem::replace(&mut record.kept, new);
    castaway.store.commit(vec![records::write(UPLOADS, id, &record, Some(revision))]).await?;
    Ok(old)
}

/// One of somebody else is none.
async fn own(castaway: &Castaway, id: &str, who: &Who) -> Result<Found<Upload>, Failure> {
    let found: Option<Found<Upload>> = records::find(&*castaway.store, UPLOADS, id).await?;
    let found = found.filter(|found| found.record.owner == *who.key);
    found.ok_or_else(|| Failure::not_found("Upload", id))
}

fn vault(castaway: &Castaway) -> Result<&Arc<Vault>, Failure> {
    let nowhere = || Failure::Refused(StatusCode::SERVICE_UNAVAILABLE, "Nothing can be uploaded here.".to_owned());
    castaway.vault.as_ref().ok_or_else(nowhere)
}

/// Takes the form in; the file is in the vault when this returns.
async fn receive(
    castaway: &Castaway,
    headers: &HeaderMap,
    body: Body,
    kind: UploadKind,
) -> Result<(Who, Kept), Failure> {
    let vault = vault(castaway)?;
    let _place = castaway.uploads.try_acquire().map_err(|_| Failure::busy())?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parser = Multipart::new(content_type).map_err(|error| Failure::bad(&format!("{error}.")))?;
    let mut form = Form { castaway, vault, kind, who: None, field: Field::Other, token: Vec::new(), draft: None };
    // The token may also be said in a header.
    if headers.contains_key("idtoken") {
        form.who = Some(castaway.user_of_header(headers)?);
    }
    let taken = form.take(parser, body.into_data_stream()).await;
    let Form { who, draft, .. } = form;
    match (taken, who, draft) {
        (Ok(()), Some(who), Some(draft)) => Ok((who, draft.keep(vault).await?)),
        (taken, _, draft) => {
            if let Some(draft) = draft {
                draft.discard(vault).await;
            }
            taken?;
            Err(Failure::bad(&format!("The field {} is missing.", name(kind))))
        }
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
    vault: &'a Vault,
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
                    draft.write(self.vault, &data).await?;
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
            "idToken" => Field::Token,
            field if field == name(self.kind) && self.draft.is_none() => {
                // Nobody's bytes are not written to a disk.
                if self.who.is_none() {
                    return Err(Failure::bad("The field idToken must come before the file."));
                }
                self.draft = Some(Draft::begin(self.vault, self.kind).await?);
                Field::File
            }
            _ => Field::Other,
        };
        Ok(())
    }
}

/// A file while it is written.
struct Draft {
    id: String,
    file: File,
    kind: UploadKind,
    head: Vec<u8>,
    bytes: u64,
    frames: Frames,
}

impl Draft {
    async fn begin(vault: &Vault, kind: UploadKind) -> Result<Self, Failure> {
        let id = draw::name("f_");
        let file = File::create(vault.draft(&id)).await.map_err(unwritable)?;
        Ok(Self { id, file, kind, head: Vec::new(), bytes: 0, frames: Frames::of(Kind::Mp3) })
    }

    async fn write(&mut self, vault: &Vault, data: &[u8]) -> Result<(), Failure> {
        let length = data.len() as u64;
        let max = match self.kind {
            UploadKind::Sound => MAX_SOUND_BYTES,
            UploadKind::Picture => MAX_PICTURE_BYTES,
        };
        if self.bytes + length > max {
            return Err(Failure::Refused(StatusCode::PAYLOAD_TOO_LARGE, "The file is too large.".to_owned()));
        }
        vault.reserve(length).map_err(|full| {
            tracing::warn!(%full, "an upload was refused");
            Failure::Refused(StatusCode::INSUFFICIENT_STORAGE, "There is no place for the file.".to_owned())
        })?;
        self.bytes += length;
        let wanted = (ENOUGH_BYTES * 4).saturating_sub(self.head.len());
        self.head.extend(data.iter().take(wanted));
        if self.kind == UploadKind::Sound {
            // Only measured: the file is kept as it is.
            self.frames.push(data, &mut Vec::new());
        }
        self.file.write_all(data).await.map_err(unwritable)
    }

    /// It is what it should be, and in the vault.
    async fn keep(mut self, vault: &Vault) -> Result<Kept, Failure> {
        let Some(mime) = self.mime() else {
            let kind = match self.kind {
                UploadKind::Sound => "The podcast must be an mp3 file.",
                UploadKind::Picture => "The image must be a png or jpeg file.",
            };
            self.discard(vault).await;
            return Err(Failure::bad(kind));
        };
        let written = async {
            self.file.flush().await?;
            vault.keep(&self.id).await
        };
        if let Err(error) = written.await {
            self.discard(vault).await;
            return Err(unwritable(error));
        }
        let duration_ms = self.frames.duration_ms();
        Ok(Kept { file: self.id, mime: mime.to_owned(), bytes: self.bytes, duration_ms })
    }

    fn mime(&mut self) -> Option<&'static str> {
        match self.kind {
            UploadKind::Picture => sniff::picture(&self.head).map(sniff::Picture::mime),
            UploadKind::Sound => {
                self.frames.finish(&mut Vec::new());
                self.frames.is_sound().then_some(Sound::Mp3.mime())
            }
        }
    }

    async fn discard(self, vault: &Vault) {
        let _ = tokio::fs::remove_file(vault.draft(&self.id)).await;
        vault.release(self.bytes);
    }
}

fn unwritable(error: std::io::Error) -> Failure {
    tracing::error!(%error, "an upload could not be written");
    Failure::Refused(StatusCode::INSUFFICIENT_STORAGE, "The file could not be written.".to_owned())
}
