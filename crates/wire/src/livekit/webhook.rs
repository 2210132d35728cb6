//! What backends are told by webhook (livekit.md 3, «webhooks»; L-58, L-59).

use super::{info, proto};
use room::Notice;
use room::effect::RoomInfo;
use room::participant::Participant;
use room::track::Track;

/// Of the body.
pub const CONTENT_TYPE: &str = "application/webhook+json";

/// As LiveKit's server calls itself: receivers look for it.
pub const USER_AGENT: &str = "LiveKit";

/// The event that a notice is; `None`: LiveKit has no word for it. `id` is `EV_…` and its own; `created_at_s` in Unix
/// seconds.
pub fn event(room: &RoomInfo, notice: &Notice, id: String, created_at_s: i64) -> Option<proto::WebhookEvent> {
    let mut event = proto::WebhookEvent {
        event: name(notice)?.to_owned(),
        id,
        created_at: created_at_s,
        ..proto::WebhookEvent::default()
    };
    match notice {
        Notice::RoomStarted { .. } => event.room = Some(info::room(room)),
        Notice::RoomFinished(reason) => {
            event.room = Some(info::room(room));
            event.room_end_reason = *reason as i32;
        }
        Notice::ParticipantJoined(who) | Notice::ParticipantLeft(who) | Notice::ParticipantConnectionAborted(who) => {
            event.room = Some(info::room(room));
            event.participant = Some(info::participant(who));
        }
        Notice::TrackPublished { participant, track } | Notice::TrackUnpublished { participant, track } => {
            about_track(&mut event, room, participant, track);
        }
        _ => {}
    }
    Some(event)
}

fn name(notice: &Notice) -> Option<&'static str> {
    Some(match notice {
        Notice::RoomStarted { .. } => "room_started",
        Notice::RoomFinished(_) => "room_finished",
        Notice::ParticipantJoined(_) => "participant_joined",
        Notice::ParticipantLeft(_) => "participant_left",
        Notice::ParticipantConnectionAborted(_) => "participant_connection_aborted",
        Notice::TrackPublished { .. } => "track_published",
        Notice::TrackUnpublished { .. } => "track_unpublished",
        _ => return None,
    })
}

/// Of room and participant only who they are.
fn about_track(event: &mut proto::WebhookEvent, room: &RoomInfo, participant: &Participant, track: &Track) {
    let whole = info::participant(participant);
    event.room = Some(proto::Room { sid: room.sid.to_string(), name: room.name.clone(), ..proto::Room::default() });
    event.participant =
        Some(proto::ParticipantInfo { sid: whole.sid, identity: whole.identity, ..proto::ParticipantInfo::default() });
    event.track = Some(info::track(track));
}

/// The body: protojson, lowerCamelCase, defaults left out, 64 bits as text.
///
/// # Errors
/// An enum of the event has a value that its type does not know.
pub fn body(event: &proto::WebhookEvent) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(event)
}
