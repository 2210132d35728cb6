//! Livestreams that are announced (C-15).

use super::super::Castaway;
use super::super::limits::MAX_LIVESTREAMS_EACH;
use super::super::records::{self, LIVESTREAMS, Livestream};
use super::{Answer, Failure, done, read};
use crate::rooms::Credential;
use crate::{Gateway, clock, draw};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use http::HeaderMap;
use serde_json::{Value, json};
use wire::castaway::validate::{Checks, DESCRIPTION, TITLE};

/// `GET /livestreams`
pub(super) async fn list(State(gateway): State<Gateway>) -> Answer {
    let castaway = gateway.castaway();
    let _place = castaway.readers.acquire().await.map_err(|_| Failure::busy())?;
    let shown = |id: &str, _: &Livestream| castaway.may_enter(id, Credential::Public);
    let all = records::list(&*castaway.store, LIVESTREAMS, shown).await?;
    let newest = records::newest(all, |livestream: &Livestream| livestream.created_ms);
    Ok(Json(newest.iter().map(|(id, livestream)| shape(castaway, id, livestream)).collect()))
}

/// `GET /livestreams/:id`
pub(super) async fn one(State(gateway): State<Gateway>, Path(id): Path<String>) -> Answer {
    let castaway = gateway.castaway();
    let found = castaway.livestream(&id).await?.filter(|_| castaway.may_enter(&id, Credential::Public));
    let found = found.ok_or_else(|| Failure::not_found("Livestream", &id))?;
    Ok(Json(shape(castaway, &id, &found.record)))
}

/// `POST /livestreams`
pub(super) async fn create(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let mut checks = Checks::of(&fields);
    let said = (checks.text(TITLE), checks.text(DESCRIPTION));
    let (title, description) = checks.done(said)?;
    let who = castaway.user_of_header(&headers)?;
    let has = records::owned(&*castaway.store, &who.key, LIVESTREAMS, MAX_LIVESTREAMS_EACH).await?.len();
    if has >= MAX_LIVESTREAMS_EACH {
        return Err(Failure::too_many("You have announced as many livestreams as may be. Remove one first."));
    }
    let id = draw::name("");
    let artist = castaway.name_of(&who).await?;
    let livestream =
        Livestream { owner: who.key.to_string(), title, description, artist, created_ms: clock::unix_ms() };
    let written = records::write(LIVESTREAMS, &id, &livestream, None);
    castaway.store.commit(vec![written, records::own(&who.key, LIVESTREAMS, &id, 0)]).await?;
    Ok(Json(json!({ "livestreamId": id })))
}

/// `DELETE /livestreams/:id`; it ends, if it is on.
pub(super) async fn remove(State(gateway): State<Gateway>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let castaway = gateway.castaway();
    let who = castaway.user_of_header(&headers)?;
    let found = castaway.livestream(&id).await?.ok_or_else(|| Failure::not_found("Livestream", &id))?;
    if found.record.owner != *who.key {
        return Err(Failure::not_yours("livestream", &id));
    }
    castaway.store.commit(records::remove(&who.key, LIVESTREAMS, &id).into()).await?;
    if let Some(stage) = castaway.stage(&id) {
        stage.end(&stage.ended_text());
    }
    done("Your livestream has been removed.")
}

fn shape(castaway: &Castaway, id: &str, livestream: &Livestream) -> Value {
    let connected = castaway.stage(id).is_some_and(|stage| stage.is_connected());
    json!({
        "livestreamId": id,
        "title": livestream.title,
        "description": livestream.description,
        "artistName": livestream.artist,
        "streamerConnected": connected,
    })
}
