//! Who may stream and listen, and what the others are told, word for word (C-02 to C-09).

use super::Castaway;
use super::ear::{Ear, Role};
use super::kept::About;
use super::kept::recorder::Recorder;
use super::live::{NotLetIn, Stage, Stay};
use super::records::{self, Found, LIVESTREAMS, Livestream};
use super::who::Who;
use crate::clock;
use crate::rooms::{Access, Credential, JoinError};
use std::net::IpAddr;
use std::sync::Arc;
use wire::castaway::handshake::Claimed;

impl Castaway {
    /// Lets a socket that is in a namespace take part, or says what it is told before it is disconnected.
    pub(super) async fn admit(
        self: &Arc<Self>,
        ear: &Arc<Ear>,
        claimed: Claimed,
        address: IpAddr,
    ) -> Result<Stay, String> {
        let token = claimed.id_token.ok_or("Id token not provided.")?;
        let livestream = claimed.livestream_id.ok_or("Livestream id not provided.")?;
        let who = self.who(&token).ok_or("Id token is invalid.")?;
        match ear.role() {
            Role::Streamer => self.admit_streamer(&who, &livestream, ear, address).await,
            Role::Listener => self.admit_listener(&who, &livestream, ear, address).await,
        }
    }

    async fn admit_streamer(
        self: &Arc<Self>,
        who: &Who,
        livestream: &str,
        ear: &Arc<Ear>,
        address: IpAddr,
    ) -> Result<Stay, String> {
        let not_authorized = || "User is not authorized to livestream in this room.".to_owned();
        let record = self.livestream(livestream).await.map_err(busy)?;
        let credential = who.credential(livestream);
        let owns = record.as_ref().is_some_and(|record| record.record.owner == *who.key);
        if !self.may_enter(livestream, credential) || !(owns || who.may_publish(livestream)) {
            return Err(not_authorized());
        }
        let stage = self.open_stage(livestream);
        let recorder = || self.recorder(who, livestream, record.map(|found| found.record));
        let admitted = stage.stream(who, credential, ear, address, recorder).await;
        // Somebody who was refused may have taken it out of the list meanwhile.
        let admitted = admitted.and_then(|stay| if self.keep_stage(&stage) { Ok(stay) } else { Err(NotLetIn::Ended) });
        admitted.map_err(|error| {
            if !stage.is_on() {
                self.forget(&stage);
            }
            match error {
                NotLetIn::Taken | NotLetIn::Room(JoinError::NoSuchRoom | JoinError::BadName | JoinError::Banned) => {
                    not_authorized()
                }
                other => told(other, livestream),
            }
        })
    }

    async fn admit_listener(
        &self,
        who: &Who,
        livestream: &str,
        ear: &Arc<Ear>,
        address: IpAddr,
    ) -> Result<Stay, String> {
        let missing = || format!("Livestream {livestream} does not exist.");
        let credential = who.credential(livestream);
        if !self.may_enter(livestream, credential) || !who.may_listen(livestream) {
            return Err(missing());
        }
        let stage = self.stage(livestream).filter(|stage| stage.is_on());
        let Some(stage) = stage else {
            let known = self.livestream(livestream).await.map_err(busy)?.is_some()
                || self.registry.find(livestream).is_some()
                || credential == Credential::Token;
            return Err(if known { format!("Livestream {livestream} has not started.") } else { missing() });
        };
        let admitted = stage.listen(who, credential, ear, address).await;
        admitted.map_err(|error| match error {
            NotLetIn::Room(JoinError::NoSuchRoom | JoinError::BadName | JoinError::Banned) => missing(),
            other => told(other, livestream),
        })
    }

    /// A livestream that was announced.
    pub(super) async fn livestream(&self, id: &str) -> Result<Option<Found<Livestream>>, store::StoreError> {
        records::find(&*self.store, LIVESTREAMS, id).await
    }

    /// To those without a token, a token room is none.
    pub(super) fn may_enter(&self, livestream: &str, credential: Credential) -> bool {
        credential == Credential::Token || self.registry.access(livestream) == Access::Open
    }

    fn open_stage(self: &Arc<Self>, livestream: &str) -> Arc<Stage> {
        let mut stages = self.stages();
        let name: Arc<str> = livestream.into();
        Arc::clone(stages.entry(name).or_insert_with_key(|name| Stage::new(self, Arc::clone(name))))
    }

    /// False: another one of its name is on.
    fn keep_stage(&self, stage: &Arc<Stage>) -> bool {
        let mut stages = self.stages();
        let kept = stages.entry(stage.livestream().into()).or_insert_with(|| Arc::clone(stage));
        Arc::ptr_eq(kept, stage)
    }

    fn recorder(&self, who: &Who, livestream: &str, record: Option<Livestream>) -> Option<Recorder> {
        let recordings = self.recordings.as_ref().filter(|_| self.config.record)?;
        let artist = if who.name.is_empty() { who.uid.clone() } else { who.name.clone() };
        let (title, description, artist) = match record {
            Some(record) => (record.title, record.description, record.artist),
            None => (livestream.to_owned(), String::new(), artist),
        };
        let public = self.registry.access(livestream) == Access::Open;
        let (owner, created_ms) = (who.key.to_string(), clock::unix_ms());
        Some(recordings.record(About { owner, title, description, artist, public, created_ms }))
    }
}

fn told(error: NotLetIn, livestream: &str) -> String {
    match error {
        NotLetIn::Ended => format!("Livestream {livestream} has ended."),
        NotLetIn::Full | NotLetIn::Room(JoinError::RoomFull | JoinError::TooManyRooms) => {
            format!("Livestream {livestream} is full.")
        }
        NotLetIn::Taken | NotLetIn::Room(_) => format!("Livestream {livestream} is not available now."),
    }
}

fn busy(error: store::StoreError) -> String {
    tracing::warn!(%error, "a livestream could not be looked up");
    "The server is busy. Try again later.".to_owned()
}
