//! Uploads (C-22): sounds and pictures that wait to become part of a podcast.

use super::super::Castaway;
use super::super::limits::MAX_UPLOADS_EACH;
use super::super::records::{self, Found, Kept, UPLOADS, Upload, UploadKind};
use super::super::who::Who;
use super::form::{self, Received, Sent};
use super::{Answer, Failure, done, read};
use crate::{Gateway, clock, draw};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use http::HeaderMap;
use serde_json::json;
use store::StoreError;

/// `POST /uploads/podcasts`
pub(super) async fn sound(State(gateway): State<Gateway>, sent: Sent) -> Answer {
    let id = create(gateway.castaway(), sent, UploadKind::Sound).await?;
    Ok(Json(json!({ "podcastUploadId": id })))
}

/// `POST /uploads/images`
pub(super) async fn picture(State(gateway): State<Gateway>, sent: Sent) -> Answer {
    let id = create(gateway.castaway(), sent, UploadKind::Picture).await?;
    Ok(Json(json!({ "imageUploadId": id })))
}

/// `PUT /uploads/podcasts/:id`
pub(super) async fn update_sound(State(gateway): State<Gateway>, Path(id): Path<String>, sent: Sent) -> Answer {
    update(gateway.castaway(), &id, sent, UploadKind::Sound).await
}

/// `PUT /uploads/images/:id`
pub(super) async fn update_picture(State(gateway): State<Gateway>, Path(id): Path<String>, sent: Sent) -> Answer {
    update(gateway.castaway(), &id, sent, UploadKind::Picture).await
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
    castaway.discard(Some(found.record.kept)).await;
    done("Your upload has been deleted.")
}

async fn create(castaway: &Castaway, sent: Sent, kind: UploadKind) -> Result<String, Failure> {
    let Received { who, kept, mut file } = form::receive(castaway, sent, kind).await?;
    let has = records::owned(&*castaway.store, &who.key, UPLOADS, MAX_UPLOADS_EACH).await?.len();
    if has >= MAX_UPLOADS_EACH {
        return Err(Failure::too_many("You have as many uploads as may be. Delete one first."));
    }
    let (id, bytes) = (draw::name(""), kept.bytes);
    let upload = Upload { owner: who.key.to_string(), kind, kept, created_ms: clock::unix_ms() };
    let owned = records::own(&who.key, UPLOADS, &id, bytes);
    file.claim();
    castaway.store.commit(vec![records::write(UPLOADS, &id, &upload, None), owned]).await?;
    Ok(id)
}

async fn update(castaway: &Castaway, id: &str, sent: Sent, kind: UploadKind) -> Answer {
    let old = replace(castaway, id, form::receive(castaway, sent, kind).await?, kind).await?;
    castaway.discard(Some(old)).await;
    done("Your upload has been updated.")
}

/// What it was before.
async fn replace(castaway: &Castaway, id: &str, received: Received, kind: UploadKind) -> Result<Kept, Failure> {
    let Received { who, kept, mut file } = received;
    let Found { mut record, revision } = own(castaway, id, &who).await?;
    if record.kind != kind {
        return Err(Failure::not_found("Upload", id));
    }
    let owned = records::own(&who.key, UPLOADS, id, kept.bytes);
    let old = std::mem::replace(&mut record.kept, kept.clone());
    file.claim();
    let committed = castaway.store.commit(vec![records::write(UPLOADS, id, &record, Some(revision)), owned]).await;
    if committed == Err(StoreError::Conflict) {
        // Somebody else was faster: surely nothing names it.
        castaway.discard(Some(kept)).await;
    }
    committed?;
    Ok(old)
}

/// One of somebody else is none.
async fn own(castaway: &Castaway, id: &str, who: &Who) -> Result<Found<Upload>, Failure> {
    let found: Option<Found<Upload>> = records::find(&*castaway.store, UPLOADS, id).await?;
    let found = found.filter(|found| found.record.owner == *who.key);
    found.ok_or_else(|| Failure::not_found("Upload", id))
}
