//! Who is shown here and is in another room (ForwardParticipant, L-55). Their tracks are live over there; whoever takes one
//! here receives it from the same shard, by the same sid. What changes there is told here as one whole.

use super::Room;
use super::publication::Publication;
use crate::id::{SessionId, TrackSid};
use crate::input::{Mirrored, Now};
use crate::participant::Participant;
use crate::track::Track;
use std::collections::HashSet;
use std::sync::Arc;

impl Room {
    /// Makes them here what they are there: what they were is forgotten.
    pub(super) fn on_mirror(&mut self, now: Now, session: SessionId, mirrored: &Mirrored) {
        let Some(member) = self.members.get(&session).filter(|member| member.is_mirrored()) else {
            return;
        };
        let theirs = &mirrored.participant.tracks;
        let there: HashSet<_> = theirs.iter().map(|track| &track.sid).collect();
        let ended: Vec<_> = member.publications.keys().filter(|sid| !there.contains(sid)).cloned().collect();
        ended.iter().for_each(|sid| self.on_track_ended(session, sid));
        let begun = self.take_tracks(session, theirs);
        self.show(session, mirrored);
        for sid in &begun {
            self.fulfil_wishes(sid);
            self.counts_changed();
            self.notice_published(session, sid);
        }
        for track in theirs.iter().filter(|track| track.muted) {
            self.speakers.forget_track(&track.sid);
        }
        self.at = now.at;
        self.reconsider_publisher(session);
    }

    /// Their tracks as they are there. Returns those that are new here.
    fn take_tracks(&mut self, session: SessionId, tracks: &[Arc<Track>]) -> Vec<TrackSid> {
        let mut begun = Vec::new();
        for track in tracks {
            // A track that somebody else has here already (a circle of rooms) stays theirs.
            if *self.owners.entry(track.sid.clone()).or_insert(session) != session {
                continue;
            }
            let Some(member) = self.members.get_mut(&session) else { break };
            match member.publications.get_mut(&track.sid) {
                Some(known) => known.track = Arc::clone(track),
                None => {
                    member.publications.insert(track.sid.clone(), Publication::mirrored(Arc::clone(track)));
                    begun.push(track.sid.clone());
                }
            }
        }
        begun
    }

    /// The others see them before they hear of a track (livekit.md 2.10).
    fn show(&mut self, session: SessionId, mirrored: &Mirrored) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        member.guest_list = mirrored.guests.clone();
        let there = Participant::clone(&mirrored.participant);
        member.change(|info| {
            (info.name, info.metadata, info.attributes) = (there.name, there.metadata, there.attributes);
            info.permission = there.permission;
        });
        self.tracks_changed(session);
    }
}
