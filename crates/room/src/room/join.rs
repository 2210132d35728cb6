//! Coming in. The order is what clients break on (livekit.md 2.3): Joined first; then what they announced; then what they
//! may receive; and to the shard the peer, its tracks and subscriptions before its offer, so that the first answer
//! already maps them.

use super::Room;
use super::choices::Choices;
use super::data_tracks::MemberData;
use super::guest_list::GuestList;
use super::member::{Goodbye, MediaState, Member, Signalling, is_person};
use super::received::Received;
use crate::codecs;
use crate::effect::{LeaveAction, RoomEvent};
use crate::id::{ParticipantSid, SessionId};
use crate::input::{Join, Now};
use crate::limits::{MAX_PARTICIPANTS, RoomLimits};
use crate::media::{ConnectionMode, MediaCommand};
use crate::notice::Notice;
use crate::participant::{DisconnectReason, Participant, ParticipantState};
use crate::track::TrackRequest;
use indexmap::IndexMap;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Why somebody may not come in. The shell asks [`Room::check_join`] first, and answers in its dialect's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JoinError {
    /// `max_participants` are there.
    #[error("the room is full")]
    RoomFull,
    /// The room has ended meanwhile: look for a new one of that name.
    #[error("the room has ended")]
    Ended,
    /// Too long; the field's name.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// A token participant must have an identity.
    #[error("the identity is empty")]
    EmptyIdentity,
    /// They are not to come in.
    #[error("you are banned from this room")]
    Banned,
    /// Who is forwarded from another room takes nobody's place.
    #[error("a participant of this identity is in the room already")]
    IdentityTaken,
    /// This session is in the room already: a defect of the caller.
    #[error("the session has joined already")]
    SessionTaken,
}

impl Room {
    /// Would this join be taken? A join that would not is ignored by [`Room::handle_input`].
    ///
    /// # Errors
    /// Says why not.
    pub fn check_join(&self, join: &Join) -> Result<(), JoinError> {
        if self.lifecycle.ended() {
            return Err(JoinError::Ended);
        }
        if self.members.contains_key(&join.session) {
            return Err(JoinError::SessionTaken);
        }
        check_sizes(&self.config.limits, join)?;
        if join.mode == ConnectionMode::Elsewhere && self.by_identity.contains_key(&join.identity) {
            return Err(JoinError::IdentityTaken);
        }
        if self.bans().bars(Some(&join.identity), None) {
            return Err(JoinError::Banned);
        }
        if self.is_full_for(join) { Err(JoinError::RoomFull) } else { Ok(()) }
    }

    /// Whoever replaces their own older session needs no place. Agents and recorders take none of the room's own (as in
    /// the reference), but count for the house's.
    fn is_full_for(&self, join: &Join) -> bool {
        let people = || self.members.values().filter(|member| member.keeps_the_room()).count();
        let own = self.config.max_participants as usize;
        let needs_own = own > 0 && is_person(join.kind, &join.permission);
        let full = self.members.len() >= MAX_PARTICIPANTS as usize || (needs_own && people() >= own);
        full && !self.by_identity.contains_key(&join.identity)
    }

    pub(super) fn on_join(&mut self, now: Now, join: Join) {
        if self.check_join(&join).is_err() {
            return;
        }
        self.evict_duplicate(&join);
        let (session, tracks, offer) = self.admit(now, join);
        self.greet(session);
        self.begin_peer(session);
        tracks.into_iter().for_each(|request| self.on_add_track(now, session, request));
        self.reconsider_receiver(session);
        self.subscribe_to_existing_data(session);
        if let Some((id, sdp)) = offer {
            self.command(MediaCommand::Offer { session, id, sdp });
        }
        self.introduce(session);
        self.counts_changed();
    }

    /// L-16: the same identity again. The old session goes, the new one comes.
    fn evict_duplicate(&mut self, join: &Join) {
        if let Some(&old) = self.by_identity.get(&join.identity) {
            let reason = DisconnectReason::DuplicateIdentity;
            self.depart(old, Goodbye { reason, action: Some(LeaveAction::Disconnect) });
        }
    }

