//! Users, and what is theirs (C-20).

use super::super::Castaway;
use super::super::limits::{MAX_FAVOURITES, MAX_PODCASTS_EACH};
use super::super::records::{self, Found, PODCASTS, Podcast, USERS, User};
use super::super::who::Who;
use super::podcasts::{Base, shape};
use super::{Answer, Failure, done, read};
use crate::Gateway;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;
use serde_json::{Value, json};
use store::StoreError;
use wire::castaway::validate::{PODCAST_ID, UPDATED_DISPLAY_NAME};

impl Castaway {
    /// What is kept of them, and its revision; those who come with others' tokens may have nothing yet.
    async fn user(&self, who: &Who) -> Result<(User, Option<u64>), StoreError> {
        let found: Option<Found<User>> = records::find(&*self.store, USERS, &who.key).await?;
        Ok(match found {
            Some(Found { record, revision }) => (record, Some(revision)),
            None => (User { email: who.email.clone(), display_name: who.name.clone(), ..User::default() }, None),
        })
    }

    /// As people are shown them.
    pub(super) async fn name_of(&self, who: &Who) -> Result<String, StoreError> {
        let name = self.user(who).await?.0.display_name;
        Ok(if name.is_empty() { who.uid.clone() } else { name })
    }

    async fn change_user(
        &self,
        who: &Who,
        change: impl FnOnce(&mut User) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut user, revision) = self.user(who).await?;
        change(&mut user)?;
        self.store.commit(vec![records::write(USERS, &who.key, &user, revision)]).await?;
        Ok(())
    }

    async fn podcasts_of(&self, who: &Who) -> Result<Vec<String>, StoreError> {
        records::owned(&*self.store, &who.key, PODCASTS, MAX_PODCASTS_EACH).await
    }

    async fn shapes(&self, who: &Who, ids: Vec<String>, base: &Base) -> Answer {
        let _place = self.readers.acquire().await.map_err(|_| Failure::busy())?;
        let mut all = Vec::new();
        for id in ids {
            let found: Option<Found<Podcast>> = records::find(&*self.store, PODCASTS, &id).await?;
            // One that was removed, or is private now, is not shown.
            let seen = found.filter(|found| found.record.public || found.record.owner == *who.key);
            all.extend(seen.map(|found| shape(self, &id, &found.record, base)));
        }
        Ok(Json(Value::Array(all)))
    }
}

/// `POST /users/info`
pub(super) async fn info(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let (who, ()) = castaway.user_of_body(&read(&headers, body).await?, |_| ())?;
    let (user, _) = castaway.user(&who).await?;
    let creations = castaway.podcasts_of(&who).await?.len();
    Ok(Json(json!({
        "email": user.email,
        "displayName": user.display_name,
        "numberOfCreations": creations,
        "numberOfFavorites": user.favourites.len(),
    })))
}

/// `POST /users/creations`
pub(super) async fn creations(State(gateway): State<Gateway>, base: Base, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let (who, ()) = castaway.user_of_body(&read(&headers, body).await?, |_| ())?;
    let ids = castaway.podcasts_of(&who).await?;
    castaway.shapes(&who, ids, &base).await
}

/// `POST /users/favorites`
pub(super) async fn favourites(State(gateway): State<Gateway>, base: Base, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let (who, ()) = castaway.user_of_body(&read(&headers, body).await?, |_| ())?;
    let ids = castaway.user(&who).await?.0.favourites;
    castaway.shapes(&who, ids, &base).await
}

/// `PUT /users/favorites`
pub(super) async fn add_favourite(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let (who, id) = castaway.user_of_body(&fields, |checks| checks.text(PODCAST_ID))?;
    castaway.podcast_for(&id, Some(&who)).await?;
    let add = |user: &mut User| {
        if user.favourites.contains(&id) {
            return Ok(());
        }
        if user.favourites.len() >= MAX_FAVOURITES {
            return Err(Failure::too_many("You have as many favorites as may be. Remove one first."));
        }
        user.favourites.push(id);
        Ok(())
    };
    castaway.change_user(&who, add).await?;
    done("Podcast added to your favorites.")
}

/// `DELETE /users/favorites`
pub(super) async fn remove_favourite(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let (who, id) = castaway.user_of_body(&fields, |checks| checks.text(PODCAST_ID))?;
    let remove = |user: &mut User| {
        user.favourites.retain(|favourite| *favourite != id);
        Ok(())
    };
    castaway.change_user(&who, remove).await?;
    done("Podcast removed from your favorite.")
}

/// `PUT /users/displayName`
pub(super) async fn rename(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Answer {
    let castaway = gateway.castaway();
    let fields = read(&headers, body).await?;
    let (who, name) = castaway.user_of_body(&fields, |checks| checks.text(UPDATED_DISPLAY_NAME))?;
    let rename = |user: &mut User| {
        user.display_name = name;
        Ok(())
    };
    castaway.change_user(&who, rename).await?;
    done("Your display name is updated.")
}
