//! Who somebody is, by their token: an account of this house, one of our keys' tokens, or an outside issuer's ID token.

use super::Castaway;
use crate::clock;
use crate::rooms::Credential;
use auth::token::RESERVED_PREFIXES;
use auth::{Claims, VideoGrant, external};
use std::sync::Arc;

/// How the ids of accounts begin.
pub(super) const ACCOUNT: &str = "u_";

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// Who they are inside, for ever: accounts, outside subjects and token identities can't be taken for each other.
    pub(super) key: Arc<str>,
    /// As they are told.
    pub(super) uid: String,
    /// Shown to people; may be empty.
    pub(super) name: String,
    /// May be empty.
    pub(super) email: String,
    /// What a token by one of our keys grants.
    grant: Option<VideoGrant>,
}

impl Who {
    fn of_claims(claims: Claims) -> Option<Self> {
        let uid = claims.participant_identity().to_owned();
        if claims.odeon_account {
            return uid.starts_with(ACCOUNT).then(|| Self::new(uid.as_str().into(), uid, claims.name, None));
        }
        let key: Arc<str> = format!("token:{uid}").into();
        let grant = (!claims.is_anybodys()).then_some(claims.video);
        let is_somebody = !uid.is_empty() && is_plain(&uid);
        is_somebody.then(|| Self::new(key, uid, claims.name, grant))
    }

    fn outside(person: external::Person) -> Option<Self> {
        let uid = person.subject;
        let foreign = !uid.starts_with(ACCOUNT) && !RESERVED_PREFIXES.iter().any(|prefix| uid.starts_with(prefix));
        let who = Self { email: person.email, ..Self::new(uid.as_str().into(), uid.clone(), person.name, None) };
        (foreign && is_plain(&uid)).then_some(who)
    }

    fn new(key: Arc<str>, uid: String, name: String, grant: Option<VideoGrant>) -> Self {
        Self { key, uid, name, email: String::new(), grant }
    }

    /// What they have to show in this room.
    pub(super) fn credential(&self, room: &str) -> Credential {
        if self.grant_in(room).is_some() { Credential::Token } else { Credential::Public }
    }

    /// Their token lets them send sound into this room.
    pub(super) fn may_publish(&self, room: &str) -> bool {
        self.grant_in(room).is_some_and(VideoGrant::may_publish)
    }

    /// Nothing keeps them from listening in this room.
    pub(super) fn may_listen(&self, room: &str) -> bool {
        self.grant_in(room).is_none_or(VideoGrant::may_subscribe)
    }

    fn grant_in(&self, room: &str) -> Option<&VideoGrant> {
        self.grant.as_ref().filter(|grant| grant.room_join && grant.room == room)
    }
}

/// It becomes part of keys in the store.
fn is_plain(uid: &str) -> bool {
    !uid.contains(|c: char| c.is_control())
}

impl Castaway {
    /// Whose token this is; `None`: nobody's.
    pub(super) fn who(&self, token: &str) -> Option<Who> {
        let now = clock::unix_s();
        match auth::verify(token, &self.keys, now) {
            Ok(claims) => Who::of_claims(claims),
            Err(_) => {
                let outside = self.outside.as_ref()?;
                let person = external::verify(token, outside.issuer(), &outside.keys(), now).ok()?;
                Who::outside(person)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(sub: &str) -> Claims {
        Claims { sub: sub.to_owned(), ..Claims::default() }
    }

    #[test]
    fn accounts_subjects_and_tokens_are_never_taken_for_each_other() {
        let account = Who::of_claims(Claims { odeon_account: true, ..claims("u_abc") }).unwrap();
        assert_eq!(&*account.key, "u_abc");
        assert_eq!(&*Who::of_claims(claims("u_abc")).unwrap().key, "token:u_abc");
        assert!(Who::of_claims(Claims { odeon_account: true, ..claims("mallory") }).is_none());
        let person = |subject: &str| external::Person { subject: subject.to_owned(), ..Default::default() };
        for subject in ["u_abc", "token:alice", "bus:a", "a\nb"] {
            assert!(Who::outside(person(subject)).is_none(), "{subject}");
        }
        assert_eq!(&*Who::outside(person("firebase1")).unwrap().key, "firebase1");
        assert!(Who::of_claims(claims("")).is_none(), "an operator's token is nobody's");
    }

    #[test]
    fn a_token_counts_in_its_own_room_and_a_page_token_in_none() {
        let video = VideoGrant { room_join: true, room: "a".into(), can_publish: Some(false), ..Default::default() };
        let who = Who::of_claims(Claims { video: video.clone(), ..claims("alice") }).unwrap();
        assert_eq!([who.credential("a"), who.credential("b")], [Credential::Token, Credential::Public]);
        assert!(!who.may_publish("a") && who.may_listen("a"));
        let page = Who::of_claims(Claims { video, odeon_page: true, ..claims("guest") }).unwrap();
        assert_eq!(page.credential("a"), Credential::Public);
    }
}