    fn admit(&mut self, now: Now, join: Join) -> (SessionId, Vec<TrackRequest>, Option<(u32, String)>) {
        let transport = self.transport_for(now, &join);
        let Join { session, tracks, offer, .. } = join;
        let info = Arc::new(Participant {
            sid: ParticipantSid::new(self.sids.draw("PA_")),
            identity: join.identity.clone(),
            name: join.name,
            metadata: join.metadata,
            attributes: join.attributes,
            state: if join.mode.has_peer() { ParticipantState::Joined } else { ParticipantState::Active },
            permission: join.permission,
            tracks: Vec::new(),
            data_tracks: Vec::new(),
            joined_at_ms: now.unix_ms,
            version: 1,
            kind: join.kind,
            client: join.client,
            disconnect_reason: None,
            is_publisher: false,
            region: String::new(),
        });
        let member = Member {
            info,
            mode: join.mode,
            transport,
            auto_subscribe: join.auto_subscribe,
            may_pause: join.may_pause,
            signalling: Signalling::Here,
            media: if join.mode.has_peer() { MediaState::Waiting } else { MediaState::Absent },
            resume_fault: None,
            departure: None,
            publications: IndexMap::new(),
            choices: Choices::default(),
            data: MemberData::new(join.auto_subscribe_data),
            settings: HashMap::new(),
            guest_list: GuestList::default(),
            received: Received::default(),
            score: None,
        };
        if member.keeps_the_room() {
            self.lifecycle.occupied();
        }
        self.by_identity.insert(join.identity, session);
        self.members.insert(session, member);
        (session, tracks, offer)
    }

    fn greet(&mut self, session: SessionId) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        let (you, transport) = (member.info.clone(), member.transport);
        let publish_codecs = self.publish_codecs(member);
        let others = self.members.iter().filter(|(other, member)| **other != session && !member.hidden());
        let others = others.map(|(_, member)| member.info.clone()).collect();
        self.tell(session, RoomEvent::Joined { room: self.info(), you, others, publish_codecs, transport });
    }

    fn publish_codecs(&self, member: &Member) -> Vec<String> {
        codecs::publishable(&self.config.enabled_codecs, &member.info.client)
    }

    fn begin_peer(&mut self, session: SessionId) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        let (mode, transport, sender) = (member.mode, member.transport, member.data_sender(&self.chat));
        let publish_codecs = self.publish_codecs(member).iter().map(|mime| codecs::name(mime)).collect();
        let may_pause = member.may_pause;
        let playout_delay = self.config.playout_delay;
        self.command(MediaCommand::AddPeer {
            session,
            mode,
            transport,
            publish_codecs,
            sender,
            may_pause,
            playout_delay,
        });
    }

    /// Others see a newcomer at once, not when the media is up (livekit.md 1).
    fn introduce(&mut self, session: SessionId) {
        let Some(info) = self.members.get(&session).map(|member| member.info.clone()) else {
            return;
        };
        self.announce_to_others(session, info.clone());
        if !info.permission.is_hidden() {
            self.notice(Notice::Present(info.clone()));
        }
        if info.state == ParticipantState::Active {
            self.notice(Notice::ParticipantJoined(info));
        }
    }
}

fn check_sizes(limits: &RoomLimits, join: &Join) -> Result<(), JoinError> {
    if join.identity.id.is_empty() {
        return Err(JoinError::EmptyIdentity);
    }
    let sizes = [
        ("identity", join.identity.id.len(), limits.identity_bytes),
        ("name", join.name.len(), limits.name_bytes),
        ("metadata", join.metadata.len(), limits.metadata_bytes),
        ("attributes", attributes_bytes(&join.attributes), limits.attributes_bytes),
    ];
    match sizes.into_iter().find(|(_, size, limit)| size > limit) {
        Some((field, ..)) => Err(JoinError::TooLong(field)),
        None => Ok(()),
    }
}

/// All keys and values together.
pub(crate) fn attributes_bytes(attributes: &BTreeMap<String, String>) -> usize {
    attributes.iter().map(|(key, value)| key.len() + value.len()).sum()
}
