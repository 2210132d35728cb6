//! What the shards report, and what goes to them as it comes.

use super::Room;
use super::member::MediaState;
use super::publication::CodecOnWire;
use super::quality::Observed;
use crate::effect::RoomEvent;
use crate::id::SessionId;
use crate::input::Now;
use crate::media::{MediaCommand, MediaEvent, Target};
use crate::notice::Notice;
use crate::participant::ParticipantState;

impl Room {
    pub(super) fn on_media(&mut self, now: Now, event: MediaEvent) {
        match event {
            MediaEvent::Answer { session, id, sdp, tracks } => {
                self.tell(session, RoomEvent::Answer { id, sdp, tracks });
            }
            MediaEvent::Offer { session, id, sdp, tracks } => self.tell(session, RoomEvent::Offer { id, sdp, tracks }),
            MediaEvent::Candidates { session, target, candidates, ufrag } => {
                self.tell(session, RoomEvent::Candidates { target, candidates, ufrag });
            }
            MediaEvent::Resumed { session, last_message_seq } => self.on_resumed(now, session, last_message_seq),
            MediaEvent::SectionsNeeded { session, audio, video } => {
                self.tell(session, RoomEvent::SectionsNeeded { audio, video });
            }
            MediaEvent::NegotiationFailed { session, .. } => self.on_negotiation_failed(session),
            MediaEvent::Connected { session, target } => self.on_connected(session, target),
            MediaEvent::Ended { session, reason } => self.on_media_ended(now, session, reason),
            MediaEvent::TrackLive { session, track, codec, mid, mime, layers } => {
                self.on_track_live(now, session, &track, CodecOnWire { codec, mid, mime, layers });
            }
            MediaEvent::TrackEnded { session, track } => self.on_track_ended(session, &track),
            MediaEvent::Subscribed { session, track } => self.on_subscribed(session, &track),
            MediaEvent::StreamPaused { session, track, paused } => self.on_stream_paused(session, track, paused),
            // The shell's: it waits for the one, and reads the other.
            MediaEvent::CallAnswered { .. } | MediaEvent::Overheard { .. } => {}
            MediaEvent::LayersWanted { session, track, codec, highest } => {
                self.on_layers_wanted(now.at, session, &track, (codec, highest));
            }
            MediaEvent::Levels { levels } => self.on_levels(now, &levels),
            MediaEvent::Quality { session, up_loss, down_loss, rtt_ms, missed_layers } => {
                let observed = Observed { losses: [up_loss, down_loss], rtt_ms, missed_layers };
                self.on_quality(now, session, &observed);
            }
        }
    }

    pub(super) fn on_offer(&mut self, session: SessionId, id: u32, sdp: String) {
        if self.members.contains_key(&session) {
            self.command(MediaCommand::Offer { session, id, sdp });
        }
    }

    pub(super) fn on_answer(&mut self, session: SessionId, id: u32, sdp: String) {
        if self.members.contains_key(&session) {
            self.command(MediaCommand::Answer { session, id, sdp });
        }
    }

    pub(super) fn on_candidate(&mut self, session: SessionId, target: Target, candidate: String) {
        if self.members.contains_key(&session) {
            self.command(MediaCommand::Candidate { session, target, candidate });
        }
    }

    /// A connection is up. Whose signalling was lost meanwhile stays from now on as long as it lives.
    fn on_connected(&mut self, session: SessionId, target: Target) {
        let Some(member) = self.members.get_mut(&session) else {
            return;
        };
        if matches!(member.media, MediaState::Ended | MediaState::Absent) {
            return;
        }
        member.media = MediaState::Connected;
        if let Some((at, _)) = member.departure.take() {
            self.departures.remove(&(at, session));
        }
        if member.is_primary(target) && member.info.state != ParticipantState::Active {
            member.change(|info| info.state = ParticipantState::Active);
            let joined = Notice::ParticipantJoined(member.info.clone());
            self.announce(session);
            self.notice(joined);
        }
    }
}
