//! STATS (E-16): the venue's live streams, every half minute.

use super::limits::{MAX_LIVE_TRACKS, STATS_INTERVAL};
use super::log;
use super::{Elektron, frames};
use crate::clock;
use room::effect::RoomInfo;
use room::track::TrackKind;
use room::{Notice, TrackSid};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{MissedTickBehavior, interval};
use wire::elektron::message;

/// Rooms in which video is live, and since when: Unix milliseconds for each track.
#[derive(Debug, Default)]
pub(super) struct Live(Mutex<HashMap<Arc<str>, HashMap<TrackSid, i64>>>);

impl Live {
    pub(super) fn on_notice(&self, room: &RoomInfo, notice: &Notice) {
        match notice {
            Notice::TrackPublished { track, .. } if track.request.kind == TrackKind::Video => {
                let mut rooms = self.rooms();
                let tracks = rooms.entry(room.name.as_str().into()).or_default();
                if tracks.len() < MAX_LIVE_TRACKS {
                    tracks.insert(track.sid.clone(), clock::unix_ms());
                }
            }
            Notice::TrackUnpublished { track, .. } => self.ended(&room.name, &track.sid),
            Notice::RoomFinished(_) => drop(self.rooms().remove(room.name.as_str())),
            _ => {}
        }
    }

    fn ended(&self, room: &str, track: &TrackSid) {
        let mut rooms = self.rooms();
        if let Some(tracks) = rooms.get_mut(room) {
            tracks.remove(track);
            if tracks.is_empty() {
                rooms.remove(room);
            }
        }
    }

    /// Each room with video, and since when.
    fn since(&self) -> Vec<(Arc<str>, i64)> {
        let first = |tracks: &HashMap<TrackSid, i64>| tracks.values().min().copied();
        self.rooms().iter().filter_map(|(room, tracks)| Some((room.clone(), first(tracks)?))).collect()
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<Arc<str>, HashMap<TrackSid, i64>>> {
        // Inserts and removals are single steps.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until the server ends.
pub(super) async fn run(elektron: Arc<Elektron>) {
    let mut ticks = interval(STATS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for (room, since_ms) in elektron.config.ears.live().since() {
            tell(&elektron, &room, since_ms).await;
        }
    }
}

/// What isn't known is not said: the bit rate is the shards' to know.
async fn tell(elektron: &Elektron, room: &Arc<str>, since_ms: i64) {
    let Some(handle) = elektron.registry.find(room) else { return };
    let Ok(info) = handle.info().await else { return };
    let viewers = info.num_participants.saturating_sub(info.num_publishers);
    let uptime = (clock::unix_ms() - since_ms).max(0) / 1000;
    let value = json!([{ "name": **room, "viewers": viewers, "uptime": uptime }]).to_string();
    let message = message::stored(&frames::stamp(), "STATS", room, &value);
    // A token room's numbers are for those who are in it, and for nobody later.
    if elektron.registry.is_open(room)
        && let Err(error) = log::keep(elektron, room, "STATS", message.clone().into()).await
    {
        tracing::debug!(%error, "STATS could not be stored");
    }
    elektron.hub.post(Some(room.clone()), frames::text(&message)).await;
}
