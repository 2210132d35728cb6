//! Podcasts: what was streamed, and what was uploaded (C-19, C-21).

use super::super::Castaway;
use super::super::limits::MAX_PODCASTS_EACH;
use super::super::records::{self, Found, Kept, PODCASTS, Podcast, UPLOADS, Upload, UploadKind};
use super::super::who::Who;
use super::{Answer, Failure, done, files, read};
use crate::client::Secure;
use crate::{Gateway, clock, draw};
use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use http::request::Parts;
use http::{HeaderMap, header};
use serde_json::{Value, json};
use std::convert::Infallible;
use wire::castaway::validate::{
    DESCRIPTION, IMAGE_UPLOAD_ID, PODCAST_UPLOAD_ID, TITLE, UPDATED_IMAGE_UPLOAD_ID, UPDATED_PODCAST_UPLOAD_ID,
};

/// The server's address, as this client knows it, for links.
#[derive(Clone, Debug)]
pub(super) struct Base(pub(super) String);

impl FromRequestParts<Gateway> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Infallible> {
        let public = &gateway.castaway().config.public_url;
        if !public.is_empty() {
            return Ok(Self(public.clone()));
        }
        let secure = parts.extensions.get::<Secure>().is_some_and(|secure| secure.0);
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        Ok(Self(format!("{}://{host}", if secure { "https" } else { "http" })))
    }
}

impl Castaway {
    /// One that may be seen: a private one is none to others.
    pub(super) async fn podcast_for(&self, id: &str, who: Option<&Who>) -> Result<Found<Podcast>, Failure> {
        let found: Option<Found<Podcast>> = records::find(&*self.store, PODCASTS, id).await?;
        let seen = |podcast: &Podcast| podcast.public || who.is_some_and(|who| podcast.owner == *who.key);
        found.filter(|found| seen(&found.record)).ok_or_else(|| Failure::not_found("Podcast", id))
    }

    async fn own_podcast(&self, id: &str, who: &Who) -> Result<Found<Podcast>, Failure> {
        let found = self.podcast_for(id, Some(who)).await?;
        if found.record.owner == *who.key { Ok(found) } else { Err(Failure::not_yours("podcast", id)) }
    }

    /// An upload of theirs, and what removes it from the uploads.
    async fn own_upload(&self, id: &str, who: &Who, kind: UploadKind) -> Result<Kept, Failure> {
        let found: Option<Found<Upload>> = records::find(&*self.store, UPLOADS, id).await?;
        let theirs = |upload: &Upload| upload.owner == *who.key && upload.kind == kind;
        let found = found.filter(|found| theirs(&found.record));
        found.map(|found| found.record.kept).ok_or_else(|| Failure::not_found("Upload", id))
    }

    pub(super) async fn discard(&self, kept: Option<Kept>) {
        if let (Some(vault), Some(kept)) = (&self.vault, kept) {
            vault.discard(&kept.file, kept.bytes).await;
        }
    }
}

/// `GET /podcasts`
pub(super) async fn list(State(gateway): State<Gateway>, base: Base) -> Answer {
    let castaway = gateway.castaway();
    let _place = castaway.readers.acquire().await.map_err(|_| Failure::busy())?;
    let all = records::list(&*castaway.store, PODCASTS, |_, podcast: &Podcast| podcast.public).await?;
    let newest = records::newest(all, |podcast: &Podcast| podcast.created_ms);
    Ok(Json(newest.iter().map(|(id, podcast)| shape(castaway, id, podcast, &base)).collect()))
}

/// `POST /podcasts/:id/info`
pub(super) async fn info(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    base: Base,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let token = fields.get(ID_TOKEN_FIELD).and_then(Value::as_str).filter(|token| !token.is_empty());
    let who = token.and_then(|token| castaway.who(token));
    let found = castaway.podcast_for(&id, who.as_ref()).await?;
    let mut shape = shape(castaway, &id, &found.record, &base);
    shape["public"] = found.record.public.into();
    Ok(Json(shape))
}

const ID_TOKEN_FIELD: &str = "idToken";

/// `POST /podcasts/:id/stream`
pub(super) async fn stream(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    Base(base): Base,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let castaway = gateway.castaway();
    let (who, ()) = castaway.user_of_body(&read(&headers, body).await?, |_| ())?;
    let found = castaway.podcast_for(&id, Some(&who)).await?;
    let link = files::link(castaway, &found.record.sound).ok_or_else(Failure::busy)?;
    let url = format!("{base}/api/files/{link}");
    Ok(Json(json!({ "podcastUrl": url, "message": "The link ends after some hours. Ask for a new one then." })))
}

