//! How each receiver wants each track (L-37, L-38): kept here, so that a track that comes (again) comes as it is wanted.

use super::Room;
use crate::effect::RoomEvent;
use crate::id::{SessionId, TrackSid};
use crate::limits::MAX_TRACK_SETTINGS;
use crate::media::MediaCommand;
use crate::settings::{ReceiveSettings, TrackSettings};
use crate::track::Track;

impl Room {
    /// A client said how it wants tracks.
    pub(super) fn on_update_track_settings(
        &mut self,
        session: SessionId,
        tracks: Vec<TrackSid>,
        settings: TrackSettings,
    ) {
        for track in tracks.into_iter().take(MAX_TRACK_SETTINGS) {
            self.set_track_settings(session, track, settings);
        }
    }

    /// A client that resumes says which tracks it has disabled: these, and no others.
    pub(super) fn on_disabled(&mut self, session: SessionId, disabled: Vec<TrackSid>) {
        let Some(member) = self.members.get(&session) else { return };
        let enabled = member.settings.iter().filter(|(track, settings)| settings.disabled && !disabled.contains(track));
        let enabled: Vec<_> = enabled.map(|(track, _)| (track.clone(), false)).collect();
        let disabled = disabled.into_iter().take(MAX_TRACK_SETTINGS).map(|track| (track, true));
        for (track, disabled) in enabled.into_iter().chain(disabled) {
            let known = self.members.get(&session).and_then(|member| member.settings.get(&track)).copied();
            let settings = TrackSettings { disabled, ..known.unwrap_or_default() };
            self.set_track_settings(session, track, settings);
        }
    }

    fn set_track_settings(&mut self, session: SessionId, sid: TrackSid, settings: TrackSettings) {
        let Some(publisher) = self.visible_publisher(session, &sid) else { return };
        let Some(member) = self.members.get_mut(&session) else { return };
        if member.settings.len() >= MAX_TRACK_SETTINGS && !member.settings.contains_key(&sid) {
            return;
        }
        member.settings.insert(sid.clone(), settings);
        let publication = self.members.get(&publisher).and_then(|member| member.publications.get(&sid));
        if publication.is_some_and(|publication| publication.subscribers.contains(&session)) {
            let settings = self.receive_settings(session, publisher, &sid);
            self.command(MediaCommand::SetTrackSettings { session, track: sid, settings });
        }
    }

    /// Bandwidth is too short for a track, or no longer.
    pub(super) fn on_stream_paused(&mut self, session: SessionId, track: TrackSid, paused: bool) {
        let publisher = self.owners.get(&track).and_then(|publisher| self.members.get(publisher));
        if let Some(participant) = publisher.map(|publisher| publisher.info.sid.clone()) {
            self.tell(session, RoomEvent::StreamPaused { participant, track, paused });
        }
    }

    /// What a receiver's settings for a track mean for its shard.
    pub(super) fn receive_settings(&self, session: SessionId, publisher: SessionId, sid: &TrackSid) -> ReceiveSettings {
        let settings = self.members.get(&session).and_then(|member| member.settings.get(sid)).copied();
        let publication = self.members.get(&publisher).and_then(|member| member.publications.get(sid));
        let Some(track) = publication.map(|publication| &*publication.track) else { return ReceiveSettings::default() };
        settings.unwrap_or_default().resolve(track.request.source, track.request.height, announced_layers(track))
    }
}

/// Older clients announce layers for the track, newer ones for its codecs.
fn announced_layers(track: &Track) -> &[crate::track::Layer] {
    let request = &track.request;
    let of_codec = request.codecs.first().map_or(&[][..], |codec| &codec.layers);
    if request.layers.is_empty() { of_codec } else { &request.layers }
}