/// `POST /podcasts`
pub(super) async fn create(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let (who, said) = castaway.user_of_body(&fields, |checks| {
        let uploads = (checks.text(PODCAST_UPLOAD_ID), checks.text(IMAGE_UPLOAD_ID));
        (uploads, checks.text(TITLE), checks.text(DESCRIPTION), checks.genres(), checks.public())
    })?;
    let ((sound_id, picture_id), title, description, genres, public) = said;
    if castaway.has_as_many(&who).await? {
        return Err(Failure::too_many("You have as many podcasts as may be. Remove one first."));
    }
    let sound = castaway.own_upload(&sound_id, &who, UploadKind::Sound).await?;
    let picture = castaway.own_upload(&picture_id, &who, UploadKind::Picture).await?;
    let artist = castaway.name_of(&who).await?;
    let (owner, id, created_ms) = (who.key.to_string(), draw::name(""), clock::unix_ms());
    let picture = Some(picture);
    let podcast = Podcast { owner, title, description, artist, genres, public, sound, picture, created_ms };
    // The uploads become the podcast's in the same step: they can't become another's too.
    let mut changes =
        vec![records::write(PODCASTS, &id, &podcast, None), records::own(&who.key, PODCASTS, &id, podcast.bytes())];
    changes.extend(records::remove(&who.key, UPLOADS, &sound_id));
    changes.extend(records::remove(&who.key, UPLOADS, &picture_id));
    castaway.store.commit(changes).await?;
    Ok(Json(json!({ "podcastId": id })))
}

impl Castaway {
    async fn has_as_many(&self, who: &Who) -> Result<bool, store::StoreError> {
        let has = records::owned(&*self.store, &who.key, PODCASTS, MAX_PODCASTS_EACH).await?;
        Ok(has.len() >= MAX_PODCASTS_EACH)
    }
}

/// `PUT /podcasts/:id`: what is said of it; what is not said stays.
pub(super) async fn update(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let (who, said) = castaway.user_of_body(&fields, |checks| {
        let genres = fields.contains_key("genres").then(|| checks.genres());
        let public = fields.contains_key("public").then(|| checks.public());
        (checks.optional(TITLE), checks.optional(DESCRIPTION), genres, public)
    })?;
    let Found { mut record, revision } = castaway.own_podcast(&id, &who).await?;
    let (title, description, genres, public) = said;
    record.title = title.unwrap_or(record.title);
    record.description = description.unwrap_or(record.description);
    record.genres = genres.unwrap_or(record.genres);
    record.public = public.unwrap_or(record.public);
    castaway.store.commit(vec![records::write(PODCASTS, &id, &record, Some(revision))]).await?;
    done("Your podcast has been updated.")
}

/// `PUT /podcasts/:id/podcast`
pub(super) async fn replace_sound(gateway: State<Gateway>, id: Path<String>, headers: HeaderMap, body: Body) -> Answer {
    replace(gateway, id, headers, body, UploadKind::Sound).await
}

/// `PUT /podcasts/:id/image`
pub(super) async fn replace_picture(
    gateway: State<Gateway>,
    id: Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    replace(gateway, id, headers, body, UploadKind::Picture).await
}

async fn replace(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
    kind: UploadKind,
) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let field = match kind {
        UploadKind::Sound => UPDATED_PODCAST_UPLOAD_ID,
        UploadKind::Picture => UPDATED_IMAGE_UPLOAD_ID,
    };
    let (who, upload) = castaway.user_of_body(&fields, |checks| checks.text(field))?;
    let Found { mut record, revision } = castaway.own_podcast(&id, &who).await?;
    let new = castaway.own_upload(&upload, &who, kind).await?;
    let old = match kind {
        UploadKind::Sound => Some(std::mem::replace(&mut record.sound, new)),
        UploadKind::Picture => record.picture.replace(new),
    };
    let owned = records::own(&who.key, PODCASTS, &id, record.bytes());
    let mut changes = vec![records::write(PODCASTS, &id, &record, Some(revision)), owned];
    changes.extend(records::remove(&who.key, UPLOADS, &upload));
    castaway.store.commit(changes).await?;
    castaway.discard(old).await;
    done("Your podcast has been updated.")
}

/// `POST /podcasts/:id/delete`
pub(super) async fn remove(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let castaway = gateway.castaway();
    let (who, ()) = castaway.user_of_body(&read(&headers, body).await?, |_| ())?;
    let found = castaway.own_podcast(&id, &who).await?;
    castaway.store.commit(records::remove(&who.key, PODCASTS, &id).into()).await?;
    castaway.discard(Some(found.record.sound)).await;
    castaway.discard(found.record.picture).await;
    done("Your podcast has been removed.")
}

/// As the app reads it.
pub(super) fn shape(castaway: &Castaway, id: &str, podcast: &Podcast, base: &Base) -> Value {
    let picture = podcast.picture.as_ref().and_then(|picture| files::link(castaway, picture));
    let picture = picture.map(|link| format!("{}/api/files/{link}", base.0)).unwrap_or_default();
    json!({
        "podcastId": id,
        "title": podcast.title,
        "description": podcast.description,
        "artistName": podcast.artist,
        // Whole minutes, and one at least.
        "durationInMinutes": ((podcast.sound.duration_ms + 30_000) / 60_000).max(1),
        "imgUrl": picture,
        "genres": podcast.genres,
    })
}
